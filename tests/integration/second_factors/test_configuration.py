"""What `nightlatch config check` says about factors and channels, with the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.command import nightlatch

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.second_factors import World


def checked(world: World, tmp_path: Path, old: str, new: str) -> tuple[int, str, set[int]]:
    """Exit code and words of the check with a change; the lines that may be named: its own, its table's."""
    right = world.daemon.config.read_text()
    assert right.count(old) == 1, old
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(right.replace(old, new))
    wrong.chmod(0o600)
    said = nightlatch("config", "check", wrong)
    before = right[: right.index(old)]
    line = before.count("\n") + 1
    table = before[: before.rfind("\n[") + 1].count("\n") + 1
    return said.exit_code, said.output, {table, *range(line, line + new.count("\n") + 1)}


def test_the_world_is_right(world: World) -> None:
    """Every factor, every kind of channel and a policy: no problem."""
    assert nightlatch("config", "check", world.daemon.config).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('[factors.email]\nchannels = ["mail"]', '[factors.email]\nchannels = ["mial"]', "mial"),
        ('[factors.sms]\nchannels = ["carrier"]', '[factors.sms]\nchannels = ["mail"]', "mail"),
        ('[factors.email]\nchannels = ["mail"]', '[factors.email]\nchannels = ["carrier"]', "carrier"),
        ('countries = ["US"]', 'countries = ["USA"]', "ISO 3166-1"),
        ('countries = ["US"]', 'countries = ["US"]\ndefault_region = "DE"', "default_region"),
        ('kind = "smpp"', 'kind = "smmp"', "smmp"),
        ("trusted_device_days = 30", "trusted_device_days = 4000", "trusted_device_days"),
        ("trusted_device_days = 30", 'factors = ["topt"]', "topt"),
        ('from_address = "nl@nl.test"', 'from_address = "nl"', "from_address"),
        ('system_id = "acme"', 'system_id = "acme"\nsistem_type = ""', "sistem_type"),
    ],
)
def test_each_mistake_is_told_with_its_line(
    world: World, tmp_path: Path, old: str, new: str, words: str
) -> None:
    """Unknown channels, regions, kinds, factors and settings, and wrong media: file, line, what instead."""
    code, said, lines = checked(world, tmp_path, old, new)
    assert code == 1, said
    assert words in said
    assert "1 problem." in said
    assert any(f"wrong.toml:{number} " in said for number in lines), (said, lines)
