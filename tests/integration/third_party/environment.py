"""A virtual environment in which nightlatch is installed, for other people's plugins."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "plugins" / "nightlatch_paper"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in which nightlatch is installed."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its own distributions are."""
        return self.folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"

    def install(self, wheel: Path) -> None:
        """Install one wheel, without a network, as an administrator would."""
        uv = Path(sys.executable).with_name("uv")
        run(uv, "pip", "install", "--offline", "--no-cache", "--no-deps", "--python", self.python, wheel)


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command that must succeed; the files it makes are nobody else's to write."""
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, umask=0o022)
    assert ran.returncode == 0, ran.stdout + ran.stderr
