"""Invites: an administrator's one-time permission to set up a second step at a login."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from nightlatch import limits
from nightlatch.errors import Invalid, NotFound
from nightlatch.login.step import Outcome, Verdict
from nightlatch.onboarding import words
from nightlatch.policy.model import EnrollmentMode
from testbed.core import ALICE
from testbed.newcomers import LED, Newcomer, asked, granted, refused

ADMIN = "admin uid=0"
DAY = 86_400.0
INVITED = replace(LED, factors=frozenset({"app"}), enrollment=EnrollmentMode.INVITE)


async def invite(alice: Newcomer, days: int = 0) -> str:
    """A new invite for alice."""
    return (await alice.world.invites.create(ADMIN, "alice", days)).text.reveal()


async def test_an_invite_leads_on_once() -> None:
    """The right one, however it is typed, leads to the factor; a second login can not use it again."""
    alice = Newcomer(INVITED)
    text = await invite(alice)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{2}", text)
    step = await alice.begin()
    assert asked(step) == words.INVITE
    step = await alice.say(step, f" {text.lower().replace('-', ' ')} ")
    assert asked(step).endswith("The word: ")
    assert words.WRONG_INVITE in asked(await alice.log_in(text))
    granted(await alice.say(step, "word"))
    assert alice.audit("invite.use") == ["", "wrong invite"]
    assert [one.event for one in alice.store.events][:1] == ["invite.create"]


async def test_wrong_invites_are_charged_like_wrong_codes() -> None:
    """Three in a login end it; five in a row block, and then the right one is not looked at."""
    alice = Newcomer(INVITED)
    text = await invite(alice)
    assert refused(await alice.log_in("a", "", "1" * 300)) == words.NO_INVITE
    step = await alice.log_in("x", "y")
    assert len(alice.store.limits[limits.factor_scope(ALICE.id)].failures) == 5
    locked = await alice.say(step, text)
    assert isinstance(locked, Outcome)
    assert locked.verdict is Verdict.LOCKED
    alice.clock.time += 31
    assert asked(await alice.log_in(text)).endswith("The word: ")


async def test_an_invite_ends() -> None:
    """After its days it is refused, and the audit says why; a week where nothing else is said."""
    alice = Newcomer(INVITED)
    text = await invite(alice)
    alice.clock.time += 7 * DAY
    assert words.WRONG_INVITE in asked(await alice.log_in(text))
    assert alice.audit("invite.use") == ["the invite has ended"]
    text = await invite(alice, 1)
    alice.clock.time += DAY - 1
    assert asked(await alice.log_in(text)).endswith("The word: ")


async def test_a_new_invite_takes_the_place_of_the_open_one_and_a_revoked_one_is_none() -> None:
    """There is one at most."""
    alice = Newcomer(INVITED)
    first = await invite(alice)
    second = await invite(alice)
    assert words.WRONG_INVITE in asked(await alice.log_in(first))
    assert await alice.world.invites.revoke(ADMIN, "alice") == (ALICE, True)
    assert await alice.world.invites.revoke(ADMIN, "alice") == (ALICE, False)
    assert words.WRONG_INVITE in asked(await alice.log_in(second))


async def test_an_invite_is_its_account_s_alone_and_nowhere_kept_as_it_is() -> None:
    """An invite of bob's is nothing to alice; the store holds a keyed hash."""
    alice = Newcomer(INVITED)
    bob = replace(ALICE, stable_id="id-of-bob", name="bob")
    alice.world.directory.known["bob"] = bob
    text = (await alice.world.invites.create(ADMIN, "bob")).text.reveal()
    alice.store.stood[ALICE.id] = alice.store.stood[bob.id]
    assert words.WRONG_INVITE in asked(await alice.log_in(text))
    kept = repr(alice.store.stood) + str(alice.store.stood[bob.id].invite) + repr(alice.store.events)
    assert text not in kept
    assert text.replace("-", "") not in kept


async def test_no_empty_answer_is_an_invite() -> None:
    """Without an open invite nothing matches it, not even nothing."""
    alice = Newcomer(INVITED)
    assert refused(await alice.log_in("", "", "")) == words.NO_INVITE
    assert alice.factors == []


async def test_an_invite_alone_lets_nobody_in() -> None:
    """It is permission to set up a factor: without the factor's code there is no login."""
    alice = Newcomer(INVITED)
    text = await invite(alice)
    assert refused(await alice.log_in(text, "a", "b", "c")) == words.NOTHING_STORED


async def test_grace_and_invites_go_together() -> None:
    """With grace the person may put it off; whoever goes on is asked for the invite."""
    alice = Newcomer(replace(INVITED, grace_logins=1))
    step = await alice.begin()
    assert asked(await alice.say(step, "y")) == words.INVITE
    granted(await alice.log_in("n"))
    assert asked(await alice.begin()) == words.INVITE


async def test_what_no_administrator_can_mean_is_refused() -> None:
    """Unknown people and unending invites."""
    alice = Newcomer(INVITED)
    with pytest.raises(NotFound):
        await alice.world.invites.create(ADMIN, "mallory")
    with pytest.raises(Invalid):
        await alice.world.invites.create(ADMIN, "alice", 91)
