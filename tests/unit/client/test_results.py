"""What comes back can not be taken for a yes, and shows no secret."""

from __future__ import annotations

import datetime as dt

import pytest

from nightlatch.client import (
    CodeResult,
    InvalidRequest,
    LoginResult,
    Prompt,
    PromptKind,
    Unavailable,
    Verdict,
    Verification,
)
from nightlatch.client.calls import NOWHERE, can_be_a_code, code_result, device_result, send_code, verify_code
from nightlatch.client.login_calls import Begin, step_of
from nightlatch.v1 import login_pb2, verification_pb2

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_a_result_is_no_condition() -> None:
    """`if client.verify_code(…):` fails the first time it is tried, instead of letting everybody in."""
    for result in (CodeResult(Verification.WRONG), LoginResult(Verdict.GRANTED)):
        with pytest.raises(TypeError, match="verified"):
            bool(result)


@pytest.mark.parametrize("number", [0, 5, 99])
def test_a_verdict_of_a_newer_daemon_is_unavailable(number: int) -> None:
    """It is neither a yes nor a wrong code."""
    with pytest.raises(Unavailable):
        code_result(verification_pb2.VerifyCodeResponse(verification=number), NOW)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        device_result(verification_pb2.CheckDeviceResponse(verification=number))  # type: ignore[arg-type]
    outcome = login_pb2.Outcome(verdict=number, user="alice")  # type: ignore[arg-type]
    result = step_of(login_pb2.Step(outcome=outcome), "alice", NOW)
    assert isinstance(result, LoginResult)
    assert not result.granted
    with pytest.raises(Unavailable):
        step_of(login_pb2.Step(ticket=b"t"), "alice", NOW)


@pytest.mark.parametrize(
    ("user", "granted"), [("alice", True), ("Alice", False), ("bob", False), ("", False)]
)
def test_a_grant_for_another_name_is_none(user: str, granted: bool) -> None:  # noqa: FBT001, a table's column
    """The daemon's name for the person must be the one that was asked for, letter by letter."""
    outcome = login_pb2.Outcome(verdict=login_pb2.VERDICT_GRANTED, user=user)
    result = step_of(login_pb2.Step(outcome=outcome), "alice", NOW)
    assert isinstance(result, LoginResult)
    assert result.granted is granted


@pytest.mark.parametrize(
    ("verdict", "user", "told"),
    [
        (login_pb2.VERDICT_GRANTED, "alice", ("totp", "signed")),
        (login_pb2.VERDICT_GRANTED, "bob", ("", "")),
        (login_pb2.VERDICT_REFUSED, "alice", ("", "")),
        (login_pb2.VERDICT_UNSPECIFIED, "alice", ("", "")),
    ],
)
def test_only_a_grant_has_a_factor_and_a_receipt(
    verdict: login_pb2.Verdict.ValueType, user: str, told: tuple[str, str]
) -> None:
    """What states that a person was let in is handed on with a grant for the name that was asked for."""
    outcome = login_pb2.Outcome(verdict=verdict, user=user, factor="totp", receipt="signed")
    result = step_of(login_pb2.Step(outcome=outcome), "alice", NOW)
    assert isinstance(result, LoginResult)
    assert (result.factor, result.receipt) == told


def test_a_lock_has_an_end_unless_only_an_administrator_ends_it() -> None:
    """The time is in UTC; a prompt kind that is new is shown like any other."""
    locked = verification_pb2.VERIFICATION_LOCKED
    result = code_result(
        verification_pb2.VerifyCodeResponse(verification=locked, retry_after_seconds=30), NOW
    )
    assert result.locked_until == NOW + dt.timedelta(seconds=30)
    result = code_result(verification_pb2.VerifyCodeResponse(verification=locked), NOW)
    assert (result.locked, result.locked_until) == (True, None)
    asked = login_pb2.Prompt(kind=77, text="Newer: ")  # type: ignore[arg-type]
    prompt = step_of(login_pb2.Step(prompt=asked, ticket=b"t"), "alice", NOW)
    assert isinstance(prompt, Prompt)
    assert (prompt.kind, prompt.text) == (PromptKind.OTHER, "Newer: ")


def test_each_attempt_has_a_name_of_its_own() -> None:
    """The request_id is a new UUID for each call, or the caller's; sending a message has none."""
    first, second, named = (
        verify_code("alice", "492039", b"", NOWHERE, request_id=name, receipt=False) for name in ("", "", "x")
    )
    ids = [call.request.request_id for call in (first, second, named)]  # type: ignore[attr-defined]
    assert len(ids[0]) == 36
    assert ids[0] != ids[1]
    assert ids[2] == "x"
    assert (first.harmless, send_code("alice", "app", "", NOWHERE).harmless) == (True, False)


def test_a_code_as_a_number_is_no_code() -> None:
    """It has lost its first zeros: the program is wrong, and not the person."""
    with pytest.raises(InvalidRequest, match="codes and services are str"):
        can_be_a_code(12039)  # type: ignore[arg-type]


def test_no_secret_is_in_a_repr() -> None:
    """LEK-01: tickets, tokens, receipts, QR codes and codes stay out of logs that print values."""
    secret = "s3cret"
    shown = [
        CodeResult(Verification.VERIFIED, receipt=secret),
        LoginResult(Verdict.GRANTED, device_token=secret),
        LoginResult(Verdict.GRANTED, receipt=secret),
        Prompt(PromptKind.CODE, "Code: ", echo=True, ticket=secret.encode(), qr_payload=secret),
        Prompt(PromptKind.CODE, "Code: ", echo=True, ticket=b"", details=(("secret", secret),)),
        Begin("alice", "shop", device_token=secret),
        verify_code("alice", secret, secret.encode(), NOWHERE, request_id="", receipt=False),
    ]
    assert not [one for one in shown if secret in repr(one)]
