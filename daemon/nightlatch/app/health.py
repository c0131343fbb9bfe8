"""Whether the daemon can do its work, asked of the store and of every directory, and told by health checks.

MUST 1: a service that works for people does not serve while the store, or every directory, is away.
MUST 2: what `nightlatch status` shows and what health checks say come from the same look.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import structlog

    from nightlatch.app.core import Core
    from nightlatch.ports import Store

STORE, DIRECTORY = "store", "directory"
EVERY_SECONDS = 5.0
"""Between two looks."""
MOST_SECONDS = 8.0
"""For one part to answer."""


@dataclass(frozen=True, slots=True)
class PartHealth:
    """A part, and what it said."""

    kind: str
    name: str
    healthy: bool
    detail: str


class Health:
    """The last look, and who is told of it."""

    def __init__(
        self,
        core: Callable[[], Core],
        store: Store,
        services: Mapping[str, bool],
        tell: Callable[[Mapping[str, bool]], Awaitable[None]],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`services` has every service by its full name, and whether it works for people."""
        self._core = core
        self._store = store
        self._services = services
        self._tell = tell
        self._log = log
        self._looking = asyncio.Lock()
        self.parts: tuple[PartHealth, ...] = ()
        """The store and the directories, as they were when they were looked at last."""
        self.serving = dict.fromkeys(services, True)
        """What is told of each service."""

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look, again and again."""
        while True:
            await self.look()
            await sleep(EVERY_SECONDS)

    async def look(self) -> tuple[PartHealth, ...]:
        """Ask the store and every directory, all at once, each for a bounded time; tell what has changed."""
        checks = [_part(STORE, STORE, self._store.health())]
        checks += [_part(DIRECTORY, one.name, one.health()) for one in self._core().directories]
        parts = await asyncio.gather(*checks)
        async with self._looking:
            self.parts = tuple(parts)
            await self._judge(self.parts)
        return self.parts

    async def _judge(self, parts: Iterable[PartHealth]) -> None:
        works = {
            kind: any(part.healthy for part in parts if part.kind == kind) for kind in (STORE, DIRECTORY)
        }
        serving = {name: all(works.values()) or not needs for name, needs in self._services.items()}
        if serving != self.serving:
            self.serving = serving
            away = [kind for kind, there in works.items() if not there]
            self._log.warning("health.changed", serving=not away, away=away or None)
            await self._tell(serving)


async def _part(kind: str, name: str, health: Awaitable[str]) -> PartHealth:
    try:
        return PartHealth(kind, name, True, await asyncio.wait_for(health, MOST_SECONDS))  # noqa: FBT003, it is
    except (Unavailable, TimeoutError) as error:
        reason = error.reason if isinstance(error, Unavailable) else f"no answer in {MOST_SECONDS:.0f} s"
        return PartHealth(kind, name, False, reason)  # noqa: FBT003, it is not
