"""What an administrator does for one person: the disabled stay out, and who begins anew has nothing left."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from nightlatch import limits
from nightlatch.administration import Administration
from nightlatch.desk import Desk
from nightlatch.errors import Conflict, Invalid, NotFound
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step, Verdict
from nightlatch.model import LimitState, Standing
from nightlatch.onboarding import words
from nightlatch.policy.model import EnrollmentMode, Rule, SecondFactor
from testbed.core import ALICE
from testbed.newcomers import LED, Newcomer, asked, granted

ADMIN = "admin uid=0"
SCOPE = limits.factor_scope(ALICE.id)


def desk(alice: Newcomer) -> Desk:
    """The desk of alice's world."""
    return Desk(alice.world.parts, alice.world.invites)


def locked(step: Step) -> str:
    """The words of a lock."""
    assert isinstance(step, Outcome), step
    assert step.verdict is Verdict.LOCKED, step
    return step.message


async def told(alice: Newcomer) -> list[tuple[str, str]]:
    """The notices that have left, with their addresses."""
    await alice.world.parts.notices.close()
    return [(message.template, address) for address, message in alice.post.sent]


async def test_a_disabled_person_gets_in_by_no_proof() -> None:
    """The right answer is turned away as in a lock; why is in the audit alone, and enabling ends it."""
    alice = Newcomer()
    alice.give("c1", "app")
    await desk(alice).disable(ADMIN, "alice", "left the company")
    message = locked(await alice.log_in("word"))
    assert message == "Too many attempts. Ask your administrator to unlock your account."
    assert alice.audit("login.factor") == [limits.BARRED]
    assert alice.audit("account.disable") == ["left the company"]
    assert await desk(alice).enable(ADMIN, "alice") == (ALICE, True)
    granted(await alice.log_in("word"))


@pytest.mark.parametrize(
    "rule",
    [
        Rule("robots", second_factor=SecondFactor.SKIP, exemption="a robot"),
        Rule("watched", second_factor=SecondFactor.OBSERVE),
    ],
)
async def test_a_disabled_person_gets_in_by_no_waiver(rule: Rule) -> None:
    """THR-06: an exemption and an observed rule let in nobody who is disabled."""
    alice = Newcomer(rule)
    granted(await alice.begin())
    await desk(alice).disable(ADMIN, "alice")
    locked(await alice.begin())


async def test_a_disabled_person_gets_in_by_no_grace_and_no_invite() -> None:
    """Putting off is refused, and the right invite is not looked at."""
    alice = Newcomer(replace(LED, grace_logins=5))
    granted(await alice.log_in("n"))
    invite = await alice.world.invites.create(ADMIN, "alice")
    await desk(alice).disable(ADMIN, "alice")
    locked(await alice.log_in("n"))
    alice.rules(replace(LED, factors=frozenset({"app"}), enrollment=EnrollmentMode.INVITE))
    locked(await alice.log_in(invite.text.reveal()))


async def test_a_disabled_person_s_device_is_worth_nothing() -> None:
    """Evidence that would have granted grants nothing."""
    alice = Newcomer(Rule("devices", trusted_device_days=30))
    alice.give("c1", "app")
    alice.give("d1", "device", f"token:old|{alice.clock.now() + 1000}".encode())
    granted(await alice.begin(evidence=("token:old",)))
    await desk(alice).disable(ADMIN, "alice")
    step = await alice.begin(evidence=("token:old",))
    assert isinstance(step, Prompt)
    locked(await alice.say(step, "word"))


async def test_disabling_in_the_middle_of_a_login_counts() -> None:
    """SES-04: the code that was asked for before is of no use after."""
    alice = Newcomer()
    alice.give("c1", "app")
    step = await alice.begin()
    await desk(alice).disable(ADMIN, "alice")
    locked(await alice.say(step, "word"))


@pytest.mark.parametrize("act", ["disable", "reset"])
async def test_open_sessions_end_with_it(act: str) -> None:
    """Who is kept out or begins anew is signed in nowhere, and no code sets their password anew."""
    alice = Newcomer()
    alice.store.stood[ALICE.id] = Standing(
        grace_logins=2, sessions=(("a", 9e9),), reset="b", reset_expires_at=9e9
    )
    await getattr(desk(alice), act)(ADMIN, "alice")
    after = alice.store.stood[ALICE.id]
    assert (after.sessions, after.reset, after.grace_logins) == ((), "", 2)


async def test_unlocking_does_not_enable() -> None:
    """Who may forget failures may not let a disabled person in; failures themselves outlive both."""
    alice = Newcomer()
    alice.store.limits[SCOPE] = LimitState((alice.clock.now(),) * 5, 5, alice.clock.now() + 30)
    await desk(alice).disable(ADMIN, "alice")
    administration = Administration(alice.world.parts, {}, alice.world.invites)
    with pytest.raises(Conflict, match="nightlatch admin user enable"):
        await administration.unlock(ADMIN, "alice")
    await desk(alice).enable(ADMIN, "alice")
    view = await desk(alice).show("alice")
    assert (view.limit.in_a_row, view.locked_until) == (5, alice.clock.now() + 30)


