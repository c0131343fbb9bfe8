"""The key of receipts changes in a real daemon, and nobody who checks receipts notices unless it leaked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from nightlatch.client.receipts import UnknownKey
from nightlatch.login.receipt_keys import LATE, MAX_AGE, SPACING
from testbed.process import wait_until
from testbed.rotating import RotatingShop, kids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd


@pytest.fixture
def shop(open_folder: Path, slapd: Slapd) -> Iterator[RotatingShop]:
    """A daemon on SQLite."""
    made = RotatingShop(open_folder, slapd)
    made.daemon.start()
    yield made
    made.daemon.stop()


def signer(receipt: str) -> str:
    """The id of the key that a receipt names."""
    return str(jwt.get_unverified_header(receipt)["kid"])


def test_receipts_before_and_after_a_rotation_verify_with_sets_of_before_and_after(
    shop: RotatingShop,
) -> None:
    """The next key was published before it signed; the one before stays so until what it signed is over."""
    with shop.client() as mfa:
        before, old = mfa.keys(), shop.receipt(mfa)
        assert before.max_age == MAX_AGE
        told = shop.told("rotate")
        after, new = mfa.keys(), shop.receipt(mfa)
    assert kids(before) == [signer(old), signer(new)]
    assert kids(after) == [signer(new), told["next_key_id"], signer(old)]
    assert (told["current_key_id"], told["previous_key_id"]) == (signer(new), signer(old))
    for keys in (before, after):
        for receipt in (old, new):
            assert keys.check(receipt, "shop").user == "alice"

    shop.let_pass(LATE)
    wait_until(lambda: kids(shop.keys()) == [signer(new), told["next_key_id"]], "the end of the first key")
    with pytest.raises(UnknownKey):
        shop.keys().check(old, "shop")
    assert shop.keys().check(new, "shop").user == "alice"


def test_a_generation_stays_through_a_restart_and_the_next_rotation_waits(shop: RotatingShop) -> None:
    """Too soon is refused with the time; afterwards the key goes on, and each change is in the audit."""
    shop.told("rotate")
    before = shop.told("show")
    refused = shop.receipts("rotate")
    assert refused.returncode == 1
    assert "Rotate from" in refused.stderr
    shop.daemon.stop()
    shop.daemon.start()
    assert shop.told("show") == before
    shop.let_pass(SPACING)
    assert shop.told("rotate")["current_key_id"] == before["next_key_id"]
    rows = shop.audited()
    assert [row[2] for row in rows] == ["generation=1 at_once=0", "generation=2 at_once=0"]
    assert {row[:2] for row in rows} == {("changed", "admin uid=0")}


def test_a_key_that_leaked_is_refused_by_whoever_asks_again(shop: RotatingShop) -> None:
    """At once, at any time, and after a restart; who has the set of before takes the new receipts, too."""
    with shop.client() as mfa:
        old, known = shop.receipt(mfa), mfa.keys()
        shop.told("rotate")
        middle = shop.receipt(mfa)
        shop.told("rotate", "--at-once", "--yes")
        new = shop.receipt(mfa)
        assert mfa.check_receipt(new, "shop").user == "alice", "an unknown key is asked for"
        for withdrawn in (old, middle):
            with pytest.raises(UnknownKey):
                mfa.keys().check(withdrawn, "shop")
        assert known.check(old, "shop").user == "alice", "who keeps the old set does not know of it"
    shop.daemon.stop()
    shop.daemon.start()
    assert not {signer(old), signer(middle)} & set(kids(shop.keys()))
    assert [row[2] for row in shop.audited()] == ["generation=1 at_once=0", "generation=2 at_once=1"]


def test_a_store_that_went_back_under_a_daemon_brings_no_key_back(shop: RotatingShop) -> None:
    """It keeps its keys, and says so; the next rotation goes on from them."""
    shop.told("rotate", "--at-once", "--yes")
    before = kids(shop.keys())
    shop.set_mark("")
    wait_until(lambda: bool(shop.installation.said("receipts.not_followed")), "the daemon to notice")
    assert kids(shop.keys()) == before
    shop.set_mark("nonsense")
    wait_until(lambda: len(shop.installation.said("receipts.not_followed")) == 2, "the daemon to notice")
    assert kids(shop.keys()) == before
    assert shop.receipts("rotate").returncode == 3
    shop.set_mark("")
    assert shop.told("rotate", "--at-once", "--yes")["current_key_id"] == before[1]


def test_no_daemon_starts_on_a_generation_without_a_meaning(shop: RotatingShop) -> None:
    """It might be one whose key leaked: the start says what to do."""
    shop.daemon.stop()
    shop.set_mark("nonsense")
    shop.daemon.start(ready=False)
    assert shop.daemon.wait() == 2
    assert "the row receipts of meta is malformed" in shop.daemon.log.read_text()
    shop.set_mark("")
    shop.daemon.start()
