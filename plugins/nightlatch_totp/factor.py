"""The factor: enrolment by QR code, one prompt, one code for one time step.

MUST 1: one path accepts, and it returns a state in which the step is spent.
MUST 2: accepted are the steps -1, 0 and +1 around now (RFC 6238 section 5.2), and no others, whatever was
        typed before: there is no resynchronisation (CVE-2019-12887).
MUST 3: every code of the window is compared, in constant time, before anything is decided.
MUST 4: what a failure looks like depends on nothing but the words for the audit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from nightlatch.factor import Challenge, Decision, Enrollment, Verdict
from nightlatch_totp import spent
from nightlatch_totp.codes import PERIOD, CodeMaker, base32, step_at, typed_code
from nightlatch_totp.reasons import explain
from nightlatch_totp.settings import TotpSettings
from nightlatch_totp.state import SECRET_BYTES, TotpState, decode

if TYPE_CHECKING:
    from nightlatch.factor import Context, EnrollmentRequest, Settings, Subject

WINDOW = 1
"""Steps before and after the present one that are accepted."""


class TotpFactor:
    """Codes from an authenticator app."""

    def __init__(self, settings: TotpSettings) -> None:
        self._settings = settings

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Draw a secret, and show it once: as a QR code, and for typing."""
        settings = self._settings
        secret = context.random_bytes(SECRET_BYTES)
        text = base32(secret)
        account = "".join(letter if letter.isprintable() else "?" for letter in subject.name)
        return Enrollment(
            state=TotpState(secret, settings.algorithm, settings.digits).encode(),
            qr_payload=_uri(settings, account, text),
            details=(
                ("account", account),
                ("issuer", settings.issuer),
                ("secret", " ".join(text[start : start + 4] for start in range(0, len(text), 4))),
                ("codes", _in_words(settings)),
            ),
        )

    async def challenge(self, subject: Subject, state: bytes, context: Context) -> Challenge:  # noqa: ARG002, the contract's signature
        """Ask for the code; nothing is sent and nothing needs to be remembered."""
        return Challenge(prompt="Code from your authenticator app")

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:  # noqa: ARG002, the contract's signature
        """Accept the code of an unspent step of the window; raises ValueError for a state not ours."""
        enrolled = decode(state)
        code = typed_code(answer, enrolled.digits)
        if code is None:
            return Verdict(Decision.REJECT, reason=f"not a code of {enrolled.digits} digits")
        now_step = step_at(context.now)
        window = range(now_step - WINDOW, now_step + WINDOW + 1)
        maker = CodeMaker(enrolled.secret, enrolled.digits, enrolled.algorithm)
        step = maker.newest_match(code, window)
        if step is None or spent.refuses(enrolled.spent, step, now_step):
            reason, facts = explain(enrolled, maker, code, window)
            return Verdict(Decision.REJECT, reason=reason, facts=facts)
        state = enrolled.with_spent(step).encode()
        facts = f"offset={step - now_step}"  # how the clocks of phones go, for whoever looks at all of them
        return Verdict(Decision.ACCEPT, state, _clock_note(enrolled, now_step), facts=facts)


def build(settings: Settings) -> TotpFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, TotpSettings):
        raise TypeError("the TOTP factor is built from TotpSettings")
    return TotpFactor(settings)


def _clock_note(enrolled: TotpState, now_step: int) -> str:
    back = spent.seconds_gone_back(enrolled.spent, now_step, PERIOD)
    return f"the clock of this host went back by at least {back} seconds" if back else ""


def _uri(settings: TotpSettings, account: str, secret: str) -> str:
    """The otpauth URI (Key URI Format), with every parameter: apps differ in their defaults."""
    label = f"{quote(settings.issuer, safe='')}:{quote(account, safe='')}"
    parameters = {
        "secret": secret,
        "issuer": settings.issuer,
        "algorithm": settings.algorithm,
        "digits": settings.digits,
        "period": PERIOD,
    }
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote, safe='')}"


def _in_words(settings: TotpSettings) -> str:
    return f"{settings.algorithm.replace('SHA', 'SHA-')}, {settings.digits} digits, every {PERIOD} seconds"
