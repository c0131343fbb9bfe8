"""What a code by text message or email says, when it counts, and when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.factor import Decision, Medium, NotSent, Subject
from nightlatch.testing import FactorKit, Flow, KitContext, Repeatable
from nightlatch_codes import words
from nightlatch_codes.state import MOST_USED

SMS = FactorKit(
    plugin="sms",
    factor="sms",
    settings={"channels": ["gateway", "spare"], "countries": ["US"]},
    channels={"gateway": Medium.PHONE, "spare": Medium.PHONE},
    address="+1 415-555-0142",
)
EMAIL = FactorKit(
    plugin="email",
    factor="email",
    settings={"channels": ["smtp"]},
    channels={"smtp": Medium.MAILBOX},
    address="Alice.Smith@Example.COM",
)
BOTH = pytest.mark.parametrize("kit", [SMS, EMAIL], ids=["sms", "email"])


@BOTH
def test_a_code_that_is_sent_is_weak(kit: FactorKit) -> None:
    """Others can read it on its way; reports tell who has nothing better."""
    assert kit.load().plugin.weak


def refused(flow: Flow, answer: str) -> str:
    """The reason for which an answer is refused."""
    verdict = flow.verify(answer)
    assert verdict.decision is Decision.REJECT
    assert verdict.state is None
    return verdict.reason


def test_a_text_message_at_its_enrolment() -> None:
    """The number is enrolled as E.164, shown by its last digits, and proven by a message of its own kind."""
    flow = Flow.begin(SMS)
    assert flow.enrollment.label == "•••• 42"
    assert flow.challenge.prompt == "Code sent to •••• 42, valid 5 minutes"
    assert not flow.challenge.labelled
    (sent,) = flow.sent
    assert (sent.channels, sent.address) == (("gateway", "spare"), "+14155550142")
    assert sent.message.template == "enrollment_code"
    assert {**sent.message.values, "code": ""} == {"code": "", "minutes": "5", "user": "alice"}
    code = sent.message.values["code"]
    assert len(code) == 6
    assert code.isdigit()


def test_an_email_at_a_login() -> None:
    """Eight digits, and a message that names what is signed in to."""
    flow = Flow.begin(EMAIL).later()
    assert flow.enrollment.label == "A•••@example.com"
    assert flow.challenge.prompt == "Code sent to A•••@example.com, valid 5 minutes (r to send again)"
    sent = flow.sent[-1]
    assert (sent.channels, sent.address) == (("smtp",), "Alice.Smith@example.com")
    assert sent.message.template == "login_code"
    assert sent.message.values["service"] == "sshd"
    assert len(sent.message.values["code"]) == 8


@pytest.mark.parametrize(("kit", "name"), [(SMS, "sms"), (EMAIL, "email")])
def test_how_it_stands_in_the_list(kit: FactorKit, name: str) -> None:
    """A person chooses between "Text message to •••• 42" and "Email to a•••@example.com"."""
    plugin = kit.load().plugin
    words = {"sms": "Text message to •••• 42", "email": "Email to a•••@example.com"}
    label = words[name].rpartition(" to ")[2]
    assert plugin.choice.format(title=plugin.title, label=label) == words[name]


@BOTH
def test_a_code_counts_in_its_own_login_only(kit: FactorKit) -> None:
    """OOB-01: a code that was sent for one login of a person is wrong in another, and right in its own."""
    ours = Flow.begin(kit).later()
    theirs = ours.later(1)
    assert refused(theirs, ours.right_answer) == "wrong code"
    assert refused(ours, theirs.right_answer) == "wrong code"
    assert ours.verify(ours.right_answer).decision is Decision.ACCEPT


@BOTH
def test_two_logins_at_once_do_not_disturb_each_other(kit: FactorKit) -> None:
    """A code that is used in one login leaves the code of a login beside it alone."""
    first = Flow.begin(kit).later()
    second = first.later(1)
    first = first.answered(first.right_answer)
    assert replace(second, state=first.state).accepts(second.right_answer)


@BOTH
def test_a_code_is_dead_after_its_time(kit: FactorKit) -> None:
    """OOB-03: right at 299 s, refused at 300 s and at 301 s, with the same words as a wrong one."""
    flow = Flow.begin(kit)
    code, wrong = flow.right_answer, flow.wrong_answers[0]
    assert flow.at(299).accepts(code)
    for seconds in (300, 301, 86_400):
        assert refused(flow.at(seconds), code) == refused(flow.at(seconds), wrong) == "code expired"


@BOTH
def test_a_right_code_moves_nothing_but_itself(kit: FactorKit) -> None:
    """The code is refused a second time for what it is, whoever still holds its ticket."""
    flow = Flow.begin(kit)
    code = flow.right_answer
    assert refused(flow.answered(code), code) == "code used before"


@BOTH
def test_a_credential_remembers_more_codes_than_can_be_sent(kit: FactorKit) -> None:
    """The memory of used codes has an end, and the newest stay in it."""
    flow = Flow.begin(kit)
    oldest = flow
    for _ in range(MOST_USED):
        flow = flow.answered(flow.right_answer)
        last = flow
        flow = flow.later(1)
    assert refused(replace(oldest, state=flow.state), oldest.right_answer) == "code used before"
    assert refused(last, last.right_answer) == "code used before"


@BOTH
@pytest.mark.parametrize("wish", ["r", "R", " r ", "resend", "Resend"])
def test_a_person_may_wish_another_message(kit: FactorKit, wish: str) -> None:
    """The wish is no wrong answer, and decides nothing by itself."""
    verdict = Flow.begin(kit).verify(wish)
    assert verdict.decision is Decision.AGAIN
    assert verdict.state is None


@BOTH
def test_a_wish_within_the_pause_sends_nothing(kit: FactorKit) -> None:
    """Messages of a login are 30 s apart: until then the first code stays right, and the wait is told."""
    flow = Flow.begin(kit)
    asked = flow.again(18)
    assert asked.sent == flow.sent
    assert asked.challenge.memo == flow.challenge.memo
    assert asked.challenge.prompt == (
        f"Code sent to {flow.enrollment.label} already; another can be sent in 12 seconds"
    )
    assert asked.again(11).challenge.prompt is not None
    assert asked.again(11).challenge.prompt.endswith("in 1 second")  # type: ignore[union-attr]  # asserted above
    assert asked.accepts(flow.right_answer)


@BOTH
def test_another_message_kills_the_older_code(kit: FactorKit) -> None:
    """After the pause a wish sends another code, and the one before is wrong from then on."""
    flow = Flow.begin(kit)
    asked = flow.again(30)
    assert len(asked.sent) == 2
    assert (
        asked.challenge.prompt
        == f"New code sent to {flow.enrollment.label}, valid 5 minutes (r to send again)"
    )
    assert refused(asked, flow.right_answer) == "wrong code"
    assert asked.accepts(asked.right_answer)


@BOTH
def test_a_clock_that_went_back_does_not_stop_messages(kit: FactorKit) -> None:
    """A message of the future is none: the person need not wait a year for another one."""
    flow = Flow.begin(kit).again(-365 * 86_400)
    assert len(flow.sent) == 2


@BOTH
def test_a_second_message_that_can_not_leave_leaves_the_first(kit: FactorKit) -> None:
    """OOB-06: where the limits or the provider refuse another message, the code at hand still counts."""
    flow = Flow.begin(kit)
    asked = flow.cut_off().again(60)
    assert asked.challenge.prompt == (
        f"No other code could be sent just now; the one sent to {flow.enrollment.label} still counts"
    )
    assert asked.accepts(flow.right_answer)
    with pytest.raises(NotSent):
        flow.cut_off().again(300)


@BOTH
def test_what_is_no_code(kit: FactorKit) -> None:
    """Grouped digits are a code; letters, other digits and other lengths are not."""
    flow = Flow.begin(kit)
    code = flow.right_answer
    for typed in (f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}"):
        assert flow.accepts(typed)
    wide = code.translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"})
    for typed in (
        wide,
        code + "0",
        code[1:],
        f"{code[:3]}  {code[3:]}",
        "\N{FULLWIDTH LATIN SMALL LETTER R}",
    ):
        assert refused(flow, typed) == f"not a code of {len(code)} digits"


def test_a_name_with_control_characters_spoils_no_message() -> None:
    """OOB-05: what a directory calls a person, or a caller a service, can not break a message's lines."""
    context = KitContext(0.0, 1.0, Repeatable("names"), service="ss\r\nhd")
    message = words.message("login_code", "123456", 5, Subject("a\r\nBcc: x@y.z", "corp"), context)
    assert message.values["user"] == "a??Bcc: x@y.z"
    assert message.values["service"] == "ss??hd"


