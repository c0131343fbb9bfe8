"""How the daemon and its parts are, for `nightlatch status`."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from nightlatch.rpc.values import timestamp
from nightlatch.v1 import admin_pb2

if TYPE_CHECKING:
    from nightlatch.app.core import Core
    from nightlatch.app.health import Health
    from nightlatch.app.worker import WorkerState
    from nightlatch.app.world import World


async def status_of(
    core: Core, world: World, started_at: float, health: Health
) -> admin_pb2.GetStatusResponse:
    """Ask every part how it is, all at once, each for a bounded time."""
    looked = await health.look()
    parts = [
        admin_pb2.Part(kind=part.kind, name=part.name, healthy=part.healthy, detail=part.detail)
        for part in looked
    ]
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
    parts.append(_told(health))
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


def _told(health: Health) -> admin_pb2.Part:
    """What gRPC's health checks say."""
    away = sorted(name.rpartition(".")[2] for name, serves in health.serving.items() if not serves)
    detail = f"NOT_SERVING: {', '.join(away)}" if away else "SERVING"
    return admin_pb2.Part(kind="health", name="grpc.health.v1", healthy=not away, detail=detail)
