"""Who has what shows in no answer to an application that may not know (API-02)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Conflict, Locked
from nightlatch.keys import MasterKey, Sealer
from nightlatch.limits import factor_scope, forgettable
from nightlatch.login.receipt import Receipts
from nightlatch.login.receipt_keys import ReceiptKeys
from nightlatch.login.ticket import Tickets
from nightlatch.login.turn import JITTER_SECONDS, NEGATIVE_SECONDS
from nightlatch.model import Contact, Result
from nightlatch.verification import Verification, VerificationRequest, Verifications
from testbed.core import ALICE, World

if TYPE_CHECKING:
    from nightlatch.channel import Message, Receipt

CALLER = "client shop"
BOB = replace(ALICE, stable_id="b0b", name="bob", handle="", contact=Contact())
WHO = ("alice", "bob", "nobody-of-that-name")
"""With a phone, with nothing, and unknown."""


@dataclass
class Asked:
    """What an application sees of one call."""

    outcome: str
    text: str
    length: int
    seconds: float


@pytest.fixture
def world() -> World:
    """Alice has a phone, bob has nothing."""
    made = World()
    made.give("c2", "sent", "•••• 55")
    made.directory.known["bob"] = BOB
    return made


def verifications(world: World) -> Verifications:
    """As an application meets them."""
    tickets = Tickets(Sealer(b"v" * 32, world.randomness), world.randomness)
    return Verifications(
        world.parts,
        tickets,
        Receipts(ReceiptKeys(MasterKey(b"s" * 32)), "issuer", world.clock, world.randomness),
    )


def asking(user: str, request_id: str = "") -> VerificationRequest:
    """A request of an application that may not know."""
    return VerificationRequest(user, "shop", "192.0.2.1", request_id)


async def asked(world: World, user: str) -> Asked:
    """Ask for a code, and let what is sent behind the answer go its way."""
    service, began = verifications(world), world.clock.steady()
    try:
        sent = await service.send(CALLER, asking(user), "sent")
    except Locked as error:
        seen = Asked("locked", str(error), 0, world.clock.steady() - began)
    else:
        seen = Asked("sent", sent.prompt, len(sent.ticket), world.clock.steady() - began)
    await service.close()
    return seen


async def ask_often(world: World) -> dict[str, list[Asked]]:
    """Five calls for each, past the limit of three; the names by turns, at the same times."""
    seen: dict[str, list[Asked]] = {user: [] for user in WHO}
    for _ in range(5):
        at = world.clock.time
        for user in WHO:
            world.clock.time = at
            seen[user].append(await asked(world, user))
    return seen


def assert_alike(seen: dict[str, list[Asked]]) -> None:
    """Everybody got the same answers, all of them after the time of a negative one."""
    told = {tuple((one.outcome, one.text, one.length) for one in seen[user]) for user in WHO}
    assert len(told) == 1
    least, most = NEGATIVE_SECONDS, NEGATIVE_SECONDS + JITTER_SECONDS
    for answers in seen.values():
        assert all(least - 1e-6 <= one.seconds <= most + 1e-6 for one in answers)


async def test_the_limit_is_reached_by_everybody_s_name(world: World) -> None:
    """API-02, OOB-04: three codes and then a lock, with the same words, for known and unknown names."""
    seen = await ask_often(world)
    assert_alike(seen)
    assert [one.outcome for one in seen["alice"]] == ["sent", "sent", "sent", "locked", "locked"]
    assert seen["nobody-of-that-name"][3].text == "too many messages: 3 messages in 10 minutes for this name"
    assert len(world.post.sent) == 3
    locked = [event for event in world.store.events if event.result is Result.LOCKED]
    assert len(locked) == 6, "each is in the audit"


async def test_a_spelling_s_limit_is_the_name_s(world: World) -> None:
    """IDN: what a directory takes for one name is counted as one."""
    outcomes = [(await asked(world, user)).outcome for user in ("Nobody", "nobody", " NOBODY", "nobody ")]
    assert outcomes == ["sent", "sent", "sent", "locked"]


async def test_an_account_s_own_limit_shows_nowhere(world: World) -> None:
    """Messages of alice's logins have used hers up: none leaves, and the answer is the same."""
    world.store.limits[f"send/{ALICE.id}"] = replace(
        world.store.limits[f"send/{ALICE.id}"], failures=(world.clock.now(),) * 3
    )
    assert_alike(await ask_often(world))
    assert world.post.sent == []


