"""The password policy's response control: what is read, and what it may change."""

from __future__ import annotations

import pytest
from ldap3.core import results

from nightlatch.directories import ppolicy
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Answer
from nightlatch.directories.open_ldap import PolicyBinds
from nightlatch.directories.ppolicy import PolicyResponse, read_response
from nightlatch.errors import Restricted

BINDS = PolicyBinds()
LOCKED, EXPIRED, RESET = (bytes((0x30, 3, 0x81, 1, error)) for error in (1, 0, 2))


def _answer(code: int, value: bytes | None) -> Answer:
    return Answer(code, "", {} if value is None else {ppolicy.OID: value})


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("3000", PolicyResponse()),
        ("3003810101", PolicyResponse(error=ppolicy.LOCKED)),
        ("3003810102", PolicyResponse(error=ppolicy.CHANGE_AFTER_RESET)),
        ("308400000003810101", PolicyResponse(error=ppolicy.LOCKED)),
        ("308400000009a0840000000380010a", PolicyResponse(seconds_left=10)),
        ("3005a003810102", PolicyResponse(grace_left=2)),
        ("3007a0058003015180", PolicyResponse(seconds_left=86400)),
        ("3008a003810100810100", PolicyResponse(error=ppolicy.EXPIRED, grace_left=0)),
    ],
)
def test_what_the_control_says(value: str, meaning: PolicyResponse) -> None:
    """The error and the warning are read from the bytes that servers send."""
    assert read_response(bytes.fromhex(value)) == meaning


@pytest.mark.parametrize(
    "value",
    [
        *("", "30", "3001", "300381", "30038102", "3004810101", "040381010130", "30038100", "3003820101"),
        *("30840000", "308400000005810101", "3080", "3080810101", "3002a000", "3005a003820102"),
        *("30030000ff", "300b8109010203040506070809", "30ffffffffff"),
    ],
)
def test_what_is_no_control(value: str) -> None:
    """Bytes that are cut short, too long or something else are no verdict, and no other exception."""
    with pytest.raises(NoVerdict):
        read_response(bytes.fromhex(value))


@pytest.mark.parametrize("value", [None, b"\x30\x00", LOCKED, EXPIRED, RESET, b"", b"rubbish"])
def test_a_failure_stays_a_failure(value: bytes | None) -> None:
    """Whatever the control says beside invalidCredentials, it adds a reason at most, and never words."""
    objection = BINDS.objection(_answer(results.RESULT_INVALID_CREDENTIALS, value))
    assert not isinstance(objection, Restricted)
    reasons = {LOCKED: "locked by the directory", EXPIRED: "password expired"}
    assert (objection.reason if objection else None) == reasons.get(value or b"")


@pytest.mark.parametrize("error", range(10))
def test_every_error_keeps_out_after_success(error: int) -> None:
    """An error beside success, known or not, restricts the person."""
    objection = BINDS.objection(_answer(results.RESULT_SUCCESS, bytes((0x30, 3, 0x81, 1, error))))
    assert isinstance(objection, Restricted)
    assert ("must be changed" in objection.words) == (error == ppolicy.CHANGE_AFTER_RESET)


def test_rubbish_beside_success_is_an_outage() -> None:
    """A control that can not be read may have been an error: nobody is let in on it."""
    with pytest.raises(NoVerdict):
        BINDS.objection(_answer(results.RESULT_SUCCESS, b"rubbish"))


def test_locks_beside_other_codes() -> None:
    """A lock is the person's beside whatever failure; what no control explains stays the server's."""
    objection = BINDS.objection(_answer(results.RESULT_CONSTRAINT_VIOLATION, LOCKED))
    assert objection is not None
    assert objection.reason == "locked by the directory"
    for value in (None, RESET, b"\x30\x00", b"rubbish"):
        assert BINDS.objection(_answer(results.RESULT_CONSTRAINT_VIOLATION, value)) is None
