"""The table ``[factors.recovery]``: it has no settings, so that no set is weaker than another."""

from __future__ import annotations

from nightlatch.factor import Settings


class RecoverySettings(Settings):
    """Ten codes of 80 bits; what costs a guess is fixed."""
