"""Why a well-formed code was refused, in words for the audit; nothing here accepts anything.

Every refusal costs the same: the same further codes are computed, whatever was found before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch_totp import spent
from nightlatch_totp.codes import PERIOD, CodeMaker

if TYPE_CHECKING:
    from nightlatch_totp.settings import AlgorithmName
    from nightlatch_totp.state import TotpState

LOOKED_AT = 20
"""Steps before and after the present one that are looked at, 10 minutes: phones are that wrong, not hours."""
_OTHERS: tuple[AlgorithmName, ...] = ("SHA1", "SHA512", "SHA256")


def explain(enrolled: TotpState, maker: CodeMaker, code: str, window: range) -> tuple[str, str]:
    """The reason for the audit, in words and as facts. `window` has the steps that could be accepted."""
    now_step = window[len(window) // 2]
    found = maker.newest_match(code, range(now_step - LOOKED_AT, now_step + LOOKED_AT + 1))
    other = None if enrolled.spent else _other_algorithm(enrolled, code, window)
    if found is not None and (found in window or spent.was_spent(enrolled.spent, found)):
        back = spent.seconds_gone_back(enrolled.spent, now_step, PERIOD)
        return (
            f"code used before, or this host's clock went back {back} s" if back else "code used before"
        ), ""
    if found is not None:
        return _off_by(now_step - found), f"offset={found - now_step}"
    if other is not None:
        return (
            f"the app computes with {other}, not {enrolled.algorithm}: it ignored what the QR code says",
            "",
        )
    return "wrong code", ""


def _other_algorithm(enrolled: TotpState, code: str, window: range) -> AlgorithmName | None:
    """The hash under which the code would be right: some apps ignore the one they are told, and take SHA-1.

    Only asked until the first code was accepted: from then on the app is known to compute rightly.
    """
    found = None
    for algorithm in _OTHERS:
        maker = CodeMaker(enrolled.secret, enrolled.digits, algorithm)
        if maker.newest_match(code, window) is not None and algorithm != enrolled.algorithm:
            found = algorithm
    return found


def _off_by(steps: int) -> str:
    seconds = abs(steps) * PERIOD
    minutes, rest = divmod(seconds, 60)
    about = " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest))
    if steps > 0:
        return f"code of {seconds} seconds ago: typed late, or the phone's clock is about {about} slow"
    return f"code of {seconds} seconds ahead: the phone's clock is about {about} fast"
