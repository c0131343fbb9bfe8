"""The values of Active Directory that are no text: GUIDs, SIDs, times.

MUST: what does not have its exact form is None, never an approximation.
"""

from __future__ import annotations

import struct
from uuid import UUID

_GUID_BYTES = 16
_SID_HEAD = 8
_FILETIME_OF_1970 = 11_644_473_600
"""Seconds from 1601, where Windows' time begins, to 1970."""
_TICKS = 10_000_000
_LARGEST_RID = 0xFFFF_FFFF


def guid(value: bytes) -> str | None:
    """An objectGUID as Microsoft writes it: its first three parts are little endian (MS-DTYP 2.3.4)."""
    return str(UUID(bytes_le=value)) if len(value) == _GUID_BYTES else None


def group_sid(person_sid: bytes, primary_group: int) -> bytes | None:
    """The SID of a person's primary group: that of the person, with another last part (MS-DTYP 2.4.2.2)."""
    parts = person_sid[1] if len(person_sid) > 1 else 0
    if parts < 1 or len(person_sid) != _SID_HEAD + 4 * parts or not 0 < primary_group <= _LARGEST_RID:
        return None
    return person_sid[:-4] + struct.pack("<I", primary_group)


def integer(values: tuple[bytes, ...]) -> int | None:
    """The one whole number of an attribute."""
    if len(values) != 1 or not values[0].removeprefix(b"-").isdigit():
        return None
    return int(values[0])


def unix_time(filetime: int) -> float:
    """A FILETIME (ticks of 100 ns since 1601) in Unix seconds."""
    return filetime / _TICKS - _FILETIME_OF_1970


def escaped(value: bytes) -> str:
    r"""Bytes as a filter takes them: each as \xx (RFC 4515)."""
    return "".join(f"\\{byte:02x}" for byte in value)