async def test_a_locked_account_shows_nowhere(world: World) -> None:
    """Nobody is sent a code that would be of no use; the answer is the same."""
    scope = factor_scope(ALICE.id)
    world.store.limits[scope] = replace(
        world.store.limits[scope], in_a_row=9, blocked_until=world.clock.now() + 3600
    )
    assert_alike(await ask_often(world))
    assert world.post.sent == []


async def test_an_outage_of_the_channel_shows_nowhere(world: World) -> None:
    """OOB-06: that a message did not leave is in the audit, and the answer is the same."""
    world.post.away = True
    assert_alike(await ask_often(world))
    assert Result.UNAVAILABLE in {event.result for event in world.store.events}


async def test_a_slow_provider_delays_no_answer(world: World) -> None:
    """OOB-06: the answer leaves before the provider has answered; the message leaves behind it."""
    may_go, deliver = asyncio.Event(), world.post.send

    async def slow(address: str, message: Message, deadline: float) -> Receipt:
        await may_go.wait()
        return await deliver(address, message, deadline)

    world.post.send = slow  # type: ignore[method-assign]
    service = verifications(world)
    sent = await service.send(CALLER, asking("alice"), "sent")
    assert world.post.sent == []
    may_go.set()
    await service.close()
    assert len(world.post.sent) == 1
    right = await service.code(CALLER, asking("alice"), b"word1", sent.ticket)
    assert right.verified.verification is Verification.VERIFIED


async def test_wrong_codes_end_alike_for_everybody(world: World) -> None:
    """API-02, THR-06: wrong, then locked for as long, whether anything is enrolled or nobody has the name."""
    told = {}
    for user in WHO:
        began = world.clock.time
        answers = [await verifications(world).code(CALLER, asking(user), b"wrong") for _ in range(7)]
        told[user] = [(one.verified.verification, round(one.verified.retry_after / 5)) for one in answers]
        world.clock.time = began
    assert told["alice"] == told["bob"] == told["nobody-of-that-name"]
    verdicts = [verdict for verdict, _ in told["alice"]]
    assert verdicts == [Verification.WRONG] * 5 + [Verification.LOCKED] * 2
    assert not world.store.limits[factor_scope(BOB.id)].failures, "who has nothing is locked out of nothing"


async def test_what_is_counted_for_nobody_is_forgotten(world: World) -> None:
    """After 30 days the store keeps nothing of a name that nobody has."""
    for _ in range(7):
        await verifications(world).code(CALLER, asking("nobody"), b"wrong")
    [state] = [state for scope, state in world.store.limits.items() if scope.startswith("nobody/")]
    assert not forgettable(state, world.clock.now())
    assert forgettable(state, world.clock.now() + 31 * 86_400)


@pytest.mark.parametrize("user", WHO)
async def test_a_ticket_is_answered_once_whoever_it_is_for(world: World, user: str) -> None:
    """API-02: the same ticket again is a conflict, a wrong answer brings the next, and the third none."""
    ticket = (await verifications(world).send(CALLER, asking(user), "sent")).ticket
    for more in (True, True, False):
        wrong = await verifications(world).code(CALLER, asking(user), b"word9", ticket)
        assert (wrong.verified.verification, bool(wrong.ticket)) == (Verification.WRONG, more)
        with pytest.raises(Conflict):
            await verifications(world).code(CALLER, asking(user), b"word8", ticket)
        assert len(wrong.ticket) in {0, len(ticket)}
        ticket = wrong.ticket


@pytest.mark.parametrize("user", WHO)
async def test_a_request_id_is_of_one_request_whoever_it_is_for(world: World, user: str) -> None:
    """API-02: the same request has the same verdict and costs nothing; another one is a conflict."""
    for _ in range(8):
        answer = await verifications(world).code(CALLER, asking(user, "one"), b"wrong")
        assert answer.verified.verification is Verification.WRONG
    with pytest.raises(Conflict):
        await verifications(world).code(CALLER, asking(user, "one"), b"other")
