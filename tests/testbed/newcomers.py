"""Somebody without a second factor, on the fakes of `testbed.core`, with factors to set up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.channel import Medium, Message
from nightlatch.factor import (
    Challenge,
    Context,
    Decision,
    Enrollment,
    EnrollmentRequest,
    FactorPlugin,
    Settings,
    Subject,
    Verdict,
)
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step
from nightlatch.login.step import Verdict as Ending
from nightlatch.notices import Notices
from nightlatch.plugins.facade import FactorFacade
from nightlatch.policy.model import EnrollmentMode, Rule
from testbed.core import ALICE, PLUGINS, SentFactor, WordFactor, World

if TYPE_CHECKING:
    from nightlatch.factor import SendingContext

CALLER = "pam uid=0"
LED = Rule("led", enrollment=EnrollmentMode.SELF)
APP_URI = "otpauth://totp/nl:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=nl&algorithm=SHA256"


class AppFactor(WordFactor):
    """The word, with a code to scan."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        return Enrollment(b"word", APP_URI, (("account", "nl: alice"), ("secret", "JBSW Y3DP")))

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        return Verdict(Decision.AGAIN) if answer == "again" else super().verify(state, memo, answer, context)


class NumberFactor(SentFactor):
    """Sends its word to a number."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        if not request.address.startswith("+"):
            raise ValueError("A number begins with +.")
        return Enrollment(request.address.encode(), label=f"•••• {request.address[-2:]}")

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        count = int(context.memo or b"0") + 1
        await context.send(("post",), state.decode(), Message("login_code", {"code": f"word{count}"}))
        return Challenge(f"Word sent to number {count}", memo=str(count).encode(), labelled=False)


class PaperFactor(WordFactor):
    """Two words on paper; cannot be made while `torn`."""

    torn = False

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        if PaperFactor.torn:
            raise RuntimeError("no paper")
        return Enrollment(b"paper", details=(("code 1", "AAAA"), ("code 2", "BBBB")))

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        return Verdict(Decision.ACCEPT if answer == "AAAA" else Decision.REJECT)


FACTORS = (
    FactorPlugin("app", "Authenticator app", Settings, lambda _: AppFactor()),
    FactorPlugin("number", "Text message", Settings, lambda _: NumberFactor(), medium=Medium.PHONE),
    FactorPlugin("paper", "Paper code", Settings, lambda _: PaperFactor(), confirmed=False, single=True),
    *(plugin for plugin in PLUGINS if plugin.name in {"help", "device", "sent"}),
)


class Newcomer:
    """Alice, who has nothing yet. `rule` is the one rule there is."""

    def __init__(self, rule: Rule = LED, factors: tuple[FactorPlugin, ...] = FACTORS) -> None:
        self.world = World()
        self.store, self.clock, self.post = self.world.store, self.world.clock, self.world.post
        self.store.held[ALICE.id].clear()
        facades = {
            plugin.name: FactorFacade(plugin, plugin.build(Settings()), self.clock.steady)
            for plugin in factors
        }
        parts = self.world.parts
        notices = Notices(parts.sender, facades, self.store, self.clock, parts.log)
        self.world.parts = replace(parts, factors=facades, notices=notices)
        self.rules(rule)

    def rules(self, *rules: Rule) -> None:
        """Replace the policy, as a reload does."""
        self.world.rules(*rules)

    def give(self, identity: str, factor: str, state: bytes = b"word") -> None:
        """Enrol alice."""
        self.world.give(identity, factor, factor)
        made = self.store.held[ALICE.id][identity]
        self.store.held[ALICE.id][identity] = replace(made, state=state)

    @property
    def factors(self) -> list[str]:
        """What alice has."""
        return [one.factor for one in self.store.held[ALICE.id].values()]

    def audit(self, event: str) -> list[str]:
        """The reasons of audit rows with this event."""
        return [one.reason for one in self.store.events if one.event == event]

    async def begin(
        self, name: str = "alice", *, draws_qr: bool = False, evidence: tuple[str, ...] = ()
    ) -> Step:
        """The step after the first factor."""
        request = LoginRequest(
            name, "sshd", "192.0.2.1", "ssh", Primary.ESTABLISHED, evidence, draws_qr=draws_qr
        )
        return await self.world.engine.begin(CALLER, request)

    async def say(self, step: Step, *answers: str) -> Step:
        """Answer one question after another."""
        for answer in answers:
            assert isinstance(step, Prompt), step
            step = await self.world.engine.answer(CALLER, step.ticket, answer.encode())
        return step

    async def log_in(self, *answers: str) -> Step:
        """A login behind the first factor."""
        return await self.say(await self.begin(), *answers)


def asked(step: Step) -> str:
    """The words of a question."""
    assert isinstance(step, Prompt), step
    return step.text


def refused(step: Step) -> str:
    """The words of a refusal."""
    assert isinstance(step, Outcome), step
    assert step.verdict is Ending.REFUSED, step
    return step.message


def granted(step: Step) -> str:
    """The words of a grant."""
    assert isinstance(step, Outcome), step
    assert step.verdict is Ending.GRANTED, step
    return step.message
