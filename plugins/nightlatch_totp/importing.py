"""Takes over a secret that was enrolled in another system.

MUST 1: no code that the other system may have accepted, or shown, is accepted here: all steps up to the end
        of the present window are spent (OTP-07).
MUST 2: what this factor can not verify as it is, is refused, and never bent.
MUST 3: a secret below 128 bits is refused (RFC 4226 section 4, R6).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from nightlatch_totp.codes import PERIOD, step_at
from nightlatch_totp.factor import WINDOW
from nightlatch_totp.state import ALGORITHMS, DIGITS, LONGEST, SHORTEST, TotpState, decode

if TYPE_CHECKING:
    from nightlatch.factor import Context, ImportedSecret


def import_secret(offered: ImportedSecret, present: tuple[bytes, ...], context: Context) -> bytes | None:
    """The state of the credential; None where one of `present` has the secret. Raises ValueError."""
    if any(hmac.compare_digest(decode(state).secret, offered.secret) for state in present):
        return None
    algorithm = next((name for name in ALGORITHMS if name == offered.algorithm), None)
    if algorithm is None:
        raise ValueError(f"codes by {offered.algorithm} are not supported: only {', '.join(ALGORITHMS)}")
    if offered.digits not in DIGITS:
        raise ValueError(f"codes of {offered.digits} digits are not supported: only 6 or 8")
    if offered.period != PERIOD:
        raise ValueError(
            f"codes that change every {offered.period} s are not supported: only every {PERIOD} s"
        )
    size = len(offered.secret)
    if size < SHORTEST:
        raise ValueError(
            f"its secret has {8 * size} bits, and RFC 4226 wants {8 * SHORTEST} or more: enrol anew"
        )
    if size > LONGEST:
        raise ValueError(f"its secret has {size} bytes: at most {LONGEST} are supported")
    state = TotpState(offered.secret, algorithm, offered.digits)
    return state.with_spent(step_at(context.now) + WINDOW).encode()
