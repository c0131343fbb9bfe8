"""How the daemon and its parts are, for `nightlatch status`."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.rpc.admin import timestamp
from nightlatch.v1 import admin_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from nightlatch.app.core import Core, World
    from nightlatch.app.worker import WorkerState

HEALTH_SECONDS = 8.0


async def status_of(core: Core, world: World, started_at: float) -> admin_pb2.GetStatusResponse:
    """Ask every part how it is, all at once, each for a bounded time."""
    checks = [("store", "store", world.store.health())]
    checks += [("directory", directory.name, directory.health()) for directory in core.directories]
    parts = list(await asyncio.gather(*(_part(kind, name, health) for kind, name, health in checks)))
    parts += [
        admin_pb2.Part(kind="factor", name=name, healthy=True, detail=facade.title)
        for name, facade in sorted(core.factors.items())
    ]
    parts += [
        admin_pb2.Part(
            kind="channel",
            name=name,
            healthy=not channel.rests,
            detail="left alone for a moment after failures"
            if channel.rests
            else f"{channel.kind}, {channel.medium.value}",
        )
        for name, channel in sorted(core.channels.items())
    ]
    listeners = core.config.listeners
    for name, path in (("pam", listeners.pam.socket), ("admin", listeners.admin.socket)):
        parts.append(admin_pb2.Part(kind="listener", name=name, healthy=True, detail=str(path)))
    if listeners.applications is not None:
        detail = f"{listeners.applications.address}, {len(core.config.clients)} clients"
        parts.append(admin_pb2.Part(kind="listener", name="applications", healthy=True, detail=detail))
    if world.worker is not None:
        parts += [_worker(state) for state in world.worker.states]
    return admin_pb2.GetStatusResponse(
        version=version("nightlatch"), start_time=timestamp(started_at), parts=parts
    )


def _worker(state: WorkerState) -> admin_pb2.Part:
    healthy = state.ready and not state.trouble
    what = f"pid {state.pid}" if state.pid else "waits to be started again"
    details = (
        what,
        "" if state.ready or not state.pid else "is starting",
        f"restarted {state.restarts} times" if state.restarts else "",
        state.trouble,
    )
    detail = ", ".join(filter(None, details))
    return admin_pb2.Part(kind="worker", name=str(state.number), healthy=healthy, detail=detail)


async def _part(kind: str, name: str, health: Awaitable[str]) -> admin_pb2.Part:
    try:
        detail = await asyncio.wait_for(health, HEALTH_SECONDS)
    except (Unavailable, TimeoutError) as error:
        reason = error.reason if isinstance(error, Unavailable) else f"no answer in {HEALTH_SECONDS:.0f} s"
        return admin_pb2.Part(kind=kind, name=name, healthy=False, detail=reason)
    return admin_pb2.Part(kind=kind, name=name, healthy=True, detail=detail)
