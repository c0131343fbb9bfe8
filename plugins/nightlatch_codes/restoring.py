"""What becomes of an address when an older copy of the store was put back.

MUST 1: no code that was sent before counts any more, wherever it is remembered: the key of its hash is
        another one from then on (STO-06).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch_codes import emergency_state, state
from nightlatch_codes.issued import KEY_BYTES

if TYPE_CHECKING:
    from nightlatch.factor import Context


def restored(sealed: bytes, context: Context) -> bytes:
    """The same address, with none of the codes that are in logins. Raises ValueError for a state not ours."""
    return replace(state.decode(sealed), key=context.random_bytes(KEY_BYTES), used=()).encode()


def restored_in_emergency(sealed: bytes, context: Context) -> bytes:
    """The same security email, with no code on its way. Raises ValueError for a state not ours."""
    enrolled = emergency_state.decode(sealed).with_sent(None)
    return replace(enrolled, key=context.random_bytes(KEY_BYTES)).encode()
