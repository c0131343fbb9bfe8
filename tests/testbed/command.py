"""Runs the command line: in this process, and as the installed program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from nightlatch.cli.main import build

if TYPE_CHECKING:
    from typer.testing import Result

NIGHTLATCH = Path(sys.executable).with_name("nightlatch")
NIGHTLATCHD = Path(sys.executable).with_name("nightlatchd")


def nightlatch(*arguments: object, typed: str = "", env: dict[str, str] | None = None) -> Result:
    """What ``nightlatch`` prints and returns, without a process of its own."""
    return CliRunner().invoke(build(), [str(each) for each in arguments], input=typed, env=env)


def nightlatch_json(*arguments: object, typed: str = "") -> list[dict[str, object]]:
    """What ``nightlatch … --json`` prints, one value a line."""
    return [json.loads(line) for line in nightlatch(*arguments, "--json", typed=typed).stdout.splitlines()]


def program(path: Path, *arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A real run of an installed program."""
    argv = [str(path), *(str(each) for each in arguments)]
    return subprocess.run(argv, input=typed, capture_output=True, text=True, timeout=60, check=False)
