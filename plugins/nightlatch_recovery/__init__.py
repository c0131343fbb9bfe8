"""Ten codes on paper, each good for one login."""

from __future__ import annotations

from nightlatch.factor import FactorPlugin, hookimpl
from nightlatch_recovery.factor import build
from nightlatch_recovery.importing import import_codes
from nightlatch_recovery.settings import RecoverySettings
from nightlatch_recovery.state import decode

TITLE = "Recovery code"


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="recovery",
            title=TITLE,
            settings=RecoverySettings,
            build=build,
            choice=TITLE,
            uses_left=lambda state: len(decode(state).unused),
            import_codes=import_codes,
            # No `restored`: which codes were used since a backup nobody knows, so the set ends with it.
            confirmed=False,
            single=True,
            slow=True,
            told="notice_recovery_used",
        )
    ]
