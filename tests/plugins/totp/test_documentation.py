"""docs/factors/totp.md tells what the plugin does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from nightlatch_totp.settings import TotpSettings

PAGE = (Path(__file__).parents[3] / "docs" / "factors" / "totp.md").read_text()


@pytest.mark.parametrize("setting", TotpSettings.model_fields)
def test_every_setting_is_on_the_page(setting: str) -> None:
    """The table of settings misses none."""
    assert f"| `{setting}` |" in PAGE


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    """The example shows what an empty table means."""
    example = "\n".join(re.findall(r"^ {4}(.*)$", PAGE.partition("These are the defaults:")[2], re.MULTILINE))
    assert TotpSettings.model_validate(tomllib.loads(example)["factors"]["totp"]) == TotpSettings()
