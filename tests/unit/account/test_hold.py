"""What people can do who came in by a rescue, and what those can who took it from them (REC-04)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.account import OwnThings, Proving, Sessions, SigningIn
from nightlatch.account.signing_in import Origin
from nightlatch.desk.roles import NO_GROUPS
from nightlatch.desk.signing_in import AdminSigningIn
from nightlatch.enrollment import Enrollments
from nightlatch.errors import ProofNeeded, Unavailable
from nightlatch.keys import Sealer
from nightlatch.login import words
from nightlatch.login.hold import HOLD, Level
from nightlatch.login.step import Prompt, Step
from nightlatch.login.trial import HELD
from nightlatch.model import Standing
from nightlatch.onboarding import Dialogue
from nightlatch.onboarding.words import ANEW
from testbed.core import ALICE
from testbed.newcomers import FACTORS, Newcomer, asked, granted, refused

if TYPE_CHECKING:
    from nightlatch.factor import FactorPlugin

CALLER = "account uid=1000"
CODE = ("?", "2", "AAAA")
"""The printed code, where the app is asked for first."""


class Own(Newcomer):
    """Alice, who has an app and printed codes, and her own account, on fakes."""

    def __init__(self, factors: tuple[FactorPlugin, ...] = FACTORS) -> None:
        super().__init__(factors=factors)
        self.give("old", "app")
        self.give("codes", "paper", b"paper")
        parts = self.world.parts

        def sealer(letter: bytes) -> Sealer:
            return Sealer(letter * 32, parts.randomness)

        self.sessions = Sessions(parts, sealer(b"s"))
        self.proving = Proving(parts, sealer(b"p"), frozenset({"app", "number"}))
        dialogue = Dialogue(parts, self.world.invites)
        self.signing_in = SigningIn(parts, sealer(b"t"), dialogue, self.sessions, self.proving)
        self.things = OwnThings(parts, self.sessions, Enrollments(parts, sealer(b"e")))
        self.desk = AdminSigningIn(parts, sealer(b"a"), self.sessions, NO_GROUPS)

    async def sign_in(self, *typed: str) -> bytes:
        """A session, by the password and what is typed behind it."""
        step = await self.signing_in.begin(CALLER, "alice", Origin("192.0.2.7"))
        for answer in ("right", *typed):
            signed = await self.signing_in.answer(CALLER, _ticket(step), answer.encode())
            step = signed.step
        granted(step)
        self.renew()
        return signed.bearer

    async def sign_in_with(self, label: str) -> bytes:
        """A session, by the app of this name."""
        step = await self.signing_in.begin(CALLER, "alice", Origin("192.0.2.7"))
        for typed in (b"right", b"?"):
            step = (await self.signing_in.answer(CALLER, _ticket(step), typed)).step
        number = next(line.split()[0] for line in asked(step).splitlines() if f'"{label}"' in line)
        return await self.sign_in("?", number, "word")

    async def at_the_desk(self) -> Step:
        """What administering asks for behind the password."""
        step = await self.desk.begin(CALLER, "alice")
        return (await self.desk.answer(CALLER, _ticket(step), b"right")).step

    async def add(self, bearer: bytes, label: str) -> str:
        """A new app, and its id."""
        begun = await self.things.begin_add(CALLER, bearer, "app", label, "", directory_address=0)
        made = await self.things.confirm_add(CALLER, bearer, begun.ticket, b"word")
        self.renew()
        return made

    async def prove(self, bearer: bytes, *typed: str) -> tuple[Step, bytes]:
        """How a fresh proof ends, and the session to go on with."""
        step, session = await self.signing_in.begin_proof(CALLER, bearer), b""
        for answer in typed:
            signed = await self.signing_in.answer_proof(CALLER, bearer, _ticket(step), answer.encode())
            step, session = signed.step, signed.bearer
        self.renew()
        return step, session

    async def level(self, bearer: bytes) -> Level:
        """What a session may do."""
        return (await self.sessions.take(CALLER, bearer)).level

    def renew(self) -> None:
        """Let every app's word count once more."""
        held = self.store.held[ALICE.id]
        held.update({one.id: replace(one, state=b"word") for one in held.values() if one.factor == "app"})


