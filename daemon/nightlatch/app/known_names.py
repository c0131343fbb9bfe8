"""Looks up the people that rules name, when a configuration is loaded, and tells who goes by another name.

MUST: nothing here stops or delays a start for long: a name that nobody has, or that can not be looked up, is
      no problem. People come and go, and the rule counts as it is written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nightlatch.app.known_groups import LOOKUP_SECONDS, directories_of
from nightlatch.config.policies import NOT
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import structlog

    from nightlatch.config.policies import PolicySettings
    from nightlatch.ports import Directory


async def tell_other_names(
    rules: Sequence[PolicySettings], directories: Sequence[Directory], log: structlog.stdlib.BoundLogger
) -> None:
    """Warn of each rule that names somebody by another name than the own one, as far as time allows."""
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            await asyncio.gather(*(_tell(directory, rules, directories, log) for directory in directories))
    except TimeoutError:
        log.warning("policy.names_unchecked", reason="the directories did not answer")


async def _tell(
    directory: Directory,
    rules: Sequence[PolicySettings],
    directories: Sequence[Directory],
    log: structlog.stdlib.BoundLogger,
) -> None:
    """The same for one directory, one name after the other."""
    known = frozenset(each.name for each in directories)
    for rule in rules:
        if directory.name not in directories_of(rule, known):
            continue
        for entry in rule.match.users or ():
            named = entry.removeprefix(NOT)
            try:
                account = await directory.find(named)
            except Unavailable as error:
                log.warning("policy.names_unchecked", reason=str(error))
                return
            if account is not None and account.name.casefold() != named.casefold():
                log.warning("policy.other_name", rule=rule.name, named=named, write=account.name)
