"""What holds for the repository as a whole: sizes, names, and what may not be written anywhere."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 300
MAX_TEST_LINES = 400
MAX_DECISION_LINES = 60
# Names that say nothing: what is inside such a file is found nowhere.
EMPTY_NAMES = {"util", "utils", "manager", "helper", "helpers", "base", "common", "misc"}
# Written so that this file does not hold what it looks for.
FOREIGN_PATH = re.compile(r"/(?:work|Users)/\w|[.]pyenv|/opt/(?:wheels|simple)")
PACKAGE_HOST = re.compile(r"(?:\bpypi|pythonhosted|\bnpmjs)[.](?:org|com|io)")


def tracked(*suffixes: str) -> list[Path]:
    """The files that belong to the repository, and those that are about to."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name.endswith(suffixes or ("",))]
    return [path for path in paths if path.is_file()]


def within(path: Path, folder: str) -> bool:
    """Whether a file lies in one of the repository's top folders."""
    return path.relative_to(ROOT).parts[0] == folder


def text(path: Path) -> str:
    """A file's text; a picture has none."""
    return path.read_text(encoding="utf-8", errors="ignore")


def lines(path: Path) -> int:
    """How many lines a file has."""
    return len(text(path).splitlines())


def names(paths: list[Path]) -> list[str]:
    """Paths as they are written in the repository."""
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    """Code has at most 300 lines a file, a test file at most 400."""
    code = [path for path in tracked(".py", ".c", ".h") if not within(path, "tests")]
    tests = [path for path in tracked(".py", ".c") if within(path, "tests")]
    assert names([path for path in code if lines(path) > MAX_LINES]) == []
    assert names([path for path in tests if lines(path) > MAX_TEST_LINES]) == []


def test_every_module_has_a_name_that_says_something() -> None:
    """No module is called after being useful."""
    modules = [path for path in tracked(".py", ".c", ".h", ".sh") if not within(path, "docs")]
    empty = [path for path in modules if EMPTY_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}]
    assert names(empty) == []


def factor_names() -> set[str]:
    """The plugins that the repository ships, by the names that administrators enable them by."""
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    return set(project["entry-points"]["nightlatch.plugins"])


def words_that_act(path: Path) -> set[str]:
    """A module's identifiers, in words, and its strings as a whole: prose may give a factor as example."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.lower())
        named = [value for _, value in ast.iter_fields(node) if isinstance(value, str)]
        for name in named if not isinstance(node, ast.Constant) else []:
            found.update(re.split(r"[._]", name.lower()))
    return found


def test_the_daemon_knows_no_factor_by_name() -> None:
    """No identifier and no string of the daemon is the name of a plugin's factor."""
    factors = factor_names()
    assert factors, "there are no plugins to look for"
    daemon = [path for path in tracked(".py") if within(path, "daemon")]
    assert names([path for path in daemon if factors & words_that_act(path)]) == []


def test_the_pam_module_knows_no_factor_by_name() -> None:
    """The name of a plugin's factor occurs nowhere in the module's C, comments included."""
    word = re.compile(rf"(?i)(?<![a-z])(?:{'|'.join(factor_names())})(?![a-z])")
    module = [path for path in tracked(".c", ".h") if within(path, "pam_module")]
    assert names([path for path in module if word.search(text(path))]) == []


def test_nothing_names_somebody_s_machine() -> None:
    """No file holds a path of the machine it was written on, or the address of a package registry."""
    for path in tracked():
        body = text(path)
        assert f"{ROOT}/" not in body, path
        assert FOREIGN_PATH.search(body) is None, path
        assert PACKAGE_HOST.search(body) is None, path


def test_a_decision_is_short() -> None:
    """A page of docs/decisions is numbered, has a title, and fits on a screen or so."""
    pages = tracked(".md")
    decisions = [path for path in pages if path.parent == ROOT / "docs" / "decisions"]
    assert decisions
    for page in decisions:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", page.name), page.name
        assert text(page).startswith("# "), page.name
        assert lines(page) <= MAX_DECISION_LINES, page.name
    numbers = [page.name[:4] for page in decisions]
    assert len(set(numbers)) == len(numbers), "two decisions have the same number"


def test_every_command_says_what_it_does() -> None:
    """Each command in scripts/ is executable, opens with what it is for, and stops at errors."""
    for script in [path for path in tracked() if path.parent == ROOT / "scripts"]:
        body = text(script)
        if not body.startswith("#!"):
            continue
        assert script.stat().st_mode & 0o111, script.name
        if "bash" in body.splitlines()[0]:
            assert body.splitlines()[1].startswith("# "), script.name
            assert "set -euo pipefail" in body, script.name


def test_every_suppression_names_its_rule() -> None:
    """`noqa` and `type: ignore` name the rule that they suppress."""
    bare = re.compile("# " + r"noqa(?!: ?[A-Z]+\d)|# " + r"type: ignore(?!\[)")
    assert names([path for path in tracked(".py") if bare.search(text(path))]) == []


def test_the_architecture_page_names_every_part() -> None:
    """docs/architecture.md shows the house as it is: each part of the daemon, plugin and layer is on it."""
    page = text(ROOT / "docs" / "architecture.md")
    parts = {path.stem for path in (ROOT / "daemon" / "nightlatch").iterdir() if path.stem[0] != "_"}
    parts -= {"py", "v1"}  # the marker of types, and what is generated
    assert sorted(part for part in parts if part not in page) == []
    layers = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    assert sorted(parts - named - {"testing"}) == []
