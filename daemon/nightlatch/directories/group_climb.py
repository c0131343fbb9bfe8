"""From the groups that a person is in to all above them: nested groups, level by level.

MUST 1: groups in a circle end the climb where it began; each group counts once, by its shortest way.
MUST 2: a climb that goes on behind the deepest level is NoVerdict, never the groups so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.dn import split_dn
from nightlatch.model import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DnKey = tuple[str, ...]
"""A DN, comparable: case, spaces and escapes make no difference."""


@dataclass(frozen=True, slots=True)
class Step:
    """A group that was reached."""

    key: DnKey
    group: Group
    listed: tuple[str, ...] = ()
    """The DNs of the groups it is in, where its entry lists them."""

    def above(self, key: DnKey, dn: str, name: str, listed: tuple[str, ...] = ()) -> Step:
        """The step to a group that this one is in."""
        return Step(key, Group(dn, name, (*self.group.via, self.group.name)), listed)


def climb(
    first: Iterable[Step], above: Callable[[tuple[Step, ...]], Iterable[Step]], deepest: int
) -> tuple[Group, ...]:
    """The groups of `first` (level 1) and all above them; raises NoVerdict behind level `deepest`."""
    reached: dict[DnKey, Group] = {}
    level = _fresh(first, reached)
    for _ in range(deepest):
        if not level:
            break
        reached.update((step.key, step.group) for step in level)
        level = _fresh(above(level), reached)
    if level:
        raise NoVerdict(f"has groups in more than {deepest} levels (group_depth)")
    return tuple(reached.values())


def dn_key(dn: str) -> DnKey | None:
    """A DN as its server compares it; None for what is none, such as the empty member of an empty group."""
    try:
        return tuple(" ".join(component.split()) for component in split_dn(dn))
    except ValueError:
        return None


def _fresh(steps: Iterable[Step], reached: dict[DnKey, Group]) -> tuple[Step, ...]:
    fresh: dict[DnKey, Step] = {}
    for step in steps:
        if step.key not in reached:
            fresh.setdefault(step.key, step)
    return tuple(fresh.values())
