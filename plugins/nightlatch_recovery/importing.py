"""Takes over the scratch codes of google-authenticator: 8 digits each.

MUST 1: they are spent and counted like the codes made here, and never join or replace codes made here: those
        are stronger.

They have 26 bits where codes made here have 80. Who guesses at a login meets the same limits, and the six
digits of the app that was imported beside them give thirty times better odds: they open no new way in.
Who has the store and its key finds them in minutes, and has the app's secret then as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch_recovery import codes
from nightlatch_recovery.state import KEY_BYTES, MOST_CODES, RecoveryState

if TYPE_CHECKING:
    from nightlatch.factor import Context, ImportedCodes

SCRATCH_DIGITS = 8
_TYPED = re.compile(r"[0-9](?:[ -]?[0-9]){7}")


def typed_scratch_code(answer: str) -> str | None:
    """The scratch code in what a person typed, or None; one blank or dash may stand between two digits."""
    if _TYPED.fullmatch(answer) is None:
        return None
    return answer.replace(" ", "").replace("-", "")


def import_codes(offered: ImportedCodes, present: tuple[bytes, ...], context: Context) -> bytes | None:
    """The state of a set; None where the account has one. Raises ValueError for codes of another kind."""
    if present:
        return None
    texts = tuple(dict.fromkeys(offered.codes))
    if not texts or any(typed_scratch_code(text) != text for text in texts):
        raise ValueError(f"only codes of {SCRATCH_DIGITS} digits can be taken over: make new ones")
    if len(texts) > MOST_CODES:
        raise ValueError(f"{len(texts)} codes are more than a set has: at most {MOST_CODES}")
    key = context.random_bytes(KEY_BYTES)
    kept = tuple(codes.keep(key, text, context.random_bytes) for text in texts)
    return RecoveryState(key, kept).encode()
