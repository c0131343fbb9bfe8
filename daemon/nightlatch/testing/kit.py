"""What the contract suite must know of a factor, and how it leads a credential through its life."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.factor import Decision, EnrollmentRequest, Subject
from nightlatch.plugins.loader import load_factors, load_plugins
from nightlatch.testing import channels
from nightlatch.testing.context import KitContext, Repeatable, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nightlatch.factor import Challenge, Enrollment, Medium, Verdict
    from nightlatch.plugins.facade import FactorFacade

NOW = 1_700_000_000.0
SUBJECT = Subject("alice", "corp")
SERVICE = "sshd"
"""What is signed in to after the enrolment; during it, nothing is."""
DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FactorKit:
    """A factor under test."""

    plugin: str
    """Its entry point's name in the group ``nightlatch.plugins``."""
    factor: str
    """Its own name."""
    right_answer: Callable[[Enrollment, Challenge, float], str] | None = None
    """What an honest person answers to a challenge at a time, knowing what enrolment showed.

    None for what the suite knows itself: the value "code" of the last message that was sent, or for a silent
    factor the newest token, else the first piece of evidence.
    """
    wrong_answers: Callable[[Enrollment, Challenge, float], tuple[str, ...]] | None = None
    """Answers that look right and are wrong: another code, an old one. None for its neighbours."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Its table ``[factors.NAME]``."""
    changed_settings: Mapping[str, object] = field(default_factory=dict)
    """A table that the administrator changes it to; people who enrolled before must not notice."""
    seconds_between: float = 60.0
    """After which there is a new right answer."""
    logins: int = 100
    """How many logins a credential lasts, where it is used up; the suite tries no more than 100."""
    verify_seconds: float = 0.1
    """Processor time that one `verify` may take. Unless the plugin is `slow`, 0.02 at most: others wait."""
    channels: Mapping[str, Medium] = field(default_factory=dict)
    """The channels that its settings name, for a factor that sends."""
    address: str = field(default="", repr=False)
    """Where its codes go, for a factor that sends."""
    evidence: Callable[[str], tuple[str, ...]] = lambda _person: ()
    """What a person's caller sends with the login before the enrolment, for a silent factor."""
    presented: Callable[[str], str] = lambda token: token
    """How a silent factor's token looks as evidence of a later login."""
    lasting_seconds: float | None = None
    """How long policy lets a credential last; None for ever."""
    reusable_seconds: float | None = 0.0
    """For how long an answer counts again after its use: 0 for never, None for always (a proven key)."""

    def load(self, settings: Mapping[str, object] | None = None) -> FactorFacade:
        """The factor as the daemon loads it, with its own settings or others; raises SettingsProblems."""
        table = {self.factor: self.settings if settings is None else settings}
        if not self.channels:
            return load_factors([self.plugin], table)[self.factor]
        with channels.installed():
            enabled = [self.plugin, channels.PLUGIN]
            return load_plugins(enabled, table, channels.tables(self.channels)).factors[self.factor]


@dataclass(frozen=True, slots=True)
class Flow:
    """One credential at one moment, with the factor that the real loader built."""

    kit: FactorKit
    facade: FactorFacade
    context: KitContext
    enrollment: Enrollment
    state: bytes = field(repr=False)
    challenge: Challenge
    evidence: str = field(default="", repr=False)
    """What the caller of a silent factor holds: the newest token, or what it sent at first."""

    @classmethod
    def begin(cls, kit: FactorKit, seed: str = "first", now: float = NOW) -> Flow:
        """Load the factor, enrol, and ask for the first answer."""
        facade = kit.load()
        context = KitContext(now, now + DEADLINE_SECONDS, Repeatable(seed))
        evidence = kit.evidence(seed)
        ends = None if kit.lasting_seconds is None else now + kit.lasting_seconds
        request = EnrollmentRequest("phone", kit.address, evidence, ends)
        enrollment = facade.enroll(SUBJECT, request, context)
        challenge = asyncio.run(facade.challenge(SUBJECT, enrollment.state, context))
        state = enrollment.state if challenge.state is None else challenge.state
        held = kit.presented(enrollment.token) if enrollment.token else next(iter(evidence), "")
        return cls(kit, facade, context, enrollment, state, challenge, held)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What was sent so far, the newest last."""
        return tuple(self.context.outbox)

    @property
    def right_answer(self) -> str:
        """What is right now."""
        if self.kit.right_answer is not None:
            return self.kit.right_answer(self.enrollment, self.challenge, self.context.now)
        return self.evidence or self.sent[-1].message.values["code"]

    @property
    def wrong_answers(self) -> tuple[str, ...]:
        """What is wrong now."""
        if self.kit.wrong_answers is not None:
            return self.kit.wrong_answers(self.enrollment, self.challenge, self.context.now)
        right = self.right_answer
        return _other(right[0]) + right[1:], right[:-1] + _other(right[-1])

    def verify(self, answer: str, state: bytes | None = None) -> Verdict:
        """The verdict on an answer, for this credential's state or another; raises Unavailable.

        What it draws is the same at each try, so that its verdict is.
        """
        state = self.state if state is None else state
        context = replace(self.context, randomness=self.context.randomness.apart(f"{self.context.now}"))
        return self.facade.verify_here(state, self.challenge.memo, answer, context)

    def accepts(self, answer: str, state: bytes | None = None) -> bool:
        """Whether an answer is let through; a fault of the factor lets nothing through."""
        try:
            return self.verify(answer, state).decision is Decision.ACCEPT
        except Unavailable:
            return False

    def answered(self, answer: str) -> Flow:
        """The flow after the daemon has stored what the verdict says, and the caller what it was given."""
        verdict = self.verify(answer)
        state = self.state if verdict.state is None else verdict.state
        held = self.kit.presented(verdict.token) if verdict.token else self.evidence
        return replace(self, state=state, evidence=held)

    def later(self, seconds: float | None = None) -> Flow:
        """The same credential asked anew, in another login; by default when there is a new right answer."""
        now = self.context.now + (self.kit.seconds_between if seconds is None else seconds)
        return self._asked(replace(self.context, now=now, deadline=now + DEADLINE_SECONDS, memo=b""))

    def again(self, seconds: float = 0.0) -> Flow:
        """The same login asked anew, some seconds later: the person wished another message."""
        now = self.context.now + seconds
        memo = self.challenge.memo
        return self._asked(replace(self.context, now=now, deadline=now + DEADLINE_SECONDS, memo=memo))

    def at(self, seconds: float) -> Flow:
        """The same challenge, some seconds later."""
        now = self.context.now + seconds
        return replace(self, context=replace(self.context, now=now, deadline=now + DEADLINE_SECONDS))

    def cut_off(self) -> Flow:
        """The same, where no message can leave any more; asking then raises NotSent."""
        return replace(self, context=replace(self.context, refuses=True))

    def _asked(self, context: KitContext) -> Flow:
        context = replace(context, service=SERVICE, dialogue=True, outbox=list(context.outbox))
        challenge = asyncio.run(self.facade.challenge(SUBJECT, self.state, context))
        state = self.state if challenge.state is None else challenge.state
        return replace(self, context=context, state=state, challenge=challenge)


def _other(letter: str) -> str:
    """A letter of the same kind, and another one."""
    if letter.isdigit():
        return str((int(letter) + 1) % 10)
    return "B" if letter.upper() != "B" else "C"
