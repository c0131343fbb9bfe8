"""From a configuration file to a core that may serve.

MUST 1: a file with a problem, of whatever kind, becomes no core.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nightlatch.app.core import build_core
from nightlatch.app.known_groups import groups_named, unknown_groups
from nightlatch.app.known_names import tell_other_names
from nightlatch.config import check_config, load_config
from nightlatch.config.load import read
from nightlatch.config.problem import in_the_file
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.app.core import Core
    from nightlatch.app.world import World
    from nightlatch.config import Config


def checked_config(path: Path, passed: frozenset[str]) -> Config:
    """The configuration at `path`; raises ConfigError with every problem of it and of what it names.

    `passed` are the listeners whose sockets are open already.
    """
    problems = check_config(path, passed)
    if problems:
        raise ConfigError(problems)
    return load_config(path)


async def load_core(path: Path, passed: frozenset[str], world: World) -> Core:
    """Read, check and build, without holding up whoever signs in meanwhile; raises ConfigError."""
    config = await asyncio.to_thread(checked_config, path, passed)
    return await build_checked_core(config, path, world)


async def build_checked_core(config: Config, path: Path, world: World) -> Core:
    """Build, and look up the groups and people that rules name; raises ConfigError.

    `path` is where `config` is from.
    """
    core = await asyncio.to_thread(build_core, config, world)
    core.begin()
    telling = asyncio.create_task(tell_other_names(core.config.policies, core.directories, world.log))
    try:
        await _refuse_unknown_groups(core, path, world)
        await telling
    except BaseException:  # whatever stops it, nothing may stay open
        telling.cancel()
        await core.close()
        raise
    return core


async def _refuse_unknown_groups(core: Core, path: Path, world: World) -> None:
    known = frozenset(directory.name for directory in core.directories)
    named = groups_named(core.config.policy, core.config.policies, known)
    problems = await unknown_groups(named, core.directories, world.log)
    if problems:
        raise ConfigError(in_the_file(path, read(path).lines, problems))
