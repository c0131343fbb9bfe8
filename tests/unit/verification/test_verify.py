"""Verification for applications: one code, one verdict, once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import jwt
import pytest

from nightlatch.errors import Conflict, NotFound, Unavailable
from nightlatch.keys import MasterKey, Sealer
from nightlatch.limits import bar, factor_scope
from nightlatch.login.receipt import Receipts
from nightlatch.login.receipt_keys import ReceiptKeys
from nightlatch.login.ticket import TicketError, Tickets
from nightlatch.model import Result
from nightlatch.policy.model import Rule
from nightlatch.verification import Verification, VerificationRequest, Verifications
from testbed.core import ALICE, World

if TYPE_CHECKING:
    from jwt.types import Options

CALLER = "client shop"
SCOPE = factor_scope(ALICE.id)


@pytest.fixture
def world() -> World:
    """Alice with a word."""
    return World()


def verifications(world: World) -> Verifications:
    """As an application meets them."""
    tickets = Tickets(Sealer(b"v" * 32, world.randomness), world.randomness)
    return Verifications(
        world.parts,
        tickets,
        Receipts(ReceiptKeys(MasterKey(b"s" * 32)), "nightlatch.example.com", world.clock, world.randomness),
    )


def asking(request_id: str = "", user: str = "alice", *, may_know: bool = False) -> VerificationRequest:
    """A request of the shop."""
    return VerificationRequest(user, "shop", "192.0.2.1", request_id, may_know)


async def test_a_right_code_verifies_once(world: World) -> None:
    """The same code again is wrong: it is spent."""
    first = await verifications(world).code(CALLER, asking(), b"word")
    again = await verifications(world).code(CALLER, asking(), b"word")
    assert (first.verified.verification, first.verified.factor, first.user) == (
        Verification.VERIFIED,
        "word",
        "alice",
    )
    assert (again.verified.verification, again.user) == (Verification.WRONG, "")
    assert [event.result for event in world.store.events] == [Result.GRANTED, Result.REFUSED]


async def test_a_repeated_request_gives_the_same_verdict_and_costs_no_second_attempt(world: World) -> None:
    """request_id makes a call safe to retry, for right and for wrong codes."""
    for code, expected in ((b"wrong", Verification.WRONG), (b"word", Verification.VERIFIED)):
        request = asking(f"request of {code.decode()}")
        verdicts = [await verifications(world).code(CALLER, request, code) for _ in range(3)]
        assert {one.verified.verification for one in verdicts} == {expected}
        assert [one.verified.repeated for one in verdicts] == [False, True, True]
    assert len(world.store.events) == 2


async def test_a_repeated_request_lets_nobody_in_who_was_disabled_meanwhile(world: World) -> None:
    """SES-04: an old yes, and a new receipt, are not to be had after an administrator said no."""
    first = await verifications(world).code(CALLER, asking("one"), b"word")
    assert first.verified.verification is Verification.VERIFIED
    world.store.limits[SCOPE] = bar(world.store.limits[SCOPE])
    again = await verifications(world).code(CALLER, asking("one"), b"word", receipt=True)
    assert (again.verified.verification, again.user, again.receipt) == (Verification.LOCKED, "", "")


async def test_a_request_id_of_another_request_is_a_conflict(world: World) -> None:
    """A verdict on one code is never given to another code or person."""
    await verifications(world).code(CALLER, asking("one"), b"wrong")
    with pytest.raises(Conflict, match="request_id"):
        await verifications(world).code(CALLER, asking("one"), b"word")
    other = await verifications(world).code("client other", asking("one"), b"word")
    assert other.verified.verification is Verification.VERIFIED


async def test_guesses_lock_the_account_for_right_codes_too(world: World) -> None:
    """THR-06: the same counter as at a login, and right and wrong look alike while locked."""
    for _ in range(5):
        await verifications(world).code(CALLER, asking(), b"wrong")
    for code in (b"wrong", b"word"):
        answer = await verifications(world).code(CALLER, asking(), code)
        assert answer.verified.verification is Verification.LOCKED
        assert answer.verified.retry_after > 0
    assert world.store.limits[SCOPE].blocked_until > world.clock.now()


async def test_who_may_not_know_sees_a_wrong_code_for_people_without_credentials(world: World) -> None:
    """Unknown names and people without a credential answer alike, after the same time."""
    world.store.held.clear()
    for user in ("alice", "nobody"):
        before = world.clock.steady()
        answer = await verifications(world).code(CALLER, asking(user=user), b"word")
        assert answer.verified.verification is Verification.WRONG
        assert 0.25 <= world.clock.steady() - before <= 0.31
        knowing = await verifications(world).code(CALLER, asking(user=user, may_know=True), b"word")
        assert knowing.verified.verification is Verification.NOT_ENROLLED
    assert SCOPE not in world.store.limits or world.store.limits[SCOPE].in_a_row == 0


async def test_what_a_factor_calls_stolen_is_taken_away(world: World) -> None:
    """As at a login: the credential is gone, the audit names it, and the person is told at what is left."""
    world.give("c2", "sent", "•••• 55")
    for _ in range(2):
        answer = await verifications(world).code(CALLER, asking("one"), b"stolen")
        assert answer.verified.verification is Verification.WRONG
    await world.parts.notices.close()
    assert set(world.store.held[ALICE.id]) == {"c2"}
    [taken] = [event for event in world.store.events if event.event == "verification.code"]
    assert (taken.result, taken.reason, taken.credential_id) == (Result.REFUSED, "a thief's", "c1")
    assert [message.template for _, message in world.post.sent] == ["notice_credential_removed"]
    assert world.store.limits[SCOPE].in_a_row == 1
    right = await verifications(world).code(CALLER, asking(), b"word")
    assert right.verified.verification is Verification.WRONG


async def test_what_one_factor_calls_stolen_counts_for_no_other(world: World) -> None:
    """The code is tried on nothing further: deny is what comes of it."""
    world.give("b", "word")
    held = world.store.held[ALICE.id]
    held["b"] = replace(held["b"], state=b"stolen")
    answer = await verifications(world).code(CALLER, asking(), b"stolen")
    assert answer.verified.verification is Verification.WRONG
    assert "b" in held


async def test_policy_decides_what_counts(world: World) -> None:
    """POL-03: an application can not choose a factor that policy does not let count."""
    world.rules(Rule("sent only", factors=frozenset({"sent"})))
    answer = await verifications(world).code(CALLER, asking(may_know=True), b"word")
    assert answer.verified.verification is Verification.NOT_ENROLLED


async def test_a_sent_code_is_good_for_its_ticket_and_once(world: World) -> None:
    """OOB-01: bound to its transaction, its person, its caller."""
    world.give("c2", "sent", "•••• 55")
    sent = await verifications(world).send(CALLER, asking(may_know=True), "sent")
    assert sent.prompt == "Word sent: "
    without = await verifications(world).code(CALLER, asking(), b"word1")
    assert without.verified.verification is Verification.WRONG
    with pytest.raises(TicketError):
        await verifications(world).code("client other", asking(), b"word1", sent.ticket)
    with pytest.raises(TicketError):
        await verifications(world).code(CALLER, asking(user="Alice"), b"word1", sent.ticket)
    right = await verifications(world).code(CALLER, asking("r1"), b"word1", sent.ticket)
    assert right.verified.verification is Verification.VERIFIED
    assert (await verifications(world).code(CALLER, asking("r1"), b"word1", sent.ticket)).verified.repeated
    with pytest.raises(Conflict):
        await verifications(world).code(CALLER, asking("r2"), b"word1", sent.ticket)


async def test_a_mistyped_sent_code_may_be_typed_again_twice(world: World) -> None:
    """Each wrong answer brings the ticket for the next; the one before is dead, and the code after three."""
    world.give("c2", "sent", "•••• 55")
    ticket = (await verifications(world).send(CALLER, asking(), "sent")).ticket
    for more in (True, True, False):
        wrong = await verifications(world).code(CALLER, asking(), b"word9", ticket)
        assert wrong.verified.verification is Verification.WRONG
        assert bool(wrong.ticket) is more
        with pytest.raises(Conflict):
            await verifications(world).code(CALLER, asking(), b"word1", ticket)
        ticket = wrong.ticket
    ticket = (await verifications(world).send(CALLER, asking(), "sent")).ticket
    again = (await verifications(world).code(CALLER, asking(), b"word9", ticket)).ticket
    right = await verifications(world).code(CALLER, asking(), b"word1", again)
    assert right.verified.verification is Verification.VERIFIED


async def test_nothing_to_send_is_told_only_to_those_who_may_know(world: World) -> None:
    """Others get a ticket that no code answers."""
    with pytest.raises(NotFound):
        await verifications(world).send(CALLER, asking(may_know=True), "sent")
    for user in ("alice", "nobody"):
        sent = await verifications(world).send(CALLER, asking(user=user), "sent")
        assert sent.prompt == "Code: "
        answer = await verifications(world).code(CALLER, asking(user=user), b"word1", sent.ticket)
        assert answer.verified.verification is Verification.WRONG
    assert world.post.sent == []


async def test_a_trusted_device_is_verified_and_gets_its_new_secret(world: World) -> None:
    """CheckDevice takes evidence as a login does, where policy trusts devices."""
    world.give("d1", "device", "laptop")
    held = world.store.held[ALICE.id]
    held["d1"] = replace(held["d1"], state=b"token:old|9999999999")
    request = replace(asking(), evidence=("token:old",))
    assert (await verifications(world).device(CALLER, request)).verified.verification is Verification.WRONG
    world.rules(Rule("trusting", trusted_device_days=30))
    answer = await verifications(world).device(CALLER, request)
    assert answer.verified.verification is Verification.VERIFIED
    assert answer.verified.device_token == "next"


async def test_an_outage_is_no_verdict(world: World) -> None:
    """MUST 2 of the errors: what could not be checked is unavailable, and nothing was charged."""
    world.directory.away = True
    with pytest.raises(Unavailable):
        await verifications(world).code(CALLER, asking(), b"word")
    world.directory.away = False
    for answer in (b"later", b"boom"):
        with pytest.raises(Unavailable):
            await verifications(world).code(CALLER, asking("x" + answer.decode()), answer)
    right = await verifications(world).code(CALLER, asking("xlater"), b"word")
    assert right.verified.verification is Verification.VERIFIED


async def test_a_receipt_is_checked_offline_with_the_published_keys(world: World) -> None:
    """The audience is the client that asked; another one refuses it."""
    answer = await verifications(world).code(CALLER, asking(), b"word", receipt=True)
    receipts = Receipts(
        ReceiptKeys(MasterKey(b"s" * 32)), "nightlatch.example.com", world.clock, world.randomness
    )
    keys = jwt.PyJWKSet.from_json(receipts.key_set())
    key = keys[jwt.get_unverified_header(answer.receipt)["kid"]]
    options: Options = {"verify_exp": False, "verify_iat": False}  # the test's clock stands in the past
    claims = jwt.decode(answer.receipt, key, algorithms=["EdDSA"], audience="shop", options=options)
    assert (claims["sub"], claims["factor"], claims["service"]) == (ALICE.id, "word", "shop")
    assert claims["exp"] - claims["iat"] == 300
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(answer.receipt, key, algorithms=["EdDSA"], audience="bank", options=options)
    assert "d" not in json.loads(receipts.key_set())["keys"][0]
