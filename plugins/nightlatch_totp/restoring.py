"""What becomes of an app when an older copy of the store was put back.

MUST 1: no code that may have been accepted since the copy was made is accepted again: all steps up to the end
        of the present window are spent (STO-06).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch_totp.codes import step_at
from nightlatch_totp.factor import WINDOW
from nightlatch_totp.state import decode

if TYPE_CHECKING:
    from nightlatch.factor import Context


def restored(state: bytes, context: Context) -> bytes:
    """The same app; its next code counts, a minute from now. Raises ValueError for a state not ours."""
    return decode(state).with_spent(step_at(context.now) + WINDOW).encode()