def _ticket(step: Step) -> bytes:
    assert isinstance(step, Prompt), step
    return step.ticket


async def test_a_lost_phone_costs_a_day_and_no_more() -> None:
    """A printed code, a new app, which signs in at once; the day after it removes the old one."""
    own = Own()
    new = await own.add(await own.sign_in(*CODE), "new")
    assert await own.level(await own.sign_in_with("new")) is Level.RESCUE
    own.clock.time += HOLD
    bearer = await own.sign_in_with("new")
    assert await own.level(bearer) is Level.FULL
    await own.things.remove(CALLER, bearer, "old")
    assert set(own.store.held[ALICE.id]) == {"codes", new}


async def test_what_was_added_by_a_rescue_changes_nothing_in_the_same_session() -> None:
    """Behind a printed code a proof asks for the old app alone, and never for the new one (REC-04)."""
    own = Own()
    bearer = await own.sign_in(*CODE)
    new = await own.add(bearer, "new")
    step, _ = await own.prove(bearer)
    why = words.on_hold("new", own.clock.now() + HOLD, others=True)
    assert asked(step) == f'{why}\nThe word "app": '
    for change in (own.things.remove(CALLER, bearer, "old"), own.things.regenerate(CALLER, bearer)):
        with pytest.raises(ProofNeeded):
            await change
    overview = await own.things.overview(CALLER, bearer)
    assert overview.holds == {new: own.clock.now() + HOLD}


async def test_where_nothing_older_is_left_the_words_come_at_once() -> None:
    """No question is asked whose answer could not count; the person reads until when, and goes (REC-04)."""
    own = Own()
    bearer = await own.sign_in(*CODE)
    await own.add(bearer, "Phone")
    del own.store.held[ALICE.id]["old"]
    step, session = await own.prove(bearer)
    assert refused(step) == words.on_hold("Phone", own.clock.now() + HOLD, others=False)
    assert session == b""
    assert own.audit("login.factor")[-1] == HELD
    assert own.store.limits[f"factor/{ALICE.id}"].in_a_row == 0


async def test_signing_out_and_in_with_the_new_one_is_worth_no_more() -> None:
    """The new app opens a session that may add, and change nothing else; not by a chain of them (REC-04)."""
    own = Own()
    bearer = await own.sign_in(*CODE)
    for label in ("first", "second"):
        await own.add(bearer, label)
        bearer = await own.sign_in_with(label)
        assert await own.level(bearer) is Level.RESCUE
        with pytest.raises(ProofNeeded):
            await own.things.remove(CALLER, bearer, "old")


async def test_an_old_factor_ends_what_a_rescue_began() -> None:
    """Behind a printed code the old app proves in full: what it adds counts at once, and it removes."""
    own = Own()
    bearer = await own.sign_in(*CODE)
    stolen = await own.add(bearer, "stolen")
    _, bearer = await own.prove(bearer, "word")
    assert await own.level(bearer) is Level.FULL
    mine = await own.add(bearer, "mine")
    assert (await own.things.overview(CALLER, bearer)).holds.keys() == {stolen}
    await own.things.remove(CALLER, bearer, stolen)
    assert own.store.stood[ALICE.id].holds == ()
    assert set(own.store.held[ALICE.id]) == {"old", "codes", mine}


