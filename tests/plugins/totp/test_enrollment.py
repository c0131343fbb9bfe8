"""What a new credential shows, and what its state holds."""

from __future__ import annotations

import subprocess
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
from pydantic import ValidationError

from nightlatch.factor import Decision, EnrollmentRequest, Settings, Subject
from nightlatch.plugins.facade import CallContext
from nightlatch.testing import Repeatable
from nightlatch_totp import spent
from nightlatch_totp.factor import TotpFactor, build
from nightlatch_totp.settings import TotpSettings
from nightlatch_totp.state import TotpState, decode

CONTEXT = CallContext(0.0, 10.0, Repeatable("enrol"))


def enrolled(name: str, **settings: object) -> tuple[str, dict[str, str], TotpState]:
    """The QR code's text, the lines for typing, and the state of a new credential."""
    factor = TotpFactor(TotpSettings.model_validate(settings))
    enrollment = factor.enroll(Subject(name, "corp"), EnrollmentRequest("phone"), CONTEXT)
    return enrollment.qr_payload, dict(enrollment.details), decode(enrollment.state)


def test_what_a_person_reads() -> None:
    """Account, issuer, the secret in groups of four, and how codes are made, in this order."""
    payload, details, state = enrolled("alice", issuer="Example Ltd")
    assert list(details) == ["account", "issuer", "secret", "codes"]
    assert details["account"] == "alice"
    assert details["issuer"] == "Example Ltd"
    assert details["codes"] == "SHA-256, 6 digits, every 30 seconds"
    groups = details["secret"].split(" ")
    assert Counter(map(len, groups)) == {4: 8}
    assert dict(parse_qsl(urlsplit(payload).query))["secret"] == "".join(groups)
    assert len(state.secret) == 20


def test_the_uri_says_everything() -> None:
    """No parameter is left to an app's default, and blanks are %20: some apps show a plus sign."""
    payload, _, _ = enrolled("alice", issuer="Example Ltd", algorithm="SHA512", digits=8)
    assert payload.startswith("otpauth://totp/Example%20Ltd:alice?secret=")
    assert payload.endswith("&issuer=Example%20Ltd&algorithm=SHA512&digits=8&period=30")


@pytest.mark.parametrize("name", ["a/b", "a:b", "a b", "a?b&c=d", "a%41", "jörg", "a@example.com", "#1"])
def test_names_are_escaped(name: str) -> None:
    """Whatever a directory calls a person, the URI says it back, and nothing else."""
    payload, details, _ = enrolled(name)
    app = pyotp.parse_uri(payload)
    assert (app.name, app.issuer) == (name, "nightlatch")
    assert details["account"] == name


def test_control_characters_are_not_shown() -> None:
    """A name with an escape sequence in it does not reach a terminal."""
    payload, details, _ = enrolled("a\x1b]0;x\x07\udc80")
    assert details["account"] == "a?]0;x??"
    assert payload.isascii()
    assert payload.isprintable()


@pytest.mark.parametrize(
    "table",
    [
        {"digits": 7},
        {"algorithm": "MD5"},
        {"issuer": ""},
        {"issuer": "a:b"},
        {"issuer": " a"},
        {"issuer": "a\n"},
        {"issuer": "a" * 65},
        {"period": 60},
    ],
)
def test_settings_that_apps_can_not_show_are_errors(table: dict[str, object]) -> None:
    """The table takes what every app understands, and nothing else."""
    with pytest.raises(ValidationError):
        TotpSettings.model_validate(table)


def test_foreign_settings_are_refused() -> None:
    """The factor is built from its own settings only."""
    with pytest.raises(TypeError, match="TotpSettings"):
        build(Settings())


def test_a_state_tells_nothing_of_its_secret() -> None:
    """LEK-01: the repr of an opened state has no secret in it."""
    assert repr(TotpState(b"s" * 20, "SHA1", 6)) == "TotpState(algorithm='SHA1', digits=6, spent=())"


def test_a_state_comes_back_as_it_was() -> None:
    """Encoding and decoding are inverse, and a full state is small."""
    state = TotpState(b"s" * 64, "SHA512", 8)
    for step in (5, 9, 10, 700, 10**9):
        state = state.with_spent(step)
        assert decode(state.encode()) == state
    assert len(state.encode()) <= 133


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(0, 2, "version 2"), (1, 3, "damaged"), (2, 7, "damaged"), (3, 15, "damaged"), (4, 9, "length")],
)
def test_states_of_others_are_named_as_such(place: int, value: int, message: str) -> None:
    """A state that this version can not have written is an error, never a guess."""
    text = bytearray(TotpState(b"s" * 20, "SHA256", 6).encode())
    text[place] = value
    with pytest.raises(ValueError, match=message):
        decode(bytes(text))


def test_spent_steps_must_be_in_order() -> None:
    """Ranges out of order would hide a spent step, so they are an error."""
    with pytest.raises(ValueError, match="out of order"):
        spent.decode(spent.encode(((5, 5), (3, 3))), 2)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
def test_another_implementation_agrees(algorithm: str) -> None:
    """A code by oathtool, which shares no line with pyotp, from the secret as a person would type it."""
    _, details, state = enrolled("alice", algorithm=algorithm)
    command = [
        "oathtool",
        f"--totp={algorithm}",
        "--base32",
        "--now=2026-01-02 03:04:05 UTC",
        details["secret"],
    ]
    code = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    at = CallContext(1_767_323_045.0, 1_767_323_046.0, Repeatable("verify"))
    verdict = TotpFactor(TotpSettings()).verify(state.encode(), b"", code, at)
    assert verdict.decision is Decision.ACCEPT
