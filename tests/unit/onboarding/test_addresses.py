"""Setting up a factor that sends codes: which address, what is sent to it, and when nothing can be."""

from __future__ import annotations

from dataclasses import replace

from nightlatch.login import words as login_words
from nightlatch.login.step import Outcome, Verdict
from nightlatch.model import Contact
from testbed.core import ALICE
from testbed.newcomers import LED, Newcomer, asked, granted, refused

ONLY_NUMBER = replace(LED, factors=frozenset({"number"}))


async def test_an_address_of_the_directory_is_offered_masked_and_proven() -> None:
    """It is chosen by number or Enter, another one may be typed, and only its code counts."""
    alice = Newcomer(ONLY_NUMBER)
    contact = Contact(phones=("no number", "+15550142", "+15550199"))
    alice.world.directory.known["alice"] = replace(ALICE, contact=contact)
    step = await alice.begin()
    assert asked(step).splitlines() == [
        "Text message: where shall codes go?",
        "  1  •••• 42 (from your directory)",
        "  2  •••• 99 (from your directory)",
        "Number [1], or type a phone number: ",
    ]
    assert alice.post.sent == []
    await alice.say(step, "")
    await alice.log_in("2")
    step = await alice.log_in("+15550177")
    assert [address for address, _ in alice.post.sent] == ["+15550142", "+15550199", "+15550177"]
    assert alice.factors == []
    granted(await alice.say(step, "word1"))
    assert next(iter(alice.store.held[ALICE.id].values())).label == "•••• 77"


async def test_an_address_that_is_none_is_asked_for_again() -> None:
    """The factor's words are told, three times at most; nothing is sent."""
    alice = Newcomer(ONLY_NUMBER)
    step = await alice.log_in("0142")
    assert asked(step).startswith("A number begins with +.\nText message: type a phone number")
    assert refused(await alice.say(step, "", "x")) == "A number begins with +."
    assert alice.post.sent == []


async def test_another_message_can_be_asked_for() -> None:
    """An "r" sends another word, the older one is dead, and no guess is counted."""
    alice = Newcomer(ONLY_NUMBER)
    step = await alice.log_in("+15550142", "r")
    assert asked(step) == "Word sent to number 2: "
    step = await alice.say(step, "word1")
    assert login_words.WRONG_CODE in asked(step)
    granted(await alice.say(step, "word2"))
    assert all(not one.failures for scope, one in alice.store.limits.items() if "factor/" in scope)


async def test_a_message_that_can_not_leave_is_no_way_in() -> None:
    """OOB-06: the address is asked for again; at last it is an outage, and nobody's fault."""
    alice = Newcomer(ONLY_NUMBER)
    alice.post.away = True
    step = await alice.log_in("+15550142")
    assert asked(step).startswith(login_words.NOT_SENT)
    step = await alice.say(step, "+15550142", "+15550142")
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.UNAVAILABLE


async def test_enrolling_sends_no_more_than_its_budget() -> None:
    """OOB-04: the fourth message in ten minutes is not sent, whatever the number."""
    alice = Newcomer(ONLY_NUMBER)
    for number in range(3):
        await alice.log_in(f"+1555010{number}")
    step = await alice.log_in("+15550104")
    assert isinstance(step, Outcome)
    assert (step.verdict, step.message) == (
        Verdict.LOCKED,
        "Too many messages were sent. Try again in 10 minutes.",
    )
    assert len(alice.post.sent) == 3
