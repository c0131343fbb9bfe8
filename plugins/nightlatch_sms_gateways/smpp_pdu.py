"""The PDUs of SMPP 3.4, by smpplib: its codec, not its client, which blocks and logs what it sends.

MUST 1: a PDU has a bounded length, and one that can not have its length ends the session.
MUST 2: a body that can not be read says nothing: it names no message, and is no receipt.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smpplib import consts, smpp  # type: ignore[import-untyped]  # smpplib has no types
from smpplib.command_codes import commands  # type: ignore[import-untyped]  # smpplib has no types

from nightlatch_sms_gateways.smpp_receipts import receipt_in

if TYPE_CHECKING:
    from nightlatch.channel import Delivery

HEADER_BYTES = 16
LARGEST_PDU = 70_000
"""Octets: an optional parameter may have 65,535."""
_RESPONSE = 0x8000_0000
_TYPE_BITS, _SMSC_RECEIPT = 0x3C, 0x04


class BadPdu(Exception):
    """What came is no PDU of SMPP 3.4."""


@dataclass(frozen=True, slots=True)
class Header:
    """What each PDU begins with (section 3.2)."""

    length: int
    command: str
    """smpplib's name; empty for a command that it does not know."""
    is_response: bool
    status: int
    number: int


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU with the parts that matter here."""

    header: Header
    message_id: str = ""
    receipt: Delivery | None = field(default=None)


class _Numbered:
    """What smpplib asks for the number of a new PDU."""

    def __init__(self, number: int) -> None:
        self.sequence = number

    def next_sequence(self) -> int:
        """The number again: it is given, not drawn."""
        return self.sequence


def encode(command: str, number: int, **fields: str | bytes | int) -> bytes:
    """A PDU for the wire; `fields` are the names of SMPP 3.4."""
    pdu = smpp.make_pdu(command, client=_Numbered(number), **fields)
    pdu.sequence = number
    return bytes(pdu.generate())


def read_header(raw: bytes) -> Header:
    """The header in 16 octets; raises BadPdu for a length that can not be."""
    length, code, status, number = struct.unpack(">LLLL", raw)
    if not HEADER_BYTES <= length <= LARGEST_PDU:
        raise BadPdu(f"a PDU of {length} octets")
    name = next((name for name, known in commands.items() if known == code), "")
    return Header(length, name, bool(code & _RESPONSE), status, number)


def read(header: Header, raw: bytes) -> Pdu:
    """A whole PDU."""
    if header.command not in {"submit_sm_resp", "deliver_sm"} or len(raw) == HEADER_BYTES:
        return Pdu(header)
    try:
        found = smpp.parse_pdu(raw, client=_Numbered(0), allow_unknown_opt_params=True)
    except Exception:  # noqa: BLE001, smpplib's parser raises whatever its slices and structs do
        return Pdu(header)
    if header.command == "submit_sm_resp":
        return Pdu(header, message_id=_text(found.message_id))
    if (found.esm_class or 0) & _TYPE_BITS != _SMSC_RECEIPT:
        return Pdu(header)
    text = found.short_message or found.message_payload or b""
    return Pdu(header, receipt=receipt_in(found.receipted_message_id, found.message_state, text))


def meaning(status: int) -> str:
    """A status in SMPP's words."""
    words = consts.DESCRIPTIONS.get(status, "an error of the provider's own")
    return f"{words} (SMPP 0x{status:02x})"


def _text(value: bytes | None) -> str:
    text = (value or b"").rstrip(b"\0").decode("ascii", errors="replace")
    return "".join(one for one in text if one.isprintable() and one.isascii())[:64]
