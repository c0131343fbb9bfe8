"""What recovery codes cost everybody else: nothing is hashed while the store decides, and never too much."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.factor import EnrollmentRequest, Subject
from nightlatch.limits import FREE_FAILURES, factor_scope
from nightlatch.login.ticket import LoginState, Stage
from nightlatch.login.trial import Judgement, Proof, Trial
from nightlatch.model import AuditEvent, Changes, Credential, DecisionRequest, Result, Secret
from nightlatch.plugins.loader import load_factors
from nightlatch.plugins.slow import MOST_AT_ONCE
from nightlatch.testing import KitContext, Repeatable
from nightlatch_recovery import codes
from testbed.core import ALICE, World
from testbed.fixtures_store import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore
    from testbed.fixtures_store import SetClock

SCOPE = factor_scope(ALICE.id)
GUESS = "0000-0000-0000-0000"


@dataclass
class Hashes:
    """The argon2id that were really computed: in which threads, and how many side by side."""

    threads: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    most: int = 0

    def counted(
        self, hashing: Callable[[codes.KeptCode, str], bool]
    ) -> Callable[[codes.KeptCode, str], bool]:
        """The same, counted."""

        def matches(kept: codes.KeptCode, code: str) -> bool:
            with self.lock:
                self.threads.append(threading.current_thread().name)
                self.running += 1
                self.most = max(self.most, self.running)
            try:
                return hashing(kept, code)
            finally:
                with self.lock:
                    self.running -= 1

        return matches


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    """Counts what is hashed from here on."""
    hashes = Hashes()
    monkeypatch.setattr(codes.KeptCode, "matches", hashes.counted(codes.KeptCode.matches))
    return hashes


class Person:
    """Alice with a paper, and a store."""

    def __init__(self, store: SqlStore, facade_seed: str = "paper") -> None:
        self.store = store
        self.facade = load_factors(("recovery",), {})["recovery"]
        context = KitContext(START, START + 10, Repeatable(facade_seed))
        made = self.facade.enroll(Subject("alice", "corp"), EnrollmentRequest("paper"), context)
        self.printed = [code for _, code in made.details]
        self.credential = Credential(ALICE.id, "c1", "recovery", "paper", made.state, START)
        self.parts = replace(World().parts, factors={"recovery": self.facade})
        self.asked = 0

    async def enroll(self) -> None:
        """Keep the paper's codes."""
        changes = Changes(put=(self.credential,))
        await self.store.decide(DecisionRequest(account_id=ALICE.id), lambda _: (changes, None))

    async def type(self, code: str) -> Judgement:
        """Answer in a login of its own, as the engine decides it."""
        self.asked += 1
        login = f"login-{self.asked}"
        state = LoginState(login, Stage.FACTOR, "alice", "sshd", "", START + 300, login, credential_id="c1")
        event = AuditEvent("login.factor", Result.REFUSED, "", "ref", ALICE.id)
        trial = Trial(self.parts, state, frozenset({"recovery"}), Secret(code), SCOPE, event)
        return await self.store.decide(DecisionRequest((SCOPE,), ALICE.id, ALICE, login), trial)


async def test_a_code_is_hashed_before_the_decision_and_counts_once(store: SqlStore, hashes: Hashes) -> None:
    """Sixteen logins with one code at once: one grant, and no hash in the thread that decides."""
    person = Person(store)
    await person.enroll()
    judged = await asyncio.gather(*(person.type(person.printed[0]) for _ in range(16)))
    assert [one.proof for one in judged].count(Proof.ACCEPTED) == 1
    assert set(hashes.threads) == {"verify-recovery"}


async def test_two_codes_of_one_paper_at_once_are_both_used_up(store: SqlStore, hashes: Hashes) -> None:
    """REC-04: what was worked out for the state before is worked out anew, and no used code comes back."""
    person = Person(store)
    await person.enroll()
    judged = await asyncio.gather(*(person.type(code) for code in person.printed[:2]))
    assert [one.proof for one in judged] == [Proof.ACCEPTED] * 2
    assert judged[1].reason == "recovery codes left: 8" or judged[0].reason == "recovery codes left: 8"
    again = [await person.type(code) for code in person.printed[:2]]
    assert [one.proof for one in again] == [Proof.REJECTED] * 2
    assert set(hashes.threads) == {"verify-recovery"}


async def test_two_hundred_guesses_cost_no_more_than_the_limiter_lets_through(
    store: SqlStore, store_clock: SetClock, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-03: guesses side by side that all deserve a hash get five, and a blocked account none."""
    person = Person(store)
    await person.enroll()
    key = person.credential.state[2:34]
    prefix = codes.prefix_of(key, person.printed[0].replace("-", ""))
    monkeypatch.setattr(codes, "prefix_of", lambda _key, _code: prefix)
    judged = await asyncio.gather(*(person.type(GUESS) for _ in range(200)))
    proofs = [one.proof for one in judged]
    assert proofs.count(Proof.REJECTED) == len(hashes.threads) == FREE_FAILURES + 1
    assert proofs.count(Proof.LOCKED) == 200 - len(hashes.threads)
    assert hashes.most <= MOST_AT_ONCE
    hashes.threads.clear()
    assert (await person.type(person.printed[0])).proof is Proof.LOCKED
    assert hashes.threads == []
    store_clock.time += 60
    assert (await person.type(person.printed[0])).proof is Proof.ACCEPTED
    assert len(hashes.threads) == 1
