"""docs/factors/trusted_device.md tells what the plugin does."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from nightlatch_trusted_device import factor, ssh_key
from nightlatch_trusted_device.settings import TrustedDeviceSettings

PAGE = (Path(__file__).parents[3] / "docs" / "factors" / "trusted_device.md").read_text()
EXAMPLE = PAGE.partition("settings of its own:\n\n")[2].partition("\n\nAll rules")[0]


def reasons() -> list[str]:
    """Every reason that the factor writes for the audit."""
    tree = ast.parse(Path(factor.__file__).read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    given = (word.value for call in calls for word in call.keywords if word.arg == "reason")
    return sorted({ast.literal_eval(value) for value in given})


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_is_on_the_page(reason: str) -> None:
    """An administrator who reads the audit finds what it means."""
    assert f"`{reason}`" in PAGE


def test_the_example_is_a_configuration() -> None:
    """The example can be copied, and has no setting that the plugin does not know."""
    example = tomllib.loads(dedent(EXAMPLE))
    assert (
        TrustedDeviceSettings.model_validate(example["factors"]["trusted_device"]) == TrustedDeviceSettings()
    )
    assert [rule["trusted_device_days"] for rule in example["policies"]] == [30, 0]
    assert not TrustedDeviceSettings.model_fields


@pytest.mark.parametrize("kind", ssh_key.KINDS)
def test_every_kind_of_key_is_on_the_page(kind: str) -> None:
    """The list of known kinds misses none."""
    told = "`sk-`" if kind.startswith("sk-") else f"{kind[-9:]}`" if "nistp" in kind else f"`{kind}`"
    assert told in PAGE


def test_the_numbers_on_the_page_are_the_numbers() -> None:
    """Grace, longest trust and slack of the clock are told as they are."""
    assert factor.GRACE_SECONDS == 10
    assert "more than ten seconds ago" in PAGE
    assert factor.MOST_SECONDS == 3650 * 86_400
    assert "3650 days" in PAGE
    assert factor.CLOCK_SLACK_SECONDS == 600
    assert "more than ten minutes behind" in PAGE
