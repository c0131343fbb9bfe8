"""What the doctor says of backups."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nightlatch.app.store_keeping import LAST_BACKUP
from nightlatch.config import Config
from nightlatch.doctor.backup import backup
from nightlatch.doctor.finding import Level

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
DAY = 86_400


def config(state: Path, url: str = "sqlite") -> Config:
    """A configuration with this store."""
    key = {} if url == "sqlite" else {"key_file": state / "key"}
    return Config.model_validate(
        {
            "daemon": {"state_dir": state},
            "store": {"url": url, **key},
            "plugins": {"enabled": ("totp",)},
            "directories": ({"kind": "pam", "name": "local"},),
        }
    )


@pytest.mark.parametrize(
    ("age", "level", "words"),
    [
        (60, Level.OK, "within a day"),
        (-60, Level.OK, "within a day"),
        (DAY, Level.OK, "a day ago"),
        (7 * DAY - 1, Level.OK, "6 days ago"),
        (7 * DAY, Level.WARN, "7 days ago"),
    ],
)
def test_a_week_without_a_backup_is_told(tmp_path: Path, age: int, level: Level, words: str) -> None:
    """How old the newest is, and that a week is too long; what to type stands beside it."""
    mark = tmp_path / LAST_BACKUP
    mark.touch()
    os.utime(mark, (NOW - age, NOW - age))
    [found] = backup(config(tmp_path), NOW)
    assert (found.level, found.text.endswith(words)) == (level, True), found
    assert ("nightlatch store backup" in found.remedy) == (level is Level.WARN)


def test_no_backup_at_all_is_told(tmp_path: Path) -> None:
    """On a host where nobody has thought of it."""
    [found] = backup(config(tmp_path), NOW)
    assert (found.level, found.text) == (Level.WARN, "the store was never backed up")


def test_postgresql_s_backups_are_not_looked_at(tmp_path: Path) -> None:
    """They are made by its own tools, and nothing is known of them here."""
    assert list(backup(config(tmp_path, "postgresql://nl@db/nl"), NOW)) == []
