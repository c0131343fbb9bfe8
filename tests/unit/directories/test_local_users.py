"""Who stands in /etc/passwd, and when that is all there is to ask."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.directories.local_users import LocalUsers

if TYPE_CHECKING:
    from pathlib import Path

ALICE = "alice:x:1000:1000:Alice:/home/alice:/bin/sh"
FILES = "passwd: files systemd\n"


class Files:
    """A private passwd and nsswitch.conf, whose changes are old enough to be told apart."""

    def __init__(self, folder: Path) -> None:
        self.users, self.switch = folder / "passwd", folder / "nsswitch.conf"
        self.changes = 0
        self.write(ALICE)
        self.source(FILES)
        self.local = LocalUsers(self.users, self.switch)

    def write(self, *lines: str) -> None:
        """Other people."""
        self.users.write_text("".join(f"{line}\n" for line in lines))
        self._age(self.users)

    def source(self, text: str) -> None:
        """Another nsswitch.conf."""
        self.switch.write_text(text)
        self._age(self.switch)

    def _age(self, file: Path) -> None:
        self.changes += 1
        at = time.time() - 3600 + self.changes
        os.utime(file, (at, at))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Alice, from the file."""
    return Files(tmp_path)


def test_who_is_in_the_file_is_known(files: Files) -> None:
    """Exactly the names of the file; of others nothing is said."""
    assert files.local.has("alice")
    assert not any(files.local.has(name) for name in ("Alice", "alic", "alice ", "bob", "", "x", "alice:x"))


def test_the_file_of_now_counts(files: Files) -> None:
    """Somebody who was removed is unknown at once, somebody new is known; also by renaming a file over it."""
    assert files.local.has("alice")
    files.write(ALICE.replace("alice", "carol"))
    assert (files.local.has("alice"), files.local.has("carol")) == (False, True)
    other = files.users.with_name("passwd-")
    other.write_text(f"{ALICE}\n")
    other.replace(files.users)
    assert (files.local.has("alice"), files.local.has("carol")) == (True, False)


def test_two_changes_in_one_tick_of_the_clock_are_told_apart(files: Files) -> None:
    """A change of just now may have another one behind it with the same time and size: it is read again."""
    now = time.time()
    files.users.write_text(f"{ALICE}\n")
    os.utime(files.users, (now, now))
    assert files.local.has("alice")
    files.users.write_text(ALICE.replace("alice", "carol") + "\n")
    os.utime(files.users, (now, now))
    assert (files.local.has("alice"), files.local.has("carol")) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "passwd: sss files\n",
        "passwd: compat\n",
        "passwd: files [SUCCESS=continue] ldap\n",
        "passwd: files\t[ success = continue ] ldap\n",
        "passwd: filesystem\n",
        "group: files\n",
        "#passwd: files\n",
        "passwd: ldap\npasswd: files\n",
        "",
    ],
)
def test_where_another_source_may_answer_nothing_is_known(files: Files, text: str) -> None:
    """IDN: the file counts alone where nsswitch.conf asks it first, and takes its word."""
    files.source(text)
    assert not files.local.has("alice")


@pytest.mark.parametrize("text", ["passwd: files\n", "  passwd:\tfiles sss # all\n", "passwd:files ldap\n"])
def test_where_the_file_is_asked_first_it_counts(files: Files, text: str) -> None:
    """However the line is spaced, and whatever comes behind."""
    files.source(text)
    assert files.local.has("alice")


@pytest.mark.parametrize(
    "line",
    [
        "alice",
        "alice:x:1000",
        ALICE.replace("1000", "many"),
        f"+{ALICE}",
        f"-{ALICE}",
        f"#{ALICE}",
        f" {ALICE}",
    ],
)
def test_half_lines_are_nobody(files: Files, line: str) -> None:
    """What NSS would pass over is passed over."""
    files.write(line)
    assert not files.local.has("alice")
    assert not files.local.has(line.partition(":")[0])


def test_files_that_are_away_say_nothing(files: Files) -> None:
    """Without the file, or nsswitch.conf, NSS is asked; when they are back they count again."""
    files.users.unlink()
    assert not files.local.has("alice")
    files.write(ALICE)
    assert files.local.has("alice")
    files.switch.unlink()
    assert not files.local.has("alice")
