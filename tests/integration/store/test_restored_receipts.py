"""A backup that is put back brings no key of receipts back, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.backups import Household


def receipts(household: Household, *words: str) -> dict[str, Any]:
    """What `nightlatch admin receipts` tells."""
    done = household.daemon.command("admin", "receipts", *words, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def published(told: dict[str, Any]) -> set[str]:
    """The keys of the set."""
    return {told["current_key_id"], told["next_key_id"]} | ({told["previous_key_id"]} - {None})


def test_a_key_that_was_withdrawn_since_a_backup_does_not_come_back(household: Household) -> None:
    """STO-06: nor does one that would have been next; each restore begins with new ones."""
    seen = published(receipts(household, "show"))
    household.back_up()
    for _ in range(2):
        seen |= published(receipts(household, "rotate", "--at-once", "--yes"))
    for _ in range(2):
        household.daemon.stop()
        household.put_back()
        household.daemon.start()
        restored = receipts(household, "show")
        assert not published(restored) & seen
        assert restored["previous_key_id"] is None
        seen |= published(restored)
    told = receipts(household, "rotate", "--at-once", "--yes")
    assert told["current_key_id"] == restored["next_key_id"]
    household.daemon.stop()
    household.daemon.start()
    assert receipts(household, "show") == told
