"""The example of docs/plugins.md is a plugin, and its test passes as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.plugins.loader import load_factors

if TYPE_CHECKING:
    from unit.plugins.shelf import Shelf

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"


def blocks() -> tuple[str, str]:
    """The page's two blocks of Python: the factor, and its test."""
    factor, test = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return factor, test


def test_the_page_s_factor_loads(shelf: Shelf) -> None:
    """What a reader copies from the page is taken by the daemon."""
    shelf.put("list", blocks()[0])
    assert load_factors(["list"], {"list": {"codes": 12}})["list"].title == "Code list"


def test_the_page_s_test_passes(shelf: Shelf, tmp_path: Path) -> None:
    """The contract suite runs in a third party's folder, without anything of this repository's tests."""
    factor, test = blocks()
    shelf.put("list", factor)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "test_list.py").write_text(test)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            theirs,
            "-c",
            os.devnull,
        ],
        cwd=theirs,
        env={"PYTHONPATH": str(shelf.folder), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.search(r"^\d\d passed in", run.stdout, re.MULTILINE), run.stdout
    assert run.returncode == 0
