"""docs/factors/recovery.md tells what the plugin does."""

from __future__ import annotations

import re
from pathlib import Path

import nightlatch_recovery.factor as source
from nightlatch_recovery.codes import PREFIX_BYTES
from nightlatch_recovery.settings import RecoverySettings

PAGE = (Path(__file__).parents[3] / "docs" / "factors" / "recovery.md").read_text()


def test_there_is_nothing_to_set() -> None:
    """The page says so, and it is so."""
    assert "There is nothing to set" in PAGE
    assert not RecoverySettings.model_fields


def test_every_reason_is_on_the_page() -> None:
    """What the audit may say can be looked up."""
    reasons = re.findall(r'reason ?= ?f?"([^"]+)"', Path(source.__file__).read_text())
    assert len(reasons) == 3
    for reason in reasons:
        assert f"| `{reason.split('{')[0]}" in PAGE


def test_the_odds_of_a_hash_for_a_guess_are_right() -> None:
    """Ten codes of four bytes are met by one guess in 430 million."""
    assert 2 ** (8 * PREFIX_BYTES) // 10 // 10**6 == 429
    assert "one in 400 million" in PAGE
