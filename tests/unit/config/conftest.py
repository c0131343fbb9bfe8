"""What the tests of the configuration share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.configuration import Folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with a configuration that has no problem, and with all that it names."""
    return Folder(tmp_path)
