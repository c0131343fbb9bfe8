"""The factors that send codes pass the contract suite."""

from __future__ import annotations

import pytest

from nightlatch.factor import Medium
from nightlatch.testing import FactorContract, FactorKit

SMS: dict[str, object] = {"channels": ["gateway", "spare"], "countries": ["US", "DE"]}
MAIL: dict[str, object] = {"channels": ["smtp"]}


class TestSms(FactorContract):
    """Codes by text message."""

    @pytest.fixture(params=[{}, {"digits": 8, "minutes": 10}], ids=["defaults", "8-10"])
    def kit(self, request: pytest.FixtureRequest) -> FactorKit:
        """A person whose phone is at hand."""
        return FactorKit(
            plugin="sms",
            factor="sms",
            settings={**SMS, **request.param},
            changed_settings={"channels": ["spare"], "countries": ["FR"], "digits": 7, "minutes": 1},
            channels={"gateway": Medium.PHONE, "spare": Medium.PHONE},
            address="+1 415 555 0100",
            verify_seconds=0.02,
        )


class TestEmail(FactorContract):
    """Codes by email."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """A person who reads mail."""
        return FactorKit(
            plugin="email",
            factor="email",
            settings=MAIL,
            changed_settings={"channels": ["smtp"], "digits": 6, "minutes": 1},
            channels={"smtp": Medium.MAILBOX},
            address="alice@example.com",
            verify_seconds=0.02,
        )


class TestEmergency(FactorContract):
    """The code of the last resort."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """A person with a security email."""
        return FactorKit(
            plugin="emergency",
            factor="emergency",
            settings=MAIL,
            changed_settings={"channels": ["smtp"], "minutes": 10},
            seconds_between=1800.0,
            channels={"smtp": Medium.MAILBOX},
            address="alice@home.example",
            verify_seconds=0.02,
        )
