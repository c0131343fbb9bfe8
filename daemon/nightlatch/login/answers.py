"""What a person typed, as text that may be looked at. Nothing here is ever logged."""

from __future__ import annotations

from nightlatch.errors import Refused
from nightlatch.model import Secret

MAX_PASSWORD = 1024
"""Bytes. NIST SP 800-63B, 3.1.1.2 asks for at least 64 characters, and for no truncation."""
MAX_CODE = 256


def read_password(answer: bytes) -> Secret:
    """The password; raises Refused for what no directory should ever see (PPW-02)."""
    if not answer:
        raise Refused("empty password")
    if len(answer) > MAX_PASSWORD:
        raise Refused("the password is longer than 1024 bytes")
    try:
        text = answer.decode()
    except UnicodeDecodeError:
        raise Refused("the password is not UTF-8") from None
    if "\0" in text:
        raise Refused("the password has a NUL")
    return Secret(text)


def read_code(answer: bytes) -> Secret:
    """A code. What can not be one becomes the empty code, so that it counts as a wrong one."""
    try:
        return Secret(answer.decode() if len(answer) <= MAX_CODE else "")
    except UnicodeDecodeError:
        return Secret("")


def read_choice(answer: bytes, count: int, default: int) -> int | None:
    """The index of a choice, `default` for an empty answer; None for anything that is not in the list."""
    text = answer.strip()
    if not text and default < count:
        return default
    if text.isdigit() and 1 <= int(text[:4]) <= count:
        return int(text[:4]) - 1
    return None


def read_no(answer: bytes) -> bool:
    """Whether the answer is a no; everything else is a yes."""
    return answer.strip().lower() in {b"n", b"no"}


def read_yes(answer: bytes) -> bool:
    """Whether the answer is a yes; everything else is a no."""
    return answer.strip().lower() in {b"y", b"yes"}
