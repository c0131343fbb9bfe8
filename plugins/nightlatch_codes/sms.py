"""The plugin `sms`: codes by text message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.factor import FactorPlugin, Medium, hookimpl
from nightlatch_codes import numbers
from nightlatch_codes.factor import Addresses, SentCodeFactor
from nightlatch_codes.reached import channels, reach
from nightlatch_codes.restoring import restored
from nightlatch_codes.settings import SmsSettings

if TYPE_CHECKING:
    from nightlatch.factor import Settings


def build(settings: Settings) -> SentCodeFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, SmsSettings):
        raise TypeError("the SMS factor is built from SmsSettings")

    def read(typed: str) -> str:
        return numbers.read(typed, settings.countries, settings.default_region)

    return SentCodeFactor(Addresses(read, numbers.masked), settings)


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="sms",
            title="Text message",
            settings=SmsSettings,
            build=build,
            choice="Text message to {label}",
            channels=channels,
            medium=Medium.PHONE,
            reach=reach,
            restored=restored,
            weak=True,
        )
    ]