@BOTH
def test_the_memo_tells_no_code(kit: FactorKit) -> None:
    """LEK-01: an opened ticket has the code in no readable form."""
    flow = Flow.begin(kit)
    assert flow.right_answer.encode() not in flow.challenge.memo
    assert flow.right_answer.encode() not in flow.state


@BOTH
@pytest.mark.parametrize("memo", [b"", b"\x01", b"\x02" + bytes(49), b"\x01\x06" + bytes(47)])
def test_a_memo_of_others_lets_nobody_in(kit: FactorKit, memo: bytes) -> None:
    """A memo that this version can not have written is a fault, never a guess."""
    flow = Flow.begin(kit)
    assert not replace(flow, challenge=replace(flow.challenge, memo=memo)).accepts(flow.right_answer)


@BOTH
def test_a_changed_memo_makes_nothing_right(kit: FactorKit) -> None:
    """Times and code are under one hash: a memo with a later end, or any other bit changed, fits no code."""
    flow = Flow.begin(kit)
    memo = flow.challenge.memo
    for place in range(len(memo) * 8):
        changed = bytearray(memo)
        changed[place // 8] ^= 1 << place % 8
        other = replace(flow, challenge=replace(flow.challenge, memo=bytes(changed)))
        assert not other.accepts(flow.right_answer)
