"""Trusted devices: a computer that a person has vouched for spares them the prompt for a while."""

from __future__ import annotations

from nightlatch.factor import FactorPlugin, hookimpl
from nightlatch_trusted_device.factor import build, name_device
from nightlatch_trusted_device.settings import TrustedDeviceSettings


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="trusted_device",
            title="Trusted device",
            settings=TrustedDeviceSettings,
            build=build,
            confirmed=False,  # whoever enrols it has just passed another factor, and there is nothing to type
            silent=True,
            offer="Trust this device{device} for {time}? [y/N] ",
            device=name_device,
            # No `restored`: a device that was revoked since a backup would be trusted again, so all end.
        )
    ]