async def test_new_codes_or_none_do_not_end_a_hold() -> None:
    """The owner makes new codes, then removes them: whatever is added behind the old is held (REC-04)."""
    own = Own()
    thief = await own.sign_in(*CODE)
    first = await own.add(thief, "first")
    _, owner = await own.prove(await own.sign_in("word"), "word")
    made = await own.things.regenerate(CALLER, owner)
    assert own.store.held[ALICE.id][made.credential_id].last_used_at is None
    second = await own.add(thief, "second")
    await own.things.remove(CALLER, owner, made.credential_id)
    third = await own.add(thief, "third")
    holds = (await own.things.overview(CALLER, owner)).holds
    assert holds.keys() == {first, second, third}
    assert own.store.stood[ALICE.id].rescued_at == own.clock.now()


async def test_codes_used_long_ago_hold_nothing() -> None:
    """A day after a printed code, and with a first factor of all, what is added counts at once."""
    own = Own()
    await own.sign_in(*CODE)
    own.clock.time += HOLD
    bearer = await own.sign_in_with("app")
    await own.add(bearer, "new")
    assert (await own.things.overview(CALLER, bearer)).holds == {}


async def test_a_first_enrolment_is_worth_everything_at_once() -> None:
    """Who has nothing, and sets the first factor up in signing in, may change things in that session."""
    own = Own()
    own.store.held[ALICE.id].clear()
    bearer = await own.sign_in("1", "word", "")
    assert own.factors == ["app", "paper"]
    assert await own.level(bearer) is Level.FULL


async def test_what_an_emergency_code_leads_to_is_on_hold() -> None:
    """A new app set up at SSH behind an emergency code changes nothing for a day (REC-04)."""
    own = Own()
    own.store.held[ALICE.id].clear()
    own.give("h1", "help")
    step = await own.log_in("y", "word1")
    assert asked(step) == ANEW
    granted(await own.say(step, "y", "1", "word", ""))
    (app,) = [one.id for one in own.store.held[ALICE.id].values() if one.factor == "app"]
    assert own.store.stood[ALICE.id].holds == ((app, own.clock.now() + HOLD),)
    own.renew()
    bearer = await own.sign_in("word")
    assert await own.level(bearer) is Level.RESCUE
    step, _ = await own.prove(bearer)
    assert "was added after" in refused(step)


async def test_a_proof_is_looked_at_in_the_transaction() -> None:
    """A question that was asked before the hold began is answered in vain (REC-04)."""
    own = Own()
    bearer = await own.sign_in("word")
    step = await own.signing_in.begin_proof(CALLER, bearer)
    stood = own.store.stood[ALICE.id]
    own.store.stood[ALICE.id] = replace(stood, holds=(("old", own.clock.now() + 60),))
    signed = await own.signing_in.answer_proof(CALLER, bearer, _ticket(step), b"word")
    assert (signed.bearer, own.audit("login.factor")[-1]) == (b"", HELD)


async def test_nobody_administers_by_what_is_on_hold() -> None:
    """It is said behind the password, and an older factor is asked for where there is one (REC-04)."""
    own = Own()
    await own.add(await own.sign_in(*CODE), "Phone")
    assert asked(await own.at_the_desk()).endswith('\nThe word "app" (or ? for another way): ')
    del own.store.held[ALICE.id]["old"], own.store.held[ALICE.id]["codes"]
    assert "was added after" in refused(await own.at_the_desk())


async def test_nothing_takes_the_place_of_a_factor_while_on_hold() -> None:
    """A factor of one credential alone keeps the old one, behind an emergency code (REC-04)."""
    app, *others = FACTORS
    own = Own((replace(app, single=True), *others))
    own.give("h1", "help")
    step = await own.log_in("?", "3", "y", "word1", "y", "1", "word")
    assert granted(step) == words.ENROL_ANEW
    assert set(own.store.held[ALICE.id]) == {"old", "codes", "h1"}


async def test_an_outage_is_no_proof() -> None:
    """Where the store can not say what is on hold, a proof is unavailable."""
    own = Own()
    bearer = await own.sign_in("word")
    own.store.away = True
    with pytest.raises(Unavailable):
        await own.signing_in.begin_proof(CALLER, bearer)
    own.store.away = False
    assert own.store.stood.get(ALICE.id, Standing()).holds == ()
