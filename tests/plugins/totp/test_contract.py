"""TOTP passes the contract suite, with each hash and both lengths."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyotp
import pytest

from nightlatch.testing import FactorContract, FactorKit, Flow

if TYPE_CHECKING:
    from nightlatch.factor import Challenge, Enrollment

SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"algorithm": "SHA1"},
    {"algorithm": "SHA512", "digits": 8, "issuer": "Example Ltd"},
)


def app_code(enrollment: Enrollment, now: float) -> str:
    """What an authenticator app shows that scanned the QR code."""
    app = pyotp.parse_uri(enrollment.qr_payload)
    assert isinstance(app, pyotp.TOTP)
    return app.at(int(now))


def right_answer(enrollment: Enrollment, challenge: Challenge, now: float) -> str:
    """The code of the moment."""
    assert challenge.prompt
    return app_code(enrollment, now)


def wrong_answers(enrollment: Enrollment, challenge: Challenge, now: float) -> tuple[str, ...]:
    """A wrong digit, and codes from outside the window, two in a row among them."""
    assert challenge.prompt
    code = app_code(enrollment, now)
    other = str((int(code[0]) + 1) % 10) + code[1:]
    return (other, *(app_code(enrollment, now + 30 * step) for step in (-3, -2, 2, 3, 100, 101)))


class TestTotp(FactorContract):
    """The built-in factor, found by its entry point."""

    @pytest.fixture(params=SETTINGS, ids=["defaults", "sha1", "sha512-8"])
    def kit(self, request: pytest.FixtureRequest) -> FactorKit:
        """TOTP and an app that scanned its QR code."""
        return FactorKit(
            plugin="totp",
            factor="totp",
            right_answer=right_answer,
            wrong_answers=wrong_answers,
            settings=request.param,
            verify_seconds=0.02,
        )


def test_the_default_hash_is_sha256() -> None:
    """Without a table, apps are told SHA256."""
    flow = Flow.begin(FactorKit("totp", "totp", right_answer, wrong_answers))
    assert pyotp.parse_uri(flow.enrollment.qr_payload).digest is hashlib.sha256
