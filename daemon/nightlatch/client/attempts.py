"""The attempts of one call: whom to ask next, for how long, and how long to pause before. Pure.

MUST 1: all attempts together stay within the call's time.
MUST 2: what `failure.py` says may not be repeated is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.client.failure import read_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from nightlatch.client.failure import Failure
    from nightlatch.client.targets import Targets

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds; each round over all targets doubles the pause, and draws from its upper half."""


class Attempts:
    """One call. Ask `target` for `seconds()`; then say `worked()`, or pause for what `failed()` gives."""

    def __init__(
        self,
        targets: Targets,
        seconds: float,
        *,
        harmless: bool,
        steady: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """`chance` draws from 0 to 1."""
        self._targets = targets
        self._harmless = harmless
        self._steady = steady
        self._chance = chance
        self._end = steady() + seconds
        self._round = targets.in_order()
        self._hopeless: set[str] = set()
        self._pause = FIRST_PAUSE
        self._wanted = 0.0
        self._worst: tuple[Failure, str] | None = None
        """The failure that tells most, and whose it was."""

    @property
    def target(self) -> str:
        """Whom to ask now."""
        return self._round[0]

    def seconds(self) -> float:
        """For how long: a share of what is left, so that a target that hangs leaves time for the others."""
        left = max(0.001, self._end - self._steady())
        return left / len(self._round) if self._harmless else left

    def worked(self) -> None:
        """The target has answered."""
        self._targets.answered(self.target)

    def failed(self, error: grpc.RpcError) -> float:
        """The pause before the next attempt; raises ClientError when there is none."""
        failure, target = read_failure(error), self.target
        if failure.told:
            self._targets.answered(target)
        else:
            self._targets.silent(target)
        if failure.wrong_certificate:
            self._hopeless.add(target)
        if not failure.may_repeat(harmless=self._harmless):
            raise failure.error(target)
        if self._worst is None or failure.tells >= self._worst[0].tells:
            self._worst = failure, target
        self._wanted = max(self._wanted, failure.retry_after)
        del self._round[0]
        if self._round:
            return 0.0
        self._round = [name for name in self._targets.in_order() if name not in self._hopeless]
        pause = max(self._pause * (0.5 + self._chance() / 2), self._wanted)
        self._pause, self._wanted = min(2 * self._pause, LONGEST_PAUSE), 0.0
        if not self._round or self._steady() + pause >= self._end:
            raise self._worst[0].error(self._worst[1])
        return pause
