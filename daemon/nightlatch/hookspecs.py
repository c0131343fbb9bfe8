"""What a plugin may register. Hooks find factors and channels at start; no decision passes through one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from nightlatch.channel import ChannelPlugin
    from nightlatch.factor import FactorPlugin

hookspec = pluggy.HookspecMarker("nightlatch")


@hookspec
def nightlatch_factors() -> list[FactorPlugin]:  # type: ignore[empty-body]  # a specification has no body
    """Return the factors that this plugin brings."""


@hookspec
def nightlatch_channels() -> list[ChannelPlugin]:  # type: ignore[empty-body]  # a specification has no body
    """Return the kinds of channel that this plugin brings."""