async def test_disabling_twice_keeps_the_first_time_and_tells_once() -> None:
    """Since when it is so does not move, and the person reads it once."""
    alice = Newcomer()
    alice.give("s1", "sent")
    _, first = await desk(alice).disable(ADMIN, "alice")
    alice.clock.time += 60
    _, second = await desk(alice).disable(ADMIN, "alice", "again")
    assert first == second
    assert await told(alice) == [("notice_account_disabled", "+1555")]
    assert await desk(alice).enable(ADMIN, "alice") == (ALICE, True)
    assert await desk(alice).enable(ADMIN, "alice") == (ALICE, False)
    assert len(alice.audit("account.enable")) == 1


async def test_a_reset_leaves_nothing_but_an_invite() -> None:
    """ENR-04: all that there was ends, the person is told where they were reached, the invite leads on."""
    alice = Newcomer(replace(LED, factors=frozenset({"app"}), enrollment=EnrollmentMode.INVITE))
    for identity, factor in (("c1", "app"), ("s1", "sent"), ("d1", "device")):
        alice.give(identity, factor)
    alice.store.limits[SCOPE] = LimitState((), 100, 0.0, disabled=True)
    reset = await desk(alice).reset(ADMIN, "alice", 2)
    assert [one.id for one in reset.removed] == ["c1", "s1", "d1"]
    assert alice.factors == []
    assert reset.expires_at == alice.clock.now() + 2 * 86_400
    assert await told(alice) == [("notice_credentials_reset", "+1555")]
    assert [one.event for one in alice.store.events if one.event != "message.send"][:5] == [
        "credential.reset",
        "credential.remove",
        "credential.remove",
        "device.revoke",
        "invite.create",
    ]
    assert reset.invite.reveal() not in repr(reset)
    assert asked(await alice.begin()).endswith(words.INVITE)
    granted(await alice.log_in(reset.invite.reveal(), "word"))


async def test_a_reset_does_not_enable() -> None:
    """Who is disabled stays so, with an invite or without."""
    alice = Newcomer(replace(LED, factors=frozenset({"app"}), enrollment=EnrollmentMode.INVITE))
    await desk(alice).disable(ADMIN, "alice")
    reset = await desk(alice).reset(ADMIN, "alice")
    locked(await alice.log_in(reset.invite.reveal()))


async def test_a_login_and_a_reset_at_once_end_in_order() -> None:
    """Whichever comes first, the credential grants at most one login, and afterwards none."""
    alice = Newcomer()
    alice.give("c1", "app")
    step = await alice.begin()
    await asyncio.gather(alice.say(step, "word"), desk(alice).reset(ADMIN, "alice"))
    assert alice.factors == []


async def test_what_is_shown() -> None:
    """Credentials, what counts of the failures, and the invite while it is open."""
    alice = Newcomer()
    alice.give("c1", "app")
    now = alice.clock.now()
    alice.store.limits[SCOPE] = LimitState((now - 40 * 86_400, now - 5), 2)
    await alice.world.invites.create(ADMIN, "alice", 1)
    view = await desk(alice).show("alice")
    assert [one.id for one in view.credentials] == ["c1"]
    assert (view.failures_in_all, view.limit.in_a_row, view.locked_until) == (1, 2, 0.0)
    assert view.invite_until == now + 86_400
    alice.clock.time += 86_401
    assert (await desk(alice).show("alice")).invite_until is None
    alice.store.limits[SCOPE] = LimitState((), 100, 0.0, disabled=True)
    assert (await desk(alice).show("alice")).locked_until is None


@pytest.mark.parametrize("reason", ["x" * 201, "two\nlines"])
async def test_a_reason_is_one_short_line(reason: str) -> None:
    """AUD-02: what goes to the audit can not pass for another row."""
    with pytest.raises(Invalid):
        await desk(Newcomer()).disable(ADMIN, "alice", reason)


async def test_nobody_of_that_name() -> None:
    """An unknown name is said to be unknown."""
    with pytest.raises(NotFound):
        await desk(Newcomer()).show("mallory")


async def test_a_person_behind_a_password_reads_the_same_as_in_a_lock() -> None:
    """What a disabled person is told does not tell that somebody has disabled them."""
    alice = Newcomer()
    alice.give("c1", "app")
    await desk(alice).disable(ADMIN, "alice")
    request = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.PASSWORD)
    step = await alice.world.engine.begin("pam uid=0", request)
    assert "disabled" not in locked(await alice.say(step, "right", "word"))


async def test_sessions_are_told_by_their_hash_and_end_one_or_all() -> None:
    """SES: what has ended is listed no more; an id that is not there ends nothing."""
    alice = Newcomer()
    now = alice.clock.now()
    hashes = ("aa" * 32, "bb" * 32, "cc" * 32)
    alice.store.stood[ALICE.id] = Standing(
        sessions=tuple(zip(hashes, (now + 9, now + 5, now - 1), strict=True))
    )
    _, listed = await desk(alice).sessions("alice")
    assert [one.id for one in listed] == [hashes[1][:12], hashes[0][:12]]
    with pytest.raises(NotFound):
        await desk(alice).end_sessions(ADMIN, "alice", "dd" * 6)
    assert await desk(alice).end_sessions(ADMIN, "alice", hashes[1][:12]) == (ALICE, 1)
    assert await desk(alice).end_sessions(ADMIN, "alice") == (ALICE, 1)
    assert alice.store.stood[ALICE.id].sessions == ()
    assert alice.audit("session.end") == ["", ""]
