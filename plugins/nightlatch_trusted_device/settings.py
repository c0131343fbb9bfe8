"""The table ``[factors.trusted_device]``."""

from __future__ import annotations

from nightlatch.factor import Settings


class TrustedDeviceSettings(Settings):
    """Nothing to set: for how long, and for whom, is said by policy (`trusted_device_days`)."""
