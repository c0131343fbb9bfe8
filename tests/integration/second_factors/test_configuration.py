"""What `nightlatch config check` says about factors and channels, with the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.command import nightlatch

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.second_factors import World


def checked(world: World, tmp_path: Path, old: str, new: str) -> tuple[int, str, int]:
    """Exit code and words of the check with a change, and the last line of what was changed."""
    right = world.daemon.config.read_text()
    assert right.count(old) == 1, old
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(right.replace(old, new))
    wrong.chmod(0o600)
    said = nightlatch("config", "check", wrong)
    return said.exit_code, said.output, right[: right.index(old)].count("\n") + new.count("\n") + 1


def test_the_world_is_right(world: World) -> None:
    """Every factor, every kind of channel and a policy: no problem."""
    assert nightlatch("config", "check", world.daemon.config).exit_code == 0


CARRIER = 'system_id = "acme"'
EMAIL = '[factors.email]\nchannels = ["mail"]'


@pytest.mark.parametrize(
    ("old", "new", "setting", "words"),
    [
        (EMAIL, EMAIL.replace('mail"]', 'mial"]'), "factors.email.channels[0]", "no [channels.mial]"),
        ('["carrier"]', '["mail"]', "factors.sms.channels[0]", "takes a mailbox"),
        (EMAIL, EMAIL.replace('mail"]', 'carrier"]'), "factors.email.channels[0]", "takes a phone number"),
        ('countries = ["US"]', 'countries = ["USA"]', "factors.sms.countries", "ISO 3166-1"),
        (
            'countries = ["US"]',
            'countries = ["US"]\ndefault_region = "DE"',
            "factors.sms.default_region",
            '"DE" is not one of countries',
        ),
        ('kind = "smpp"', 'kind = "smmp"', "channels.carrier.kind", '"smmp" is no kind of channel'),
        ('kind = "smpp"', "kind = 7", "channels.carrier.kind", "is no kind of channel"),
        ("trusted_device_days = 30", "trusted_device_days = 4000", "policies[0].trusted_device_days", "3650"),
        ("trusted_device_days = 30", 'factors = ["topt"]', "policies[0].factors[0]", "topt"),
        (
            'from_address = "nl@nl.test"',
            'from_address = "nl"',
            "channels.mail.from_address",
            "one plain address",
        ),
        (CARRIER, f'{CARRIER}\nsistem_type = ""', "channels.carrier.sistem_type", '"system_type"'),
        (CARRIER, f"{CARRIER}\nwindow = 0", "channels.carrier.window", "greater than or equal to 1"),
        (CARRIER, f'{CARRIER}\ntemplates_dir = "/nowhere"', "channels.carrier.templates_dir", "/nowhere"),
        ('carrier.password"', 'nowhere.password"', "channels.carrier.password_file", "can not be opened"),
        (CARRIER, f"{CARRIER}\n[sending]\nper_prefix_hour = 0", "sending.per_prefix_hour", "1"),
        (CARRIER, f'{CARRIER}\n[sending.prefixes]\n"0049" = 5', "sending.prefixes.0049", "pattern"),
        (CARRIER, f'{CARRIER}\n[sending.domains]\n"A.example" = 5', "sending.domains", "lower-case letters"),
    ],
)
def test_each_mistake_is_told_with_its_line(  # noqa: PLR0917 - a row of a table
    world: World, tmp_path: Path, old: str, new: str, setting: str, words: str
) -> None:
    """Unknown channels, kinds, factors, settings; wrong media and values: file, line, setting, remedy."""
    code, said, line = checked(world, tmp_path, old, new)
    assert code == 1, said
    assert words in said
    assert f"wrong.toml:{line}  {setting}" in said, said
