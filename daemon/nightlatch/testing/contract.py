"""The tests that every factor passes. Each says in a sentence what people rely on."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import NotSent
from nightlatch.errors import Invalid, SettingsProblems
from nightlatch.factor import Decision
from nightlatch.plugins.answers import MOST_STATE_BYTES
from nightlatch.testing.kit import SUBJECT, Flow

if TYPE_CHECKING:
    from nightlatch.testing.kit import FactorKit

_FAR_AWAY = (86_400.0 * 365, 4_102_444_800.0)
"""1971 and 2100: who reads the machine's clock answers differently there."""
_QUICK_SECONDS = 0.02
_FULLWIDTH = {ord(digit): chr(0xFF10 + int(digit)) for digit in "0123456789"}
_RUBBISH = (
    "",
    " ",
    "0",
    "-",
    "\x00",
    "\n",
    "None",
    "True",
    "\u0661\u0662\u0663\u0664\u0665\u0666",
    "\u00b2" * 6,
    "\u202e123456",
    "\ud800",
    "\U0001f511" * 8,
    "0" * 100_000,
    "A" * 100_000,
)
_HOSTILE = (
    "",
    "a@b.c\r\nBcc: x@y.z",
    "a@b.c\nRCPT TO:<x@y.z>",
    "a@b.c,x@y.z",
    "a@b.c x@y.z",
    "A <a@b.c>",
    "a@b.c\x00",
    "a" * 5000 + "@b.c",
    "+19005550123",
    "+1415555010\r\n0",
    "+\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff10\uff10",
    "+1 415 555 0100,+1 900 555 0123",
)


