"""A private shelf of plugins for each test."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from unit.plugins.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Plugins put here are installed until the test ends."""
    folder = tmp_path / "site"
    folder.mkdir(mode=0o755)
    monkeypatch.syspath_prepend(str(folder))
    shelf = Shelf(folder)
    yield shelf
    for module in shelf.modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
