"""What the contract suite must know of a factor, and how it leads a credential through its life."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.factor import Decision, EnrollmentRequest, Subject
from nightlatch.plugins.facade import CallContext
from nightlatch.plugins.loader import load_factors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nightlatch.factor import Challenge, Enrollment, Verdict
    from nightlatch.plugins.facade import FactorFacade

NOW = 1_700_000_000.0
SUBJECT = Subject("alice", "corp")


@dataclass(frozen=True, slots=True)
class FactorKit:
    """A factor under test."""

    plugin: str
    """Its entry point's name in the group ``nightlatch.plugins``."""
    factor: str
    """Its own name."""
    right_answer: Callable[[Enrollment, Challenge, float], str]
    """What an honest person answers to a challenge at a time, knowing what enrolment showed."""
    wrong_answers: Callable[[Enrollment, Challenge, float], tuple[str, ...]]
    """Answers that look right and are wrong: another code, an old one."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Its table ``[factors.NAME]``."""
    changed_settings: Mapping[str, object] = field(default_factory=dict)
    """A table that the administrator changes it to; people who enrolled before must not notice."""
    seconds_between: float = 60.0
    """After which there is a new right answer."""
    logins: int = 100
    """How many logins a credential lasts, where it is used up; the suite tries no more than 100."""
    verify_seconds: float = 0.1
    """Processor time that one `verify` may take; other people's logins wait meanwhile."""


class Repeatable:
    """Randomness that repeats for one seed: `nightlatch.ports.Randomness` for tests."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(count)


@dataclass(frozen=True, slots=True)
class Flow:
    """One credential at one moment, with the factor that the real loader built."""

    kit: FactorKit
    facade: FactorFacade
    context: CallContext
    enrollment: Enrollment
    state: bytes = field(repr=False)
    challenge: Challenge

    @classmethod
    def begin(cls, kit: FactorKit, seed: str = "first", now: float = NOW) -> Flow:
        """Load the factor, enrol, and ask for the first answer."""
        facade = load_factors([kit.plugin], {kit.factor: kit.settings})[kit.factor]
        context = CallContext(now, now + 10, Repeatable(seed))
        enrollment = facade.enroll(SUBJECT, EnrollmentRequest("phone"), context)
        challenge = asyncio.run(facade.challenge(SUBJECT, enrollment.state, context))
        return cls(kit, facade, context, enrollment, enrollment.state, challenge)

    @property
    def right_answer(self) -> str:
        """What is right now."""
        return self.kit.right_answer(self.enrollment, self.challenge, self.context.now)

    @property
    def wrong_answers(self) -> tuple[str, ...]:
        """What is wrong now."""
        return self.kit.wrong_answers(self.enrollment, self.challenge, self.context.now)

    def verify(self, answer: str, state: bytes | None = None) -> Verdict:
        """The verdict on an answer, for this credential's state or another; raises Unavailable."""
        state = self.state if state is None else state
        return self.facade.verify(state, self.challenge.memo, answer, self.context)

    def accepts(self, answer: str, state: bytes | None = None) -> bool:
        """Whether an answer is let through; a fault of the factor lets nothing through."""
        try:
            return self.verify(answer, state).decision is Decision.ACCEPT
        except Unavailable:
            return False

    def answered(self, answer: str) -> Flow:
        """The flow after the daemon has stored what the verdict says."""
        state = self.verify(answer).state
        return self if state is None else replace(self, state=state)

    def later(self, seconds: float | None = None) -> Flow:
        """The same credential asked anew, by default when there is a new right answer."""
        now = self.context.now + (self.kit.seconds_between if seconds is None else seconds)
        context = replace(self.context, now=now, deadline=now + 10)
        challenge = asyncio.run(self.facade.challenge(SUBJECT, self.state, context))
        return replace(self, context=context, challenge=challenge)
