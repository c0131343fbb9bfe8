"""docs/api.md says what the comments in proto/ say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_protos_say() -> None:
    """After a change in proto/, scripts/api_reference.py writes the page anew."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "api_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_link_of_the_page_leads_somewhere() -> None:
    """Types are linked to their own headings, and every method, field and value has words."""
    page = (ROOT / "docs" / "api.md").read_text()
    headings = {line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("##")}
    assert set(re.findall(r"\(#(\w+)\)", page)) <= headings
    empty = [line for line in page.splitlines() if re.fullmatch(r"\| `.*\|\s*\|", line)]
    assert empty == []
