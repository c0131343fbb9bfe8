"""Which keys of receipts are published when: nobody who keeps a set as long as allowed stumbles."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from nightlatch.app import receipt_generations
from nightlatch.app.system import SystemClock
from nightlatch.client import receipts as client
from nightlatch.client.receipts import Keys, UnknownKey
from nightlatch.errors import Conflict, Unavailable
from nightlatch.keys import MasterKey
from nightlatch.login import receipt_keys
from nightlatch.login.receipt import Receipts
from nightlatch.login.receipt_keys import (
    HEARD,
    LATE,
    LIFETIME,
    MARK,
    MAX_AGE,
    SKEW,
    SPACING,
    Generation,
    ReceiptKeys,
    SigningKey,
)
from nightlatch.login.receipt_rotation import ReceiptRotation
from nightlatch.store import sql_store
from testbed.core import ALICE, CountingRandomness, FakeClock, MemoryStore

KEY = MasterKey(b"m" * 32)
EPOCH = "1700000000.000-00ff"
START = FakeClock().time
ISSUER = "mfa.example.com"


def kids(jwks: str) -> list[str]:
    """The ids of the keys in a set."""
    return [key["kid"] for key in json.loads(jwks)["keys"]]


@dataclass
class Two:
    """Two daemons on one store. The second hears of a rotation when the test says so."""

    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        self.first, self.second = ReceiptKeys(KEY), ReceiptKeys(KEY)
        self.rotation = ReceiptRotation(self.first, self.store, self.clock)

    def rotate(self, *, at_once: bool = False) -> None:
        """Rotate at the first one."""
        asyncio.run(self.rotation.rotate("admin uid=0", at_once=at_once))

    def hear(self) -> bool:
        """The second one looks into the store."""
        return self.second.follow(Generation.of(self.store.marks[MARK]))

    def published(self, keys: ReceiptKeys) -> list[str]:
        """The ids that a daemon publishes now."""
        return [key.id for key in keys.published(self.clock.now())]


@pytest.fixture
def two() -> Two:
    """Two daemons."""
    return Two()


def test_generation_0_is_the_key_of_before_there_were_generations() -> None:
    """Nothing changes for who upgrades, whatever the epoch; later keys are the epoch's."""
    first = SigningKey(KEY.derive("receipts"))
    assert ReceiptKeys(KEY).current.id == ReceiptKeys(KEY, EPOCH).current.id == first.id
    one = Generation(1, START)
    assert ReceiptKeys(KEY, "", one).current.id == ReceiptKeys(KEY).next.id
    assert ReceiptKeys(KEY, "", one).current.id != ReceiptKeys(KEY, EPOCH, one).current.id


def test_the_numbers_follow_from_each_other() -> None:
    """Rotations are rarer than sets are renewed, and a late key outlives what it signed, by any clock."""
    assert SPACING >= MAX_AGE + HEARD
    assert LATE >= HEARD + LIFETIME + SKEW + client.LEEWAY
    assert SPACING > LATE, "one key at most is late"
    assert receipt_generations.FOLLOW_SECONDS + sql_store.LONGEST_ANSWER < HEARD
    assert (receipt_keys.LEEWAY, float(MAX_AGE)) == (client.LEEWAY, client.MAX_AGE)
    assert client.MAX_AGE / 2 - client.PAUSE > LIFETIME


def test_the_set_has_the_next_key_and_the_previous_one_for_its_time(two: Two) -> None:
    """Published before it signs, and after it signed."""
    old, new = two.first.current.id, two.first.next.id
    assert two.published(two.first) == [old, new]
    two.rotate()
    assert two.first.current.id == new
    assert two.published(two.first) == [new, two.first.next.id, old]
    two.clock.time += LATE - 1
    assert old in two.published(two.first)
    two.clock.time += 1
    assert two.published(two.first) == [new, two.first.next.id]


def test_whoever_has_heard_and_whoever_has_not_understand_each_other(two: Two) -> None:
    """The newest receipt of one that is behind ends before its key leaves a set; its set has the new key."""
    two.rotate()
    two.clock.time += HEARD
    assert two.first.current.id in two.published(two.second)
    behind = Receipts(two.second, ISSUER, two.clock, CountingRandomness())
    ahead = Receipts(two.first, ISSUER, two.clock, CountingRandomness())
    assert two.second.current.id in kids(ahead.key_set())
    two.clock.time += LIFETIME + SKEW + client.LEEWAY
    assert two.second.current.id in kids(ahead.key_set())
    assert two.hear()
    assert kids(ahead.key_set()) == kids(behind.key_set())


