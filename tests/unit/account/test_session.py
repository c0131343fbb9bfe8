"""Sessions and proofs by the clock: what no test with a real daemon can wait for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.account import OwnThings, Proving, Sessions, SigningIn
from nightlatch.account.session import LIFETIME, MOST_OPEN, PROOF_LIFETIME
from nightlatch.account.signing_in import Origin
from nightlatch.enrollment import Enrollments
from nightlatch.errors import ProofNeeded, SessionEnded, Unavailable
from nightlatch.keys import Sealer
from nightlatch.login.hold import Level
from nightlatch.login.step import Outcome, Prompt, Verdict
from nightlatch.model import Account, Standing
from nightlatch.onboarding import Dialogue
from testbed.core import ALICE, World

if TYPE_CHECKING:
    from nightlatch.login.step import Step

CALLER = "account uid=1000"


class Own:
    """Alice's own account, on fakes."""

    def __init__(self) -> None:
        self.world = World()
        parts = self.world.parts

        def sealer(letter: bytes) -> Sealer:
            return Sealer(letter * 32, parts.randomness)

        self.sessions = Sessions(parts, sealer(b"s"))
        proving = Proving(parts, sealer(b"p"), frozenset({"word"}))
        onboarding = Dialogue(parts, self.world.invites)
        self.signing_in = SigningIn(parts, sealer(b"t"), onboarding, self.sessions, proving)
        self.things = OwnThings(parts, self.sessions, Enrollments(parts, sealer(b"e")))

    async def sign_in(self) -> bytes:
        """A session, by password and word."""
        step = await self.signing_in.begin(CALLER, "alice", Origin("192.0.2.7"))
        for typed in (b"right", b"word"):
            signed = await self.signing_in.answer(CALLER, _ticket(step), typed)
            step = signed.step
        assert isinstance(step, Outcome), step
        assert step.verdict is Verdict.GRANTED
        self.renew()
        return signed.bearer

    def renew(self) -> None:
        """Let alice's word count once more."""
        self.world.give("c1")


def _ticket(step: Step) -> bytes:
    assert isinstance(step, Prompt), step
    return step.ticket


async def test_a_session_lives_for_15_minutes_from_signing_in() -> None:
    """One second before its end it is good, then it is over, whatever was done in between."""
    own = Own()
    bearer = await own.sign_in()
    own.world.clock.time += LIFETIME - 2
    session = await own.sessions.take(CALLER, bearer)
    bearer = own.sessions.proven(CALLER, session, Level.FULL)
    assert (await own.sessions.take(CALLER, bearer, Level.FULL)).account == ALICE
    own.world.clock.time += 3
    with pytest.raises(SessionEnded):
        await own.sessions.take(CALLER, bearer)


async def test_a_change_needs_a_proof_of_the_last_10_minutes() -> None:
    """An old proof lets the person look, and change nothing; a fresh one does, by a factor of every day."""
    own = Own()
    own.world.give("c2", "word", "tablet")
    bearer = await own.sign_in()
    own.world.clock.time += PROOF_LIFETIME + 1
    assert (await own.things.overview(CALLER, bearer)).account == ALICE
    with pytest.raises(ProofNeeded):
        await own.things.rename(CALLER, bearer, "c1", "desk")
    step = await own.signing_in.begin_proof(CALLER, bearer)
    signed = await own.signing_in.answer_proof(CALLER, bearer, _ticket(step), b"word")
    assert isinstance(signed.step, Outcome)
    await own.things.rename(CALLER, signed.bearer, "c1", "desk")
    assert own.world.store.held[ALICE.id]["c1"].label == "desk"


async def test_a_wrong_proof_renews_nothing() -> None:
    """A wrong word asks again, gives no bearer, and is counted like one of a login."""
    own = Own()
    bearer = await own.sign_in()
    step = await own.signing_in.begin_proof(CALLER, bearer)
    signed = await own.signing_in.answer_proof(CALLER, bearer, _ticket(step), b"wrong")
    assert isinstance(signed.step, Prompt)
    assert signed.bearer == b""
    assert own.world.store.limits[f"factor/{ALICE.id}"].in_a_row == 1


async def test_a_clock_that_goes_back_makes_no_proof_younger() -> None:
    """A proof from the future does not count."""
    own = Own()
    bearer = await own.sign_in()
    own.world.clock.time -= 60
    with pytest.raises((ProofNeeded, SessionEnded)):
        await own.sessions.take(CALLER, bearer, Level.FULL)


async def test_a_session_is_good_for_its_caller_alone() -> None:
    """The same bytes from another user, changed bytes, or no bytes: all of them are no session (API-02)."""
    own = Own()
    bearer = await own.sign_in()
    changed = bearer[:-1] + bytes([bearer[-1] ^ 1])
    for caller, sent in (("account uid=1001", bearer), (CALLER, changed), (CALLER, b"")):
        with pytest.raises(SessionEnded):
            await own.sessions.take(caller, sent)


async def test_a_session_that_was_ended_is_of_no_use() -> None:
    """After signing out, the same bearer opens nothing, and other sessions go on."""
    own = Own()
    first, second = await own.sign_in(), await own.sign_in()
    await own.sessions.end(CALLER, first)
    with pytest.raises(SessionEnded):
        await own.sessions.take(CALLER, first)
    assert (await own.sessions.take(CALLER, second)).account == ALICE


async def test_one_more_session_than_there_may_be_ends_the_oldest() -> None:
    """An account has a bounded number of them."""
    own = Own()
    first = await own.sign_in()
    for _ in range(MOST_OPEN):
        last = await own.sign_in()
    with pytest.raises(SessionEnded):
        await own.sessions.take(CALLER, first)
    assert (await own.sessions.take(CALLER, last)).account == ALICE


async def test_a_disabled_person_has_no_session() -> None:
    """From the moment an administrator disables the account, its sessions are over (SES-04)."""
    own = Own()
    bearer = await own.sign_in()
    stood = own.world.store.stood.get(ALICE.id, Standing())
    own.world.store.stood[ALICE.id] = replace(stood, disabled_at=own.world.clock.now())
    with pytest.raises(SessionEnded):
        await own.sessions.take(CALLER, bearer)


async def test_a_new_person_of_the_same_name_inherits_no_session() -> None:
    """Alice was deleted and another alice made: the session is over (IDN-04)."""
    own = Own()
    bearer = await own.sign_in()
    own.world.directory.known["alice"] = Account("corp", "id-of-another", "alice")
    with pytest.raises(SessionEnded):
        await own.sessions.take(CALLER, bearer)


async def test_an_outage_ends_no_session() -> None:
    """While directory or store are away, the session is unavailable, and good again afterwards."""
    own = Own()
    bearer = await own.sign_in()
    for part in (own.world.directory, own.world.store):
        part.away = True
        with pytest.raises(Unavailable):
            await own.sessions.take(CALLER, bearer)
        part.away = False
    assert (await own.sessions.take(CALLER, bearer)).account == ALICE
