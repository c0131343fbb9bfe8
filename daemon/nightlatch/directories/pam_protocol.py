"""What the daemon and `nightlatch-pamcheck` say to each other: one question and one answer a connection.

MUST 1: every length is bounded before anything is read by it.
MUST 2: an answer is two bytes and then the end; anything else is no answer.
MUST 3: a question holds a name and a password. The PAM service is not in it: it is the helper's constant.

Question: version, length of the name, length of the password (two bytes each, network order), name, password.
Answer: version, outcome.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum

VERSION = 1
MAX_NAME_BYTES = 256
MAX_PASSWORD_BYTES = 1024
ANSWER_BYTES = 2

_HEAD = struct.Struct("!BHH")
HEAD_BYTES = _HEAD.size

# Letters, digits, and what sssd puts into names; never what means something to a shell, a path or passwd(5).
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,254}\$?", re.ASCII)


class Outcome(IntEnum):
    """How a check ended. Far apart, so that no flipped bit turns one into another; zero is none of them."""

    RIGHT = 0x59
    WRONG = 0x4E
    UNPROVEN = 0x57
    """PAM refused the account by what it is, and did not say whether the password was right."""
    MUST_CHANGE = 0x43
    """The password was right; this one and the next two are what account management said to that."""
    EXPIRED = 0x45
    CLOSED = 0x4C
    MORE_ASKED = 0x4D
    BUSY = 0x42
    INVALID = 0x3F
    UNAVAILABLE = 0x55


class Malformed(Exception):
    """The other side does not speak this protocol."""


def is_unix_name(name: str) -> bool:
    """Whether `name` can be an account of this machine; decides before NSS or PAM see it."""
    return _NAME.fullmatch(name) is not None


def question(name: str, password: bytes) -> bytes:
    """A question's bytes; raises ValueError for what `read_head` and `read_body` would refuse."""
    text = name.encode()
    if not is_unix_name(name) or not 0 < len(password) <= MAX_PASSWORD_BYTES:
        raise ValueError("not a name, or no password that can be asked about")
    return _HEAD.pack(VERSION, len(text), len(password)) + text + password


def read_head(head: bytes) -> tuple[int, int]:
    """The lengths of the name and of the password that follow; raises Malformed."""
    version, name_length, password_length = _HEAD.unpack(head)
    if version != VERSION:
        raise Malformed("another version")
    if not 0 < name_length <= MAX_NAME_BYTES or not 0 < password_length <= MAX_PASSWORD_BYTES:
        raise Malformed("a length out of bounds")
    return name_length, password_length


def read_body(name: bytes, password: bytes) -> tuple[str, bytes]:
    """The name and the password; raises Malformed for what no account has."""
    text = name.decode("ascii", errors="replace")
    if not is_unix_name(text) or b"\x00" in password:
        raise Malformed("a name or a password that can not be")
    return text, password


def answer(outcome: Outcome) -> bytes:
    """An answer's bytes."""
    return bytes((VERSION, outcome))


def read_answer(data: bytes) -> Outcome:
    """The outcome in all that was received; raises Malformed."""
    if len(data) != ANSWER_BYTES or data[0] != VERSION:
        raise Malformed("no complete answer")
    try:
        return Outcome(data[1])
    except ValueError:
        raise Malformed("an outcome that nobody knows") from None
