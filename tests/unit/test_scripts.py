"""The parts of scripts/ that every command stands on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def bash(folder: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script that has sourced steps.sh, in a folder of its own."""
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; . {SCRIPTS / 'steps.sh'}; {script}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": "/usr/bin:/bin", **env},
    )


def test_a_step_is_one_line(tmp_path: Path) -> None:
    """A step that works shows its number, name and detail on one line, and keeps its output in a log."""
    done = bash(tmp_path, "step packages 'slapd, gcc' 'try again' echo unpacking", NIGHTLATCH_STEPS="3")
    assert done.returncode == 0
    assert done.stdout.split() == ["[1/3]", "packages", "slapd,", "gcc", "done"]
    assert (tmp_path / "build/setup/packages.log").read_text() == "unpacking\n"


def test_a_failed_step_ends_the_script_with_advice(tmp_path: Path) -> None:
    """A step that fails shows the end of its log and what to do; nothing after it runs."""
    done = bash(tmp_path, "step packages gcc 'Is the network there?' cat /absent; echo went on")
    assert done.returncode == 1
    assert "failed" in done.stdout + done.stderr
    assert "No such file" in done.stderr
    assert done.stderr.endswith("Is the network there?\n")
    assert "went on" not in done.stdout


def test_a_step_ends_at_the_first_error_inside_it(tmp_path: Path) -> None:
    """A function that a step runs stops at its own first error, and no later success hides it."""
    done = bash(tmp_path, "work() { false; touch later; }; step name detail advice work")
    assert done.returncode == 1
    assert not (tmp_path / "later").exists()


def test_a_fingerprint_tells_content_apart(tmp_path: Path) -> None:
    """The same content has the same fingerprint; another content or another name has not."""
    source = tmp_path / "source"
    source.mkdir()
    prints = []
    for name, text in (("a", "1"), ("a", "1"), ("a", "2"), ("b", "2")):
        for old in source.iterdir():
            old.unlink()
        (source / name).write_text(text)
        prints.append(bash(tmp_path, "fingerprint source").stdout)
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


@pytest.mark.parametrize("arguments", [[], ["missing"], ["install", "everything"]])
def test_packages_says_how_it_is_used(arguments: list[str]) -> None:
    """Without a known command and set, scripts/packages installs nothing and tells what to say."""
    done = subprocess.run(
        [SCRIPTS / "packages", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert '"run" or "development"' in done.stderr


def test_all_packages_of_the_suite_are_here() -> None:
    """No test needs to skip: what scripts/packages names is installed where the suite runs."""
    done = subprocess.run(
        [SCRIPTS / "packages", "missing", "development"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "")