def test_a_set_that_is_kept_as_long_as_allowed_has_every_key_that_signs(two: Two) -> None:
    """Also one that was fetched from a daemon that had not heard, through rotations as close as allowed."""
    sets: list[tuple[float, list[str]]] = []
    for _ in range(3):
        two.rotate()
        rotated = two.clock.time
        for seconds in range(0, SPACING + 1, 10):
            two.clock.time = rotated + seconds
            if seconds == HEARD:
                two.hear()
            signers = {keys.current.id for keys in (two.first, two.second)}
            sets += [(two.clock.time, two.published(keys)) for keys in (two.first, two.second)]
            sets = [one for one in sets if two.clock.time - one[0] <= MAX_AGE]
            for at, known in sets:
                assert signers <= set(known), (seconds, two.clock.time - at)


def test_a_second_rotation_waits_unless_it_is_at_once(two: Two) -> None:
    """Too soon is refused with the time from which on it is not; nothing is written then."""
    two.rotate()
    two.clock.time += SPACING - 1
    with pytest.raises(Conflict, match=r"Rotate from \d\d:\d\d:\d\d on"):
        two.rotate()
    assert (two.first.generation.number, len(two.store.events)) == (1, 1)
    two.rotate(at_once=True)
    two.clock.time += SPACING
    two.rotate()
    assert two.first.generation.number == 3
    assert [one.facts for one in two.store.events] == [
        "generation=1 at_once=0",
        "generation=2 at_once=1",
        "generation=3 at_once=0",
    ]
    assert {(one.event, one.caller) for one in two.store.events} == {("receipts.rotate", "admin uid=0")}


def test_a_key_that_leaked_is_published_no_more(two: Two) -> None:
    """With it goes a previous one that was late; the next one signs."""
    older = two.first.current.id
    two.rotate()
    leaked, following = two.first.current.id, two.first.next.id
    two.rotate(at_once=True)
    assert two.published(two.first) == [following, two.first.next.id]
    assert not {older, leaked} & set(two.published(two.first))
    assert two.hear()
    assert two.published(two.second) == two.published(two.first)


def test_a_generation_never_goes_back(two: Two) -> None:
    """A store that went back brings no key back, neither to a daemon that runs nor by its next rotation."""
    before = dict(two.store.marks)
    two.rotate(at_once=True)
    two.hear()
    two.store.marks = before
    assert not two.second.follow(Generation.of(two.store.marks.get(MARK, "")))
    assert two.second.generation.number == 1
    two.rotate(at_once=True)
    assert two.first.generation.number == 2


def test_a_receipt_of_another_daemon_verifies_at_a_client_with_either_set(two: Two) -> None:
    """Real signatures, before, during and after; not by a key that was withdrawn at once."""
    two.clock.time = SystemClock().now()  # the client's clock is the real one

    def taken(by: ReceiptKeys, published: ReceiptKeys) -> bool:
        signed, given = (Receipts(one, ISSUER, two.clock, CountingRandomness()) for one in (by, published))
        receipt = signed.issue(ALICE, "shop", "shop", "totp")
        return Keys(given.key_set(), ISSUER).check(receipt, "shop").account == ALICE.id

    assert taken(two.first, two.second)
    two.rotate()
    assert taken(two.first, two.second)
    assert taken(two.second, two.first)
    two.rotate(at_once=True)
    with pytest.raises(UnknownKey):
        taken(two.second, two.first)
    assert two.hear()
    assert taken(two.second, two.first)


@pytest.mark.parametrize(
    "text",
    [
        *("{", "7", "null", "{}", '{"number": "x", "since": 1}'),
        *(f'{{"number": {number}, "since": 1.0, "at_once": true}}' for number in (0, 10**17, 10**4000)),
        *(f'{{"number": 1, "since": {since}, "at_once": true}}' for since in ("NaN", "Infinity")),
    ],
)
def test_a_row_without_a_meaning_is_no_generation(two: Two, text: str) -> None:
    """It is an outage of the rotation, and never the first key."""
    with pytest.raises(ValueError, match="malformed"):
        Generation.of(text)
    two.store.marks[MARK] = text
    with pytest.raises(Unavailable, match="malformed"):
        two.rotate(at_once=True)


def test_a_generation_comes_back_as_it_was_written() -> None:
    """As text in the store."""
    one = Generation(3, 1_700_000_000.25, at_once=True)
    assert Generation.of(one.text()) == one
    assert Generation.of("") == Generation()


def test_no_key_shows_in_a_repr() -> None:
    """Only its id, which is public."""
    keys = ReceiptKeys(KEY)
    assert repr(keys) + repr(keys.current) == f"ReceiptKeys(generation 0)SigningKey({keys.current.id})"
