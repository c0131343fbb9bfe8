"""What is found in another system's file, and how such files are opened and read.

MUST 1: no secret is in a message, nor in a repr.
MUST 2: people may write some of these files: no link is followed, nothing but a plain file of a bounded size
        is read, and what can not be read stops nobody else's import.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.factor import ImportedCodes, ImportedSecret

MOST_BYTES = 64 * 1024 * 1024
EVENT_BASED = "counts events (HOTP); only time-based codes are supported"
NO_OWNER = "names nobody: give its owner with --map"
_BASE32 = re.compile(r"[A-Z2-7]+")
_SLIPS = str.maketrans("018", "OLB", " -=")


class SourceFault(Exception):
    """A source can not be read as what it was said to be. The message is for the administrator."""


@dataclass(frozen=True, slots=True)
class Found:
    """One credential of one person."""

    owner: str
    """The person's name in the other system."""
    label: str
    what: ImportedSecret | ImportedCodes
    note: str = ""
    """What is different from now on, for the report."""
    realm: str = ""
    """Where the name is from, in a system where two people may have the same one."""
    serial: str = ""
    """The other system's own name for the credential."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """One credential that can not be taken over."""

    owner: str
    label: str
    why: str


Finding = Found | Skipped


def read_plain_file(path: Path, most: int = MOST_BYTES) -> bytes:
    """A file's content; raises SourceFault that names the file."""
    try:
        return read_persons_file(path, most, forbidden=0)
    except SourceFault as fault:
        raise SourceFault(f"{path} {fault}.") from None


def read_persons_file(path: Path, most: int, *, forbidden: int = 0o077) -> bytes:
    """The content of a file that is one person's; raises SourceFault without the file's name.

    `forbidden` are the permissions that nobody else may have had.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SourceFault("is no plain file")
            if status.st_mode & forbidden:
                raise SourceFault("others could read or write it, so its secret may be known: enrol anew")
            content = file.read(most + 1)
    except OSError as error:
        raise SourceFault(f"can not be read: {error.strerror}") from None
    if len(content) > most:
        raise SourceFault(f"is larger than {most} bytes")
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """A file's text; raises SourceFault that names the file."""
    try:
        return read_plain_file(path, most).decode()
    except UnicodeDecodeError:
        raise SourceFault(f"{path} is no text in UTF-8.") from None


def base32_secret(text: str) -> bytes | None:
    """The secret in base32, as apps read it, whatever its blanks, dashes, padding and case; None for none."""
    letters = text.upper().translate(_SLIPS)
    if _BASE32.fullmatch(letters) is None:
        return None
    whole = letters + "=" * (-len(letters) % 8)
    try:
        return base64.b32decode(whole)
    except binascii.Error:  # letters that do not end on a whole byte
        return _leading_bytes(letters)


def _leading_bytes(letters: str) -> bytes:
    number = 0
    for letter in letters:
        number = number << 5 | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(letter)
    bits = len(letters) * 5
    return (number >> bits % 8).to_bytes(bits // 8)


def hex_secret(text: str) -> bytes | None:
    """The secret in hexadecimal; None for none."""
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        return None


def whole_number(value: object, default: int) -> int:
    """A number as files write it; `default` where there is nothing, -1 for what is no number."""
    if value is None or value == "":
        return default
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004, no int overflow


def hash_name(value: object) -> str:
    """A hash as the factor names it: "sha-256" and "HmacSHA256" are "SHA256"; SHA1 for nothing."""
    text = re.sub(r"^HMAC", "", str(value or "SHA1").upper().replace("-", "").replace("_", "").strip())
    return text or "SHA1"
