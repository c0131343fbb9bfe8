"""Codes from an authenticator app: the time-based one-time passwords of RFC 6238."""

from __future__ import annotations

from nightlatch.factor import FactorPlugin, hookimpl
from nightlatch_totp.factor import build
from nightlatch_totp.importing import import_secret
from nightlatch_totp.restoring import restored
from nightlatch_totp.settings import TotpSettings


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="totp",
            title="Authenticator app",
            settings=TotpSettings,
            build=build,
            import_secret=import_secret,
            restored=restored,
        )
    ]
