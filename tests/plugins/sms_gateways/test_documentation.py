"""docs/channels/sms.md tells what the plugin does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from nightlatch_sms_gateways import nightlatch_channels

PAGE = (Path(__file__).parents[3] / "docs" / "channels" / "sms.md").read_text()
KINDS = {plugin.kind: plugin for plugin in nightlatch_channels()}
EXAMPLES = re.findall(r"^    \[channels\.\w+\]\n(?:    .*\n)+", PAGE, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_in_its_kind_s_table(kind: str) -> None:
    """Each kind's table misses no setting, and has no other."""
    section = PAGE.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    table = section.partition("| setting | default | meaning |\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(KINDS[kind].settings.model_fields)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_right(example: str) -> None:
    """Each table on the page can be taken as it stands."""
    ((_, table),) = tomllib.loads(re.sub("^    ", "", example, flags=re.MULTILINE))["channels"].items()
    kind = table.pop("kind")
    assert KINDS[kind].settings.model_validate(table).model_fields_set == set(table)


def test_every_kind_has_an_example() -> None:
    """No kind is without a table to copy."""
    assert {kind for kind in KINDS if any(f'kind = "{kind}"' in one for one in EXAMPLES)} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_says_what_it_is_for(kind: str) -> None:
    """The reference of settings has words for each."""
    fields = KINDS[kind].settings.model_fields.items()
    assert [name for name, field in fields if not field.description] == []
