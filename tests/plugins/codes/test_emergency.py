"""The emergency code: one to the security email, that outlasts the login it was sent for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from nightlatch.factor import Decision, Medium, NotSent
from nightlatch.testing import FactorKit, Flow
from nightlatch.testing.kit import SUBJECT
from nightlatch_codes.emergency_state import MOST_WRONG

KIT = FactorKit(
    plugin="emergency",
    factor="emergency",
    settings={"channels": ["smtp"]},
    channels={"smtp": Medium.MAILBOX},
    address="alice@home.example",
)
WRONG = "0000-0000-0000"


@pytest.fixture
def flow() -> Flow:
    """A person with a proven security email, who has just asked for a code."""
    enrolled = Flow.begin(KIT)
    return enrolled.answered(enrolled.right_answer).later(3600)


def refused(flow: Flow, answer: str) -> str:
    """The reason for which an answer is refused."""
    verdict = flow.verify(answer)
    assert verdict.decision is Decision.REJECT
    return verdict.reason


def test_it_is_the_last_resort() -> None:
    """It stands last in the list in a person's own words, and its use is told everywhere."""
    plugin = KIT.load().plugin
    assert (
        plugin.choice.format(title=plugin.title, label="a•••@home.example") == "I can't access any of these"
    )
    assert plugin.last_resort
    assert plugin.weak
    assert plugin.single
    assert plugin.told == "notice_emergency_code"


def test_the_security_email_is_proven_like_any_address() -> None:
    """Its enrolment sends a message of its own kind, and is confirmed by the code in it."""
    flow = Flow.begin(KIT)
    assert flow.enrollment.label == "a•••@home.example"
    assert flow.sent[-1].message.template == "enrollment_code"
    assert flow.accepts(flow.right_answer)


def test_what_is_sent(flow: Flow) -> None:
    """Twelve letters and digits in groups of four, valid for half an hour, and for what."""
    sent = flow.sent[-1]
    assert (sent.channels, sent.address) == (("smtp",), "alice@home.example")
    assert sent.message.template == "emergency_code"
    assert sent.message.values["minutes"] == "30"
    assert sent.message.values["service"] == "sshd"
    assert [len(group) for group in sent.message.values["code"].split("-")] == [4, 4, 4]
    assert (
        flow.challenge.prompt
        == "Emergency code sent to a•••@home.example, valid 30 minutes (r to send again)"
    )


def test_it_may_be_typed_as_people_type(flow: Flow) -> None:
    """Case, blanks and dashes do not matter, nor the letters that look like digits."""
    code = flow.right_answer
    slips = code.replace("0", "o").replace("1", "l")
    for typed in (code.lower(), code.replace("-", " "), code.replace("-", ""), slips, f" {code} "):
        assert flow.accepts(typed)


def test_a_later_login_takes_the_code_that_is_on_its_way(flow: Flow) -> None:
    """Who hangs up to read mail types the code into the next login; nothing is sent again."""
    code = flow.right_answer
    back = flow.later(8 * 60 + 5)
    assert back.sent == flow.sent
    assert back.challenge.state is None
    assert back.challenge.prompt == (
        "An emergency code was sent to a•••@home.example; it is valid for 21 more minutes (r to send another)"
    )
    assert back.accepts(code)


def test_a_code_with_little_time_left_is_not_waited_for(flow: Flow) -> None:
    """A login that begins in the last five minutes gets a code of its own, and the older one is dead."""
    assert flow.later(25 * 60).sent == flow.sent
    late = flow.later(25 * 60 + 1)
    assert len(late.sent) == len(flow.sent) + 1
    assert refused(late, flow.right_answer) == "wrong code"
    assert late.accepts(late.right_answer)


def test_a_wish_sends_another_and_kills_the_older(flow: Flow) -> None:
    """After 30 s another message may be sent; the code of the one before is dead, in every login."""
    assert flow.verify("r").decision is Decision.AGAIN
    early = flow.again(10)
    assert early.sent == flow.sent
    assert early.challenge.prompt == (
        "Emergency code sent to a•••@home.example already; another can be sent in 20 seconds"
    )
    again = flow.again(30)
    assert again.challenge.prompt is not None
    assert again.challenge.prompt.startswith("New emergency code sent to a•••@home.example, valid 30 minutes")
    assert refused(again, flow.right_answer) == "wrong code"
    assert again.accepts(again.right_answer)


def test_a_used_code_is_gone(flow: Flow) -> None:
    """REC-04: the code works once, and leaves nothing behind that could be tried."""
    code = flow.right_answer
    assert refused(flow.answered(code), code) == "no emergency code is on its way"


def test_a_code_is_dead_after_half_an_hour(flow: Flow) -> None:
    """OOB-03: right at 1799 s, refused at 1800 s and 1801 s, with the same words as a wrong one."""
    code = flow.right_answer
    assert flow.at(1799).accepts(code)
    for seconds in (1800, 1801, 86_400):
        assert refused(flow.at(seconds), code) == refused(flow.at(seconds), WRONG) == "code expired"


def test_guesses_wear_a_code_out(flow: Flow) -> None:
    """REC-03: ten wrong guesses, in however many logins, and the code is dead; another has ten again."""
    code = flow.right_answer
    for _ in range(MOST_WRONG - 1):
        flow = flow.answered(WRONG).later(1)
    assert flow.accepts(code)
    flow = flow.answered(WRONG)
    assert refused(flow, code) == "no emergency code is on its way"
    other = flow.again(60).answered(WRONG)
    assert other.accepts(other.right_answer)


def test_what_is_no_code_wears_nothing_out(flow: Flow) -> None:
    """A code of another factor, typed here by mistake, is refused without costing the mailed one."""
    verdict = flow.verify("123456")
    assert (verdict.decision, verdict.state) == (Decision.REJECT, None)
    assert verdict.reason == "not a code of 12 characters"


def test_a_message_that_can_not_leave(flow: Flow) -> None:
    """OOB-06: a code on its way still counts when no other can be sent; without one nobody is asked."""
    stuck = flow.cut_off().again(120)
    assert stuck.challenge.prompt == (
        "No other code could be sent just now; "
        "the one sent to a•••@home.example still counts for 28 more minutes"
    )
    assert stuck.accepts(flow.right_answer)
    with pytest.raises(NotSent):
        flow.cut_off().later(1800)


def test_a_cancelled_message_changes_nothing(flow: Flow) -> None:
    """A person who hangs up while the mail leaves keeps the code that was on its way before."""

    async def hang_up() -> None:
        context = replace(flow.context, now=flow.context.now + 60, memo=flow.challenge.memo)
        task = asyncio.ensure_future(flow.facade.challenge(SUBJECT, flow.state, context))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(hang_up())
    assert flow.accepts(flow.right_answer)


def test_the_state_tells_no_code(flow: Flow) -> None:
    """LEK-01: the store holds no code in readable form, sealed or not."""
    code = flow.right_answer
    assert code.encode() not in flow.state
    assert code.replace("-", "").encode() not in flow.state
