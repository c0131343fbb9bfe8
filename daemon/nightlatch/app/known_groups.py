"""Looks up the groups that rules name, when a configuration is loaded.

MUST 1: a group that no directory has, though all have answered, is an error: its rule would concern nobody
        (POL-02).
MUST 2: a directory that does not answer stops nothing: the rule counts, and the log says what is unchecked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.config.policies import NOT
from nightlatch.config.problem import Problem
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import structlog

    from nightlatch.config.locate import Place
    from nightlatch.config.policies import PolicyScopes, PolicySettings
    from nightlatch.ports import Directory

LOOKUP_SECONDS = 8.0
"""How long all look-ups together may take; a start does not wait longer for a directory that is away."""


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group in the configuration, and the directories that may have it."""

    place: Place
    name: str
    directories: frozenset[str]


def groups_named(
    scopes: PolicyScopes, rules: Sequence[PolicySettings], known: frozenset[str]
) -> Iterator[NamedGroup]:
    """Every group that the rules name, those that they leave out too; `known` are all directories."""
    for index, rule in enumerate(rules):
        for at, entry in enumerate(rule.match.groups or ()):
            place: Place = ("policies", index, "match", "groups", at)
            yield NamedGroup(place, entry.removeprefix(NOT), directories_of(rule, known))
    about = [rule for rule in rules if rule.match.scope == "administrators"]
    everywhere = frozenset().union(*(directories_of(rule, known) for rule in about)) if about else known
    for at, name in enumerate(scopes.administrators):
        yield NamedGroup(("policy", "administrators", at), name, everywhere)


async def unknown_groups(
    named: Iterable[NamedGroup], directories: Sequence[Directory], log: structlog.stdlib.BoundLogger
) -> tuple[Problem, ...]:
    """The groups that nobody has, as problems. What could not be asked in time is logged, and no problem."""
    by_name = {directory.name: directory for directory in directories}
    wanted: dict[tuple[str, frozenset[str]], list[NamedGroup]] = {}
    for one in named:
        wanted.setdefault((one.name, one.directories.intersection(by_name)), []).append(one)
    asked = [
        asyncio.ensure_future(_found(name, [by_name[each] for each in sorted(names)], log))
        for name, names in wanted
    ]
    if asked:
        _, late = await asyncio.wait(asked, timeout=LOOKUP_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.warning("policy.groups_unchecked", groups=len(late), reason="the directories did not answer")
    missing = [
        one
        for task, places in zip(asked, wanted.values(), strict=True)
        if not task.cancelled() and not task.result()
        for one in places
    ]
    return tuple(Problem(one.place, _words(one)) for one in missing)


async def _found(name: str, directories: Sequence[Directory], log: structlog.stdlib.BoundLogger) -> bool:
    """Whether a directory has the group, or may have it."""
    answers = await asyncio.gather(*(_has(directory, name, log) for directory in directories))
    return any(answers) or not answers


async def _has(directory: Directory, name: str, log: structlog.stdlib.BoundLogger) -> bool:
    try:
        return await directory.group(name) is not None
    except Unavailable as error:
        log.warning("policy.group_unchecked", group=name, reason=str(error))
        return True


def directories_of(rule: PolicySettings, known: frozenset[str]) -> frozenset[str]:
    """The directories whose people a rule may concern."""
    entries = rule.match.directories
    if entries is None:
        return known
    left_out = {entry.removeprefix(NOT) for entry in entries if entry.startswith(NOT)}
    return frozenset(entry for entry in entries if not entry.startswith(NOT)) - left_out


def _words(one: NamedGroup) -> str:
    where = ", ".join(sorted(one.directories))
    return (
        f'no directory has a group "{one.name}" (asked: {where}).\n'
        "Check its spelling, or write its whole DN. In an LDAP directory it must lie under group_base."
    )
