"""The PAM stacks that nightlatch ships or shows: none of them lets anybody past the second step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nightlatch.doctor.finding import Level
from nightlatch.doctor.pam_stacks import stacks

ROOT = Path(__file__).parents[3]
LINE = re.compile(
    r"\s*-?(?:auth|account|password|session)\s+(?:\[[^\]]*\]|\w+)\s+\S*pam_\w+\.so\b.*|\s*@include .+"
)
OPEN_ON_PURPOSE = "This opens the door to anyone who can stop the daemon"
"""What stands over the one stack that is open while the daemon is away."""


def shown(path: Path) -> list[tuple[str, list[str]]]:
    """The stacks with nightlatch's module in a file, each with the lines of prose in front of it."""
    found: list[tuple[str, list[str]]] = []
    prose: list[str] = []
    stack: list[str] = []
    for line in [*path.read_text().splitlines(), ""]:
        if LINE.fullmatch(line):
            stack.append(line.strip())
            continue
        if any("pam_nightlatch.so" in one for one in stack):
            found.append((" ".join(prose[-6:]), stack))
        if stack:
            prose, stack = [], []
        prose.append(line.strip())
    return found


FILES = [
    path
    for top in ("README.md", "docs", "systemd", "examples", "pam_module", "scripts")
    for path in sorted((ROOT / top).rglob("*") if (ROOT / top).is_dir() else [ROOT / top])
    if path.is_file() and (path.suffix in {".md", ".8", ".toml", ""} or path.parent.name == "pam.d")
    if "node_modules" not in path.parts and shown(path)
]


def test_the_stacks_are_found() -> None:
    """What people copy is seen here: the README's, the man page's."""
    names = [path.name for path in FILES]
    assert "README.md" in names
    assert "pam_nightlatch.8" in names
    assert sum(len(shown(path)) for path in FILES) >= 7


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_stack_that_is_shown_lets_nobody_past(path: Path, tmp_path: Path) -> None:
    """FLT-02: required or requisite, with nothing in front that ends the stack; the one exception says so."""
    module = tmp_path / "pam_nightlatch.so"
    module.touch()
    (tmp_path / "common-auth").write_text("auth required pam_unix.so\n")
    for prose, stack in shown(path):
        (tmp_path / "sshd").write_text("".join(f"{line}\n" for line in stack))
        levels = {one.level for one in stacks(tmp_path, (tmp_path,)) if one.part == "pam sshd"}
        assert levels == ({Level.WARN} if OPEN_ON_PURPOSE in prose else {Level.OK}), stack
        words = [line.split()[1] for line in stack if "pam_nightlatch.so" in line]
        assert not {"sufficient", "optional"} & set(words)
