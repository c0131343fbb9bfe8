"""What every plugin shares: the mark of its hooks, and the root of its settings.

Plugins take both from `nightlatch.factor` or `nightlatch.channel`.
"""

from __future__ import annotations

import pluggy
from pydantic import BaseModel, ConfigDict

hookimpl = pluggy.HookimplMarker("nightlatch")
"""Marks a plugin's hook: ``@hookimpl def nightlatch_factors() -> list[FactorPlugin]``."""


class Settings(BaseModel):
    """The root of a plugin's settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
