"""Calls a factor, and trusts nothing that comes back.

MUST 1: what leaves `verify` passed `checked_verdict`; everything else is `Unavailable`, which grants nothing.
MUST 2: whatever a plugin raises becomes `Unavailable` with the factor's name, also SystemExit and
        KeyboardInterrupt: signals come to the daemon elsewhere, and either would end its writer or its loop.
        Of the exception only type and place are told: its message may hold a code.
MUST 3: nothing is waited for beyond the deadline, and what comes later does not count.
MUST 4: two exceptions of the contract pass, as new ones without a chain: NotSent, and ValueError of `enroll`
        and of imports.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from nightlatch.channel import NotSent
from nightlatch.errors import Invalid, Unavailable
from nightlatch.factor import ImportedCodes, ImportedSecret, Reach
from nightlatch.plugins.answers import (
    MOST_LABEL,
    BadAnswer,
    checked_challenge,
    checked_enrollment,
    checked_state,
    checked_verdict,
    printable,
    type_name,
)
from nightlatch.plugins.slow import Question, SlowVerdicts
from nightlatch.plugins.stuck import StuckCalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.factor import (
        Challenge,
        Context,
        Enrollment,
        EnrollmentRequest,
        Factor,
        FactorPlugin,
        SendingContext,
        Subject,
        Verdict,
    )
    from nightlatch.ports import Randomness

T = TypeVar("T")
MOST_ABANDONED = 100
"""Challenges that ignored their cancellation; with more of them a factor is asked nothing new."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a factor is told of the world in one call: `nightlatch.factor.Context`."""

    now: float
    deadline: float
    randomness: Randomness = field(repr=False)

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes from the daemon's source."""
        return self.randomness.bytes(count)


