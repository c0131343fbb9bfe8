"""The entry point of this plugin, for as long as no distribution brings it."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from unit.plugins.shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = entry_points(group="nightlatch.plugins").names
    folder = tmp_path / "site"
    folder.mkdir(mode=0o755)
    monkeypatch.syspath_prepend(str(folder))
    shelf = Shelf(folder)
    for name in {"recovery"} - brought:
        shelf.register(name, f"nightlatch_{name}", f"dist-of-{name}")
