"""The hold after a rescue, as arithmetic: whatever happens in whatever order, no mark is lost (REC-04)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.login import words
from nightlatch.login.hold import HOLD, Level, after_adding, after_removing, ends_at, worth
from nightlatch.model import Credential, Snapshot, Standing
from testbed.core import ALICE
from testbed.newcomers import Newcomer

if TYPE_CHECKING:
    from collections.abc import Sequence

FACTORS = Newcomer().world.parts.factors
FULL, RESCUES = "app", ("paper", "help", "switched-off")
NOON = 1_700_000_000.0


@dataclass
class History:
    """An account through its days, and what a reader of the whole history would say of it."""

    now: float = NOON
    standing: Standing = field(default_factory=Standing)
    held: dict[str, Credential] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    """Until when each credential that signs in has to be on hold."""
    rescues: list[float] = field(default_factory=list)
    made: int = 0

    @property
    def snapshot(self) -> Snapshot:
        """What a decision sees."""
        return Snapshot(self.now, {}, tuple(self.held.values()), spent=False, standing=self.standing)

    def add(self, factor: str = FULL, shown: Level = Level.NONE) -> str:
        """A new credential, by somebody who has shown that much."""
        self.made += 1
        made = Credential(ALICE.id, f"c{self.made}", factor, factor, b"", self.now)
        if factor in {FULL, "switched-off"}:
            marks = [one + HOLD for one in self.rescues] + list(self.ends.values())
            marks += [self.now + HOLD] if shown is Level.RESCUE else []
            self.ends[made.id] = 0.0 if shown is Level.FULL else max(marks, default=0.0)
        self.standing = after_adding(self.snapshot, FACTORS, made, shown)
        self.held[made.id] = made
        return made.id

    def use(self, factor: str) -> None:
        """Somebody signs in by a factor, where there is one."""
        for one in list(self.held.values()):
            if one.factor == factor:
                self.held[one.id] = replace(one, last_used_at=self.now)
                if factor in RESCUES:
                    self.rescues.append(self.now)

    def remove(self, factor: str) -> None:
        """The oldest credential of a factor goes."""
        gone = next((one for one in self.held.values() if one.factor == factor), None)
        if gone is not None:
            del self.held[gone.id]
            self.ends.pop(gone.id, None)
            self.standing = after_removing(self.standing, FACTORS, (gone,))

    def on_hold(self) -> set[str]:
        """What is on hold now."""
        return {one for one in self.held if ends_at(self.standing, one, self.now)}


factors = st.sampled_from([FULL, *RESCUES, "device"])
steps = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 1.5 * HOLD)),
    st.tuples(st.just("add"), factors, st.sampled_from(list(Level))),
    st.tuples(st.just("use"), factors),
    st.tuples(st.just("remove"), factors),
)


@given(st.lists(steps, max_size=40))
def test_no_order_of_events_loses_a_hold_or_makes_one_up(events: Sequence[tuple[object, ...]]) -> None:
    """What is on hold is what the whole history says, though the store keeps its last page alone (REC-04)."""
    history = History()
    for what, *details in events:
        if what == "wait":
            history.now += float(str(details[0]))
        else:
            getattr(history, str(what))(*details)
        assert history.on_hold() == {one for one, end in history.ends.items() if history.now < end}
        assert len(history.standing.holds) <= history.made


def test_a_second_rescue_ends_no_hold() -> None:
    """Two printed codes, one before and one after the new app: it stays on hold (REC-04)."""
    history = History()
    history.add("paper")
    history.use("paper")
    history.now += 10
    new = history.add(shown=Level.RESCUE)
    history.now += 10
    history.use("paper")
    assert history.on_hold() == {new}


@pytest.mark.parametrize("rescue", RESCUES)
def test_a_rescue_counts_though_it_is_gone(rescue: str) -> None:
    """Codes that were used and replaced, or taken away, hold what is added afterwards (REC-04)."""
    history = History()
    history.add(rescue)
    history.use(rescue)
    history.remove(rescue)
    history.now += HOLD - 1
    new = history.add()
    assert ends_at(history.standing, new, history.now) == NOON + HOLD
    history.now += 1
    assert history.on_hold() == set()
    assert worth(history.snapshot, new, Level.FULL) is Level.FULL


def test_what_is_added_by_what_is_on_hold_is_on_hold_as_long() -> None:
    """A chain of new factors leads nowhere (REC-04)."""
    history = History()
    first = history.add(shown=Level.RESCUE)
    history.now += 60
    second = history.add()
    assert history.on_hold() == {first, second}
    assert worth(history.snapshot, second, Level.FULL) is Level.RESCUE


def test_without_a_rescue_nothing_is_on_hold() -> None:
    """A first factor, a second one, codes never used, codes used long ago: all count at once."""
    history = History()
    history.add()
    history.add("paper")
    history.use("paper")
    history.use(FULL)
    history.now += HOLD
    history.add()
    assert history.on_hold() == set()
    assert history.standing == Standing()


def test_a_proof_by_what_was_taken_away_is_worth_nothing() -> None:
    """Between the proof and the session, the credential went."""
    history = History()
    new = history.add()
    assert worth(history.snapshot, new, Level.FULL) is Level.FULL
    history.remove(FULL)
    assert worth(history.snapshot, new, Level.FULL) is Level.NONE
    assert worth(history.snapshot, "", Level.FULL) is Level.NONE


def test_the_words_name_a_time_at_which_it_is_over() -> None:
    """The minute is rounded up."""
    assert "Until 2023-11-14 22:14 UTC it" in words.on_hold("Phone", NOON + 1, others=False)
    assert words.time(NOON - 20) == "2023-11-14 22:13 UTC"
