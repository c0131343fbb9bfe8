"""Ways past the second step in PAM's services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.doctor.finding import Finding, Level
from nightlatch.doctor.pam_stacks import stacks

if TYPE_CHECKING:
    from pathlib import Path

UNIX = "auth [success=1 default=ignore] pam_unix.so"
COMMON = f"{UNIX}\nauth requisite pam_deny.so\nauth required pam_permit.so\n"
"""Debian's common-auth."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of services, beside one of modules that has nightlatch's."""
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "pam_nightlatch.so").touch()
    pam = tmp_path / "pam.d"
    pam.mkdir()
    (pam / "common-auth").write_text(COMMON)
    return pam


def judged(folder: Path, *lines: str, service: str = "sshd") -> list[Finding]:
    """What is found of a service with these lines."""
    (folder / service).write_text("".join(f"{line}\n" for line in lines))
    return stacks(folder, (folder.parent / "security",))


@pytest.mark.parametrize(
    "lines",
    [
        ("auth requisite pam_nightlatch.so",),
        ("@include common-auth", "auth required pam_nightlatch.so mode=factor"),
        ("auth include common-auth", "auth requisite pam_nightlatch.so mode=factor"),
        ("auth sufficient pam_rootok.so", "auth requisite pam_nightlatch.so"),
        ("auth substack inner", "auth requisite pam_nightlatch.so mode=factor"),
        ("account sufficient pam_unix.so", "-auth [success=ok default=die] pam_nightlatch.so"),
        (
            UNIX,
            "auth required pam_deny.so",
            "auth required pam_nightlatch.so",
        ),
        ("auth requisite \\", "  pam_nightlatch.so # behind it: sufficient"),
    ],
)
def test_a_stack_that_nobody_gets_past_is_fine(folder: Path, lines: tuple[str, ...]) -> None:
    """Requisite, required, what they include, jumps that end before it, and substacks, which end alone."""
    (folder / "inner").write_text("auth sufficient pam_unix.so\nauth required pam_deny.so\n")
    assert [one.level for one in judged(folder, *lines)] == [Level.OK]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("auth sufficient pam_unix.so", "auth requisite pam_nightlatch.so"), "sshd line 1"),
        (("@include inner", "auth requisite pam_nightlatch.so"), "inner line 1"),
        ((UNIX, "auth requisite pam_nightlatch.so"), "success=1"),
        (("auth [success=done default=bad] pam_sss.so", "auth requisite pam_nightlatch.so"), "pam_sss.so"),
        (("auth optional pam_nightlatch.so",), "who were refused"),
        (("auth sufficient pam_nightlatch.so", "auth required pam_permit.so"), "who were refused"),
        (("auth [success=ok default=ignore] pam_nightlatch.so",), "who were refused"),
        (("auth requisite /nowhere/pam_nightlatch.so",), "nobody gets in"),
    ],
)
def test_a_way_past_is_told_with_its_line(folder: Path, lines: tuple[str, ...], words: str) -> None:
    """Each has its place and a remedy."""
    (folder / "inner").write_text("auth sufficient pam_unix.so\n")
    (one,) = judged(folder, *lines)
    assert (one.level, one.part) == (Level.FAIL, "pam sshd")
    assert words in one.text
    assert one.remedy


def test_an_open_door_while_the_daemon_is_away_is_a_warning(folder: Path) -> None:
    """An administrator may mean it."""
    line = "auth [success=ok authinfo_unavail=ignore default=die] pam_nightlatch.so"
    (one,) = judged(folder, line)
    assert (one.level, "daemon is away" in one.text) == (Level.WARN, True)


def test_loops_and_missing_files_end(folder: Path) -> None:
    """A service that includes itself is read once; one that includes nothing that is there, too."""
    found = judged(folder, "@include sshd", "@include missing", "auth requisite pam_nightlatch.so")
    assert [one.level for one in found] == [Level.OK]


def test_a_host_that_asks_nightlatch_nowhere_is_told(folder: Path) -> None:
    """The module may have been forgotten."""
    assert [one.level for one in judged(folder, "auth required pam_unix.so")] == [Level.WARN]