class FactorFacade:
    """One factor, as the core sees it. What its methods raise is Unavailable, and what MUST 4 says."""

    def __init__(
        self,
        plugin: FactorPlugin,
        factor: Factor,
        steady: Callable[[], float],
        channels: tuple[str, ...] = (),
    ) -> None:
        self.plugin = plugin
        self.name = plugin.name
        self.title = plugin.title
        self._factor = factor
        self._channels = channels
        self._steady = steady
        self._stuck = StuckCalls(steady)
        self._slow = SlowVerdicts(plugin.name)
        self._abandoned: set[asyncio.Task[object]] = set()

    def __repr__(self) -> str:
        """Name the factor."""
        return f"FactorFacade({self.name!r})"

    def reach(self, state: bytes) -> Reach | None:
        """Where a credential's owner can be told things; None for nowhere, and for a plugin that fails."""
        if self.plugin.reach is None:
            return None
        try:
            value = self._guarded("reach", lambda: self.plugin.reach and self.plugin.reach(state))
        except Unavailable:
            return None
        if type(value) is not Reach:
            return None
        return value if value.channels else replace(value, channels=self._channels)

    def uses_left(self, state: bytes) -> int | None:
        """How often a credential can still be used; None where nothing counts, and for failing plugins."""
        if self.plugin.uses_left is None:
            return None
        try:
            value = self._guarded("uses_left", lambda: self.plugin.uses_left and self.plugin.uses_left(state))
        except Unavailable:
            return None
        return value if type(value) is int and value >= 0 else None

    def restored(self, state: bytes, context: Context) -> bytes | None:
        """A credential's state after an older copy of the store was put back; None where it has to end.

        It ends, too, where the plugin fails: a state that nobody vouches for may hold what is used up.
        """
        try:
            value = self._guarded("restored", lambda: self.plugin.restored(state, context))
            return None if value is None else self._checked("restored", lambda: checked_state(value))
        except Unavailable:
            return None

    def offer(self, evidence: tuple[str, ...], days: int) -> str:
        """What is asked after a grant, with the device's name where the plugin finds one in the evidence."""
        try:
            value = self._guarded("device", lambda: self.plugin.device(evidence))
        except Unavailable:
            value = ""
        named = type(value) is str and len(value) <= MOST_LABEL and value.isprintable()
        time = "1 day" if days == 1 else f"{days} days"
        return self.plugin.offer.format(time=time, days=days, device=value if named else "")

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        """Make a credential that does not count yet; raises Invalid with words for the person."""
        value = self._guarded(
            "enroll", lambda: self._refusing(lambda: self._factor.enroll(subject, request, context))
        )
        if type(value) is _Refusal:
            raise Invalid(value.words)
        return self._checked("enroll", lambda: checked_enrollment(value))

    def takes(self, kind: type[ImportedSecret | ImportedCodes]) -> bool:
        """Whether it makes credentials of such things from other systems."""
        plugin = self.plugin
        return (plugin.import_secret if kind is ImportedSecret else plugin.import_codes) is not None

    def imported(
        self, offered: ImportedSecret | ImportedCodes, present: tuple[bytes, ...], context: Context
    ) -> bytes | None:
        """The state of a credential from another system; None where one of `present` holds the same.

        Raises Invalid with words for the administrator.
        """
        value = self._guarded(
            "import", lambda: self._refusing(lambda: self._import(offered, present, context))
        )
        if type(value) is _Refusal:
            raise Invalid(value.words)
        if value is None:
            return None
        return self._checked("import", lambda: checked_state(value))

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        """Ask, for as long as `context.deadline` is from `context.now`, counted from this call."""
        if len(self._abandoned) >= MOST_ABANDONED:
            raise self._unavailable(f"{MOST_ABANDONED} challenges neither answered nor let go")
        task = asyncio.ensure_future(self._ask(subject, state, context))
        seconds = max(0.0, context.deadline - context.now)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self._abandon(task)
        if not task.done():
            raise self._unavailable(f"challenge did not answer within {seconds:g} s")
        if task.cancelled():
            raise self._unavailable("challenge cancelled itself")
        value = task.result()
        if type(value) is _Raised:
            raise self._unavailable(f"challenge raised {value.what}")
        if type(value) is _Refusal:
            raise NotSent(value.words)
        return self._checked("challenge", lambda: checked_challenge(value))

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Decide, in a decision of the store's: for a slow factor that may raise WorkFirst."""
        if not self.plugin.slow:
            return self.verify_here(state, memo, answer, context)
        question = Question(state, memo, answer)
        return self._slow.verdict(question, lambda: self.verify_here(state, memo, answer, context))

    def verify_here(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Decide, in the calling thread. While an earlier call hangs in another thread, refuse at once."""
        call = self._stuck.enter()
        if call is None:
            raise self._unavailable("verify hangs in an earlier call")
        try:
            value = self._guarded("verify", lambda: self._factor.verify(state, memo, answer, context))
        finally:
            seconds = self._stuck.leave(call)
        if seconds > context.deadline - context.now:
            raise self._unavailable(f"verify took {seconds:.1f} s, which is too late to count")
        return self._checked("verify", lambda: checked_verdict(value, answer))

    def _import(
        self, offered: ImportedSecret | ImportedCodes, present: tuple[bytes, ...], context: Context
    ) -> object:
        if isinstance(offered, ImportedSecret):
            return self.plugin.import_secret and self.plugin.import_secret(offered, present, context)
        return self.plugin.import_codes and self.plugin.import_codes(offered, present, context)

    def _refusing(self, call: Callable[[], object]) -> object:
        """What `call` returns, or its refusal."""
        try:
            return call()
        except ValueError as error:
            if type(error) is not ValueError:  # a subclass was not meant for people
                raise
            return _Refusal(printable(str(error), 300))

    async def _ask(self, subject: Subject, state: bytes, context: SendingContext) -> object:
        """Ask the plugin; its exceptions come back as values: SystemExit in a task would stop the daemon."""
        try:
            return await self._factor.challenge(subject, state, context)
        except NotSent as error:
            return _Refusal(printable(str(error.reason), 300))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001, a plugin may raise anything
            return _Raised(_what(error))

    def _abandon(self, task: asyncio.Task[object]) -> None:
        """Cancel, and do not wait: a plugin may ignore its cancellation."""
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)
        task.cancel()

    def _guarded(self, method: str, call: Callable[[], object]) -> object:
        try:
            return call()
        except BaseException as error:  # noqa: BLE001, a plugin may raise anything
            what = _what(error)
        # Raised out here, so that the plugin's exception and its message are not chained to ours.
        raise self._unavailable(f"{method} raised {what}")

    def _checked(self, method: str, check: Callable[[], T]) -> T:
        try:
            return check()
        except BadAnswer as error:
            raise self._unavailable(f"{method} {error}") from None

    def _unavailable(self, reason: str) -> Unavailable:
        return Unavailable(f"factor {self.name}", reason)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Words of a plugin that the contract lets through."""

    words: str


@dataclass(frozen=True, slots=True)
class _Raised:
    """An exception of a plugin, as far as it may be told."""

    what: str


def _what(error: BaseException) -> str:
    """The exception's type and the innermost place it came from: "ValueError at state.py:58"."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type_name(error)
    file = PurePath(trace.tb_frame.f_code.co_filename).name
    return f"{type_name(error)} at {printable(file, 64)}:{trace.tb_lineno}"
