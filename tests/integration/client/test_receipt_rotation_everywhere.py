"""The key of receipts changes for two daemons on one PostgreSQL, one of them with two workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.client.receipts import UnknownKey
from nightlatch.keys import KEY_BYTES
from nightlatch.login.receipt_keys import SPACING
from testbed.process import wait_until
from testbed.rotating import RotatingShop, kids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.postgres import Postgres
    from testbed.slapd import Slapd

BOTH = {1, 2}


@pytest.fixture
def shops(open_folder: Path, slapd: Slapd, postgres_url: str) -> Iterator[tuple[RotatingShop, RotatingShop]]:
    """Two daemons that share a database and a key; the first has two workers."""
    key = open_folder / "rotating.key"
    key.touch(mode=0o600)
    key.write_bytes(b"\x07" * KEY_BYTES)
    first = RotatingShop(open_folder, slapd, url=postgres_url, key=key)
    text = first.daemon.config.read_text()
    first.daemon.config.write_text(text.replace("[daemon]\n", "[daemon]\nworkers = 2\n", 1))
    both = (first, RotatingShop(open_folder, slapd, url=postgres_url, key=key, like=first))
    for shop in both:
        shop.daemon.start()
    yield both
    for shop in both:
        shop.daemon.stop()


def heard(shop: RotatingShop) -> int:
    """How many rotations its processes have taken over, all in all: their own, or another's."""
    return len(shop.installation.said("receipts.new_key")) + len(shop.installation.said("receipts.rotated"))


def test_while_some_have_heard_and_others_have_not_everything_verifies(
    shops: tuple[RotatingShop, RotatingShop],
) -> None:
    """Receipts of either daemon, by the set of either, from the rotation until the last worker follows."""
    first, second = shops
    assert kids(first.keys()) == kids(second.keys())
    with first.client() as one, second.client() as other:
        sets = [first.keys(), second.keys()]
        old = [first.receipt(one), second.receipt(other)]
        first.told("rotate")
        everywhere = False
        while not everywhere:
            everywhere = heard(first) == len(BOTH) and heard(second) == 1
            receipts = [*old, first.receipt(one), second.receipt(other)]
            for keys in (*sets, first.keys(), second.keys()):
                assert [keys.check(receipt, "shop").user for receipt in receipts] == ["alice"] * 4
    followed = {event["worker"] for event in first.installation.said("receipts.new_key")}
    rotated = {event["worker"] for event in first.installation.said("receipts.rotated")}
    assert (followed | rotated, followed & rotated) == (BOTH, set())
    assert kids(first.keys()) == kids(second.keys())


def test_a_key_that_leaked_is_withdrawn_by_all(shops: tuple[RotatingShop, RotatingShop]) -> None:
    """Wherever the command was given: no process publishes it any more, and none signs with it."""
    first, second = shops
    with first.client() as one, second.client() as other:
        old = first.receipt(one)
        new = second.told("rotate", "--at-once", "--yes")["current_key_id"]
        with pytest.raises(UnknownKey):
            other.keys().check(old, "shop")
        wait_until(lambda: heard(first) == len(BOTH), "both workers")
        for shop, mfa in ((first, one), (second, other)):
            for _ in range(4):  # whichever worker answers
                keys = shop.keys()
                assert kids(keys)[0] == new
                with pytest.raises(UnknownKey):
                    keys.check(old, "shop")
                assert keys.check(shop.receipt(mfa), "shop").user == "alice"


def test_of_two_rotations_at_the_same_time_one_is_done(shops: tuple[RotatingShop, RotatingShop]) -> None:
    """The row is locked: the other one reads that it is too soon, and nothing is counted twice."""
    first, second = shops
    for number in (1, 2, 3):
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda shop: shop.receipts("rotate"), (first, second)))
        assert sorted(one.returncode for one in done) == [0, 1], [one.stderr for one in done]
        assert len(first.audited()) == number
        first.let_pass(SPACING)
    assert [row[2] for row in first.audited()] == [f"generation={number} at_once=0" for number in (1, 2, 3)]


def test_who_can_not_read_the_store_keeps_the_keys_and_follows_later(
    shops: tuple[RotatingShop, RotatingShop], postgres: Postgres
) -> None:
    """An outage of the database changes no key set, and a rotation waits for its end."""
    first, second = shops
    before = kids(first.keys())
    postgres.alter(first.url, "allow_connections false")
    try:
        postgres.cut_off(first.url)
        assert second.receipts("rotate").returncode == 3
        wait_until(lambda: bool(second.installation.said("receipts.not_followed")), "the outage to be seen")
        assert kids(first.keys()) == kids(second.keys()) == before
    finally:
        postgres.alter(first.url, "allow_connections true")
    wait_until(lambda: second.receipts("rotate").returncode == 0, "the store")
    wait_until(lambda: heard(first) == len(BOTH), "both workers")
    assert kids(first.keys())[0] == kids(second.keys())[0] == before[1]
