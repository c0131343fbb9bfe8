"""Run inside a private machine: asks a PamDirectory, and tells what it said. JSON in, JSON out.

In: `ask`, a list of [method, argument]; `timeout`, of a look-up; `descriptors`, how many are left to it.
Out: `answers`, each the value or "unavailable: …"; `ticks`, how often the loop turned meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from nightlatch.app.system import SystemClock
from nightlatch.directories.pam import PamDirectory
from nightlatch.directories.settings import PamSettings
from nightlatch.errors import Unavailable
from nightlatch.model import Account

if TYPE_CHECKING:
    from nightlatch.model import Group

TICK = 0.01


def _plain(group: Group | None) -> object:
    return None if group is None else [group.id, group.name, list(group.via)]


async def _answer(directory: PamDirectory, method: str, argument: str) -> object:
    match method:
        case "find":
            account = await directory.find(argument)
            return None if account is None else [account.id, account.name]
        case "groups":
            told = await directory.groups(Account("local", argument, argument))
            return [_plain(group) for group in told.groups]
        case "group":
            return _plain(await directory.group(argument))
    pages = [page async for page in directory.people()]
    return [
        [[person.account.id, person.enabled, [group.name for group in person.groups]] for person in page]
        for page in pages
    ]


async def _asked(directory: PamDirectory, method: str, argument: str) -> object:
    try:
        return await _answer(directory, method, argument)
    except Unavailable as error:
        return f"unavailable: {error.reason}"


def _leave(descriptors: int) -> None:
    """Leave this process so many descriptors that are free."""
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
    held = []
    with contextlib.suppress(OSError):
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    for descriptor in held[:descriptors]:
        os.close(descriptor)


async def _main(request: dict[str, Any]) -> dict[str, object]:
    settings = PamSettings(name="local", kind="pam", timeout=request["timeout"])
    directory = PamDirectory(settings, structlog.get_logger(), SystemClock())
    ticks = 0

    async def turn() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(TICK)
            ticks += 1

    turning = asyncio.create_task(turn())
    if request["descriptors"] is not None:
        _leave(request["descriptors"])
    answers = [await _asked(directory, *question) for question in request["ask"]]
    turning.cancel()
    return {"answers": answers, "ticks": ticks}


if __name__ == "__main__":
    json.dump(asyncio.run(_main(json.load(sys.stdin))), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # a thread that hangs in NSS would be waited for
