"""GUIDs, SIDs, times and codes as Active Directory writes them."""

from __future__ import annotations

import pytest
from ldap3.core import results

from nightlatch.directories.ad_binds import AdBinds
from nightlatch.directories.ad_values import escaped, group_sid, guid, integer, unix_time
from nightlatch.directories.ldap_link import Answer
from nightlatch.errors import Restricted

WINDOWS = "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data {}, v3839\x00"
"""What Windows Server says; Samba's words are the same with other numbers."""


def test_guid_in_microsofts_order() -> None:
    """The first three parts of a GUID are little endian (the example of MS-DTYP 2.3.4)."""
    value = bytes.fromhex("33221100554477668899aabbccddeeff")
    assert guid(value) == "00112233-4455-6677-8899-aabbccddeeff"
    for wrong in (b"", value[:-1], value + b"\x00"):
        assert guid(wrong) is None


def test_sid_of_a_primary_group() -> None:
    """S-1-5-21-1-2-3-1105 with the primary group 513 is in S-1-5-21-1-2-3-513."""
    head = bytes.fromhex("0105000000000005150000000100000002000000") + b"\x03\x00\x00\x00"
    assert group_sid(head + (1105).to_bytes(4, "little"), 513) == head + (513).to_bytes(4, "little")
    for wrong in (b"", b"\x01", b"\x01\x05", head, head + b"\x00" * 5, b"\x01\x00" + b"\x00" * 6):
        assert group_sid(wrong, 513) is None
    for number in (0, -1, 1 << 32):
        assert group_sid(head + bytes(4), number) is None


def test_numbers_and_times() -> None:
    """One whole number is one; a FILETIME counts from 1601."""
    assert integer((b"-2147483646",)) == -2147483646
    for wrong in ((), (b"1", b"2"), (b"",), (b"1.5",), (b"0x2",), (b" 1",), (b"--1",), ("１".encode(),)):  # noqa: RUF001 - a wide digit is none
        assert integer(wrong) is None
    assert unix_time(116_444_736_000_000_000) == 0
    assert unix_time(132_539_328_000_000_000) == 1_609_459_200  # 2021-01-01


def test_bytes_in_a_filter() -> None:
    """Every byte of a binary value is escaped."""
    assert escaped(b"*(\x00\xff") == "\\2a\\28\\00\\ff"


def _objection(code: str, result: int = results.RESULT_INVALID_CREDENTIALS) -> object:
    return AdBinds().objection(Answer(result, WINDOWS.format(code), {}))


@pytest.mark.parametrize("code", ["530", "531", "532", "533", "701", "773"])
def test_codes_after_a_right_password(code: str) -> None:
    """What is said only after the right password has words for the person."""
    told = _objection(code)
    assert isinstance(told, Restricted)
    assert told.reason
    assert told.words.endswith(".")


@pytest.mark.parametrize("code", ["525", "775"])
def test_codes_after_any_password(code: str) -> None:
    """What is said after a wrong password too has a reason for the log, and no words."""
    told = _objection(code)
    assert told is not None
    assert not isinstance(told, Restricted)


@pytest.mark.parametrize("code", ["52e", "568", "57", "0", "", "5330", "x533", "533 or so", "fffffffff"])
def test_other_codes_are_wrong_passwords(code: str) -> None:
    """A code that is not known, or is none, says no more than the result code."""
    assert _objection(code) is None


def test_a_success_stays_one() -> None:
    """MUST 3: the message of a bind that went well speaks against nobody; one without a code neither."""
    assert _objection("533", results.RESULT_SUCCESS) is None
    for message in ("", "data 533, ", "Invalid credentials", "error, data 533"):
        assert AdBinds().objection(Answer(49, message, {})) is None
