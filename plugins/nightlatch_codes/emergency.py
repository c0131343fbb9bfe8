"""The plugin `emergency`: a code to the security email, as the last resort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.factor import FactorPlugin, Medium, hookimpl
from nightlatch_codes.emergency_factor import EmergencyFactor
from nightlatch_codes.reached import channels, reach_in_emergency
from nightlatch_codes.restoring import restored_in_emergency
from nightlatch_codes.settings import EmergencySettings

if TYPE_CHECKING:
    from nightlatch.factor import Settings

TITLE = "I can't access any of these"


def build(settings: Settings) -> EmergencyFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, EmergencySettings):
        raise TypeError("the emergency factor is built from EmergencySettings")
    return EmergencyFactor(settings)


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="emergency",
            title=TITLE,
            settings=EmergencySettings,
            build=build,
            choice=TITLE,
            channels=channels,
            medium=Medium.MAILBOX,
            reach=reach_in_emergency,
            restored=restored_in_emergency,
            single=True,
            told="notice_emergency_code",
            last_resort=True,
            weak=True,
        )
    ]
