"""What a server says beside a bind's result code (draft-behera-ldap-password-policy-10).

MUST 1: an error in the control keeps a person out, also after success; nothing in it lets one in.
MUST 2: what can not be read keeps a person out after success, as an outage: it may have been an error.
MUST 3: "locked" and "expired" come with a wrong password as well as with a right one: they are Refused,
        and say nothing about the password.
"""

from __future__ import annotations

from dataclasses import dataclass

from nightlatch.directories.ldap_errors import NoVerdict

OID = "1.3.6.1.4.1.42.2.27.8.5.1"

EXPIRED, LOCKED, CHANGE_AFTER_RESET = 0, 1, 2

_SEQUENCE, _WARNING, _ERROR = 0x30, 0xA0, 0x81
_BEFORE_EXPIRATION, _GRACE_LEFT = 0x80, 0x81
_SHORT_HEAD, _LONG_FORM = 2, 0x80
_LONGEST_INTEGER = 8


@dataclass(frozen=True, slots=True)
class PolicyResponse:
    """The value of the response control (PasswordPolicyResponseValue)."""

    error: int | None = None
    """The error (`LOCKED`, …), or None."""
    seconds_left: int | None = None
    """Until the password expires."""
    grace_left: int | None = None
    """How often an expired password is still taken."""


def read_response(value: bytes) -> PolicyResponse:
    """The control's value (BER, X.690); raises NoVerdict for what is none."""
    try:
        return _read(value)
    except ValueError:
        raise NoVerdict("answered with a password policy control that can not be read") from None


def _read(value: bytes) -> PolicyResponse:
    ((kind, body),) = _elements(value)
    parts = dict(_elements(body))
    if kind != _SEQUENCE or not parts.keys() <= {_WARNING, _ERROR}:
        raise ValueError("no PasswordPolicyResponseValue")
    error = _integer(parts[_ERROR]) if _ERROR in parts else None
    if _WARNING not in parts:
        return PolicyResponse(error)
    ((warning, number),) = _elements(parts[_WARNING])
    if warning == _GRACE_LEFT:
        return PolicyResponse(error, grace_left=_integer(number))
    if warning == _BEFORE_EXPIRATION:
        return PolicyResponse(error, seconds_left=_integer(number))
    raise ValueError("no known warning")


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that follow each other in `data`: tag and content."""
    found, at = [], 0
    while at < len(data):
        tag, start, count = _head(data, at)
        if start + count > len(data):
            raise ValueError("cut short")
        found.append((tag, data[start : start + count]))
        at = start + count
    return found


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """An element's tag, where its content starts, and its length; some servers write 5 as 84 00 00 00 05."""
    head = data[at : at + 2]
    if len(head) != _SHORT_HEAD:
        raise ValueError("cut short")
    tag, length = head
    if length < _LONG_FORM:
        return tag, at + 2, length
    size = length - _LONG_FORM
    digits = data[at + 2 : at + 2 + size]
    if not 0 < size == len(digits) <= _LONGEST_INTEGER:
        raise ValueError("no length")
    return tag, at + 2 + size, int.from_bytes(digits, "big")


def _integer(content: bytes) -> int:
    if not 0 < len(content) <= _LONGEST_INTEGER:
        raise ValueError("no integer")
    return int.from_bytes(content, "big", signed=True)
