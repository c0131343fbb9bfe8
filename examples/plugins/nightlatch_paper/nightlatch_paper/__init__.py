"""A printed card: three cells of it for each login, and no cell twice."""

from __future__ import annotations

from nightlatch.factor import FactorPlugin, hookimpl
from nightlatch_paper.factor import PaperSettings, build


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin.

    It leaves `restored` out, so a card of a restored backup ends: its questions would be asked again.
    """
    return [FactorPlugin(name="paper", title="Paper card", settings=PaperSettings, build=build, single=True)]