class FactorContract:
    """Subclass it, and give the fixture `kit`."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """The factor under test."""
        raise NotImplementedError("a subclass of FactorContract gives the fixture `kit`")

    def test_enrolment_is_confirmed_by_a_right_answer(self, kit: FactorKit) -> None:
        """The first right answer to the first challenge is accepted."""
        flow = Flow.begin(kit)
        assert flow.verify(flow.right_answer).decision is Decision.ACCEPT

    def test_an_answer_counts_once(self, kit: FactorKit) -> None:
        """OTP-07: once the new state is stored, the same answer is refused, at once and later."""
        flow = Flow.begin(kit)
        answer = flow.right_answer
        after = flow.answered(answer)
        if kit.reusable_seconds is None:
            assert after.later().verify(answer).decision is Decision.ACCEPT
            return
        if kit.reusable_seconds == 0:
            assert after.verify(answer).decision is Decision.REJECT
        for seconds in (1, kit.seconds_between):
            later = after.later(kit.reusable_seconds + seconds)
            assert later.verify(answer).decision is Decision.REJECT

    def test_a_new_answer_is_accepted_later(self, kit: FactorKit) -> None:
        """A spent answer does not lock the person out of the next one."""
        flow = Flow.begin(kit)
        flow = flow.answered(flow.right_answer).later()
        assert flow.verify(flow.right_answer).decision is Decision.ACCEPT

    def test_wrong_answers_are_refused_and_change_nothing_for_the_right_one(self, kit: FactorKit) -> None:
        """OTP-05: wrong answers count as refusals, and no sequence of them moves a credential."""
        flow = Flow.begin(kit)
        for answer in flow.wrong_answers:
            assert flow.verify(answer).decision is Decision.REJECT
            flow = flow.answered(answer)
        assert flow.verify(flow.right_answer).decision is Decision.ACCEPT

    @pytest.mark.parametrize("answer", _RUBBISH, ids=lambda answer: ascii(answer[:12]))
    def test_rubbish_is_refused_not_raised(self, kit: FactorKit, answer: str) -> None:
        """Whatever is typed is judged: an exception would not count against who types it."""
        assert Flow.begin(kit).verify(answer).decision is Decision.REJECT

    def test_what_only_resembles_the_answer_is_refused(self, kit: FactorKit) -> None:
        """The right answer with something added, or in other digits, is another answer."""
        flow = Flow.begin(kit)
        right = flow.right_answer
        for answer in (right + "0", "0" + right, right + "\x00", right + right, right[:-1]):
            assert flow.verify(answer).decision is Decision.REJECT
        if right.translate(_FULLWIDTH) != right:
            assert flow.verify(right.translate(_FULLWIDTH)).decision is Decision.REJECT

    def test_a_restored_backup_brings_no_answer_back(self, kit: FactorKit) -> None:
        """STO-06: what may have been accepted after a backup is refused on the state that comes of it.

        A credential that can not promise this ends; one that stays takes the next right answer.
        """
        backup = Flow.begin(kit)
        asked = [backup, backup.later(), backup.again()]
        state = backup.facade.restored(backup.state, backup.later().context)
        if state is None or kit.reusable_seconds is None:
            return
        for flow in asked:
            assert not flow.accepts(flow.right_answer, state)
        after = replace(backup.later(), state=state).later()
        assert after.verify(after.right_answer).decision is Decision.ACCEPT

    def test_an_answer_belongs_to_its_credential(self, kit: FactorKit) -> None:
        """What is right for one credential is wrong for another of the same person."""
        flow, other = Flow.begin(kit), Flow.begin(kit, "second")
        assert not other.accepts(flow.right_answer)

    def test_a_damaged_state_lets_nobody_in(self, kit: FactorKit) -> None:
        """Not even the right answer is accepted on a state that is cut off, empty, or somebody's rubbish."""
        flow = Flow.begin(kit)
        flow = flow.answered(flow.right_answer).later()
        rubbish = (b"{}", b"null", bytes(len(flow.state)), b"\xff" * len(flow.state), b"\xff" * 4096)
        cut = [flow.state[:length] for length in range(len(flow.state))]
        for state in (*cut, *rubbish):
            assert not flow.accepts(flow.right_answer, state)

    def test_a_changed_state_lets_no_wrong_answer_in(self, kit: FactorKit) -> None:
        """Flipping any one bit of the state does not make wrong answers right."""
        flow = Flow.begin(kit)
        wrong = (*flow.wrong_answers[:1], "")
        for place in range(len(flow.state) * 8):
            changed = bytearray(flow.state)
            changed[place // 8] ^= 1 << place % 8
            assert not any(flow.accepts(answer, bytes(changed)) for answer in wrong)

    def test_a_verdict_depends_on_nothing_but_its_arguments(self, kit: FactorKit) -> None:
        """The same question has the same answer: again, after others, and in another daemon."""
        flow = Flow.begin(kit)
        first = flow.verify(flow.right_answer)
        flow.verify(flow.wrong_answers[0])
        assert flow.verify(flow.right_answer) == first
        assert replace(flow, facade=kit.load()).verify(flow.right_answer) == first

    def test_enrolled_credentials_survive_new_settings(self, kit: FactorKit) -> None:
        """A credential that was enrolled under one configuration works under another."""
        flow = Flow.begin(kit)
        changed = replace(flow, facade=kit.load(kit.changed_settings))
        assert changed.verify(flow.right_answer).decision is Decision.ACCEPT

    @pytest.mark.parametrize("now", _FAR_AWAY)
    def test_time_comes_from_the_context(self, kit: FactorKit, now: float) -> None:
        """A whole life of a credential goes the same way in another century."""
        flow = Flow.begin(kit, now=now)
        answer = flow.right_answer
        assert flow.verify(answer).decision is Decision.ACCEPT
        flow = flow.answered(answer)
        if kit.reusable_seconds == 0:
            assert flow.verify(answer).decision is Decision.REJECT
        flow = flow.later()
        assert flow.verify(flow.right_answer).decision is Decision.ACCEPT

    def test_randomness_comes_from_the_context(self, kit: FactorKit) -> None:
        """The same random bytes make the same credential, and other bytes another."""
        assert Flow.begin(kit).state == Flow.begin(kit).state
        assert Flow.begin(kit).state != Flow.begin(kit, "second").state

    def test_a_state_stays_small(self, kit: FactorKit) -> None:
        """After a hundred logins the state still fits, and is no longer than it was half-way."""
        flow = Flow.begin(kit)
        lengths = []
        for _ in range(min(kit.logins, 100) - 1):
            flow = flow.answered(flow.right_answer).later()
            lengths.append(len(flow.state))
        assert max(lengths) <= MOST_STATE_BYTES
        assert lengths[-1] <= max(lengths[: len(lengths) // 2 + 1])

    def test_verify_is_quick(self, kit: FactorKit) -> None:
        """What others wait for takes no time worth mentioning; a factor that says that it is slow has."""
        flow = Flow.begin(kit)
        slow = flow.facade.plugin.slow
        for answer in (flow.right_answer, flow.wrong_answers[0], "0" * 100_000):
            costs = []
            for _ in range(5):
                start = time.process_time()
                flow.verify(answer)
                costs.append(time.process_time() - start)
            assert min(costs) <= (kit.verify_seconds if slow else min(kit.verify_seconds, _QUICK_SECONDS))

    def test_a_challenge_can_be_cancelled(self, kit: FactorKit) -> None:
        """A person who hangs up leaves nothing behind, and the next one is asked as always."""
        flow = Flow.begin(kit).later()  # a login, as the one after it
        asyncio.run(_cancelled_challenge(flow))
        assert flow.later().challenge.prompt == flow.challenge.prompt

    def test_unknown_settings_are_named(self, kit: FactorKit) -> None:
        """A misspelt setting stops the start, with its place."""
        with pytest.raises(SettingsProblems) as caught:
            kit.load({**kit.settings, "no_such_setting": 1})
        assert [place for place, _ in caught.value.located] == [f"factors.{kit.factor}.no_such_setting"]

    def test_nothing_secret_is_told(
        self, kit: FactorKit, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """LEK-01: neither state nor answer, address or memo is in a repr, a reason, a log, or the output."""
        caplog.set_level(logging.DEBUG)
        flow = Flow.begin(kit)
        right, wrong = flow.right_answer, flow.wrong_answers[0]
        verdicts = (flow.verify(right), flow.verify(wrong), flow.answered(right).verify(right))
        told = repr((flow, flow.sent, verdicts)) + caplog.text + "".join(capfd.readouterr())
        for secret in (right, wrong, flow.state.hex(), repr(flow.state)[2:-1], *_typed_secrets(flow)):
            assert secret not in told

    def test_messages_go_to_the_proven_address_only(self, kit: FactorKit) -> None:
        """OOB-05: what a factor sends goes where notices reach its owner, by channels of its settings."""
        flow = Flow.begin(kit)
        flow = flow.answered(flow.right_answer).later()
        reach = flow.facade.reach(flow.state)
        assert bool(flow.sent) is bool(kit.channels)
        for sent in flow.sent:
            assert reach is not None
            assert sent.address == reach.address
            assert sent.channels
            assert set(sent.channels) <= set(kit.channels)

    def test_a_message_that_can_not_leave_is_no_prompt(self, kit: FactorKit) -> None:
        """OOB-06: without a message nobody is asked for its code, and the next login goes as always."""
        flow = Flow.begin(kit)
        flow = flow.answered(flow.right_answer)
        if kit.channels:
            with pytest.raises(NotSent):
                flow.cut_off().later()
        else:
            flow.cut_off().later()
        flow = flow.later()
        assert flow.verify(flow.right_answer).decision is Decision.ACCEPT

    @pytest.mark.parametrize("address", _HOSTILE, ids=lambda address: ascii(address[:24]))
    def test_hostile_addresses_are_refused(self, kit: FactorKit, address: str) -> None:
        """OOB-05: what would end a header, add a receiver or cost a fortune is refused, in words."""
        if not kit.channels:
            Flow.begin(replace(kit, address=address))
            return
        with pytest.raises(Invalid) as caught:
            Flow.begin(replace(kit, address=address))
        assert str(caught.value)
        assert not address or address not in str(caught.value)

    def test_a_code_belongs_to_the_question_it_was_sent_for(self, kit: FactorKit) -> None:
        """OOB-01: what answers one login's question does not answer that of another login."""
        flow = Flow.begin(kit)
        other = flow.later()
        if kit.channels and flow.sent != other.sent:
            assert flow.right_answer != other.right_answer
            assert not other.accepts(flow.right_answer)
        assert other.accepts(other.right_answer)


async def _cancelled_challenge(flow: Flow) -> None:
    task = asyncio.ensure_future(flow.facade.challenge(SUBJECT, flow.state, flow.context))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert task.done(), "a cancelled challenge must end"
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left, timeout=1) if left else None
    assert all(one.done() for one in left), "a cancelled challenge must leave no task behind"


def _typed_secrets(flow: Flow) -> tuple[str, ...]:
    """What else a reader could use: the QR code's text, the token, the address, the memo in the ticket."""
    enrollment = flow.enrollment
    texts = (enrollment.qr_payload, enrollment.token, flow.kit.address, repr(flow.challenge.memo)[2:-1])
    return tuple(text for text in texts if text)
