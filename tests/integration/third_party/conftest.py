"""A private environment for each test, and the example's wheel."""

from __future__ import annotations

import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from integration.third_party.environment import EXAMPLE, Environment, run

if TYPE_CHECKING:
    from pathlib import Path

_SEE_THE_DAEMON = "import site; site.addsitedir({!r})\n"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's wheel, built as its pyproject.toml says, with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=EXAMPLE)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment of its own; the packages of this one can be seen from it."""
    folder = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    made = Environment(folder)
    (made.site / "nightlatch_here.pth").write_text(_SEE_THE_DAEMON.format(sysconfig.get_path("purelib")))
    return made
