"""A person's groups, made ready for being compared with rules: once for each reading, not for each login.

MUST: a group is meant by its DN where a rule names one, and no other group comes to the same key, whatever it
      is called: groups are made by many who may decide on nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.dn import split_dn

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import Group, Groups

SEPARATOR = "\x1f"


def group_key(named: str) -> str:
    """A group's DN in comparable form, or its short name without regard to case."""
    if "=" in named:
        try:
            if "\\" in named or "+" in named or SEPARATOR in named:
                return SEPARATOR.join(map(_without_separator, split_dn(named)))
            return SEPARATOR.join(_split_plain(named))
        except ValueError:
            pass  # a local group may be called "a=b"
    return _name_key(named)


def _name_key(name: str) -> str:
    """A short name without regard to case. It is never read as a DN: that would be another group's."""
    return _without_separator(name.casefold())


def _without_separator(text: str) -> str:
    return text.replace(SEPARATOR, "\\1f")


def _split_plain(dn: str) -> list[str]:
    """`split_dn` for a DN in which nothing is escaped or multi-valued: most are so, and people have many."""
    parts = []
    for part in dn.split(","):
        kind, _, value = part.partition("=")
        kind, value = kind.strip(), value.strip()
        if not (kind and value):
            raise ValueError(dn)
        parts.append(f"{kind.lower()}={value.casefold()}")
    return parts


class GroupIndex:
    """The groups of one person, by DN and by short name."""

    def __init__(self, groups: Groups, *, folds_case: bool, key_of: Callable[[str], str] = group_key) -> None:
        """`key_of` may remember what `group_key` says, where many people have the same groups."""
        self.read_at = groups.read_at
        self.groups = groups.groups
        self._by_key: dict[str, Group] = {}
        self._folds_case = folds_case
        for group in groups.groups:
            self._by_key.setdefault(_name_key(group.name) if folds_case else group.name, group)
            self._by_key[key_of(group.id) if folds_case else group.id] = group

    def find(self, keys: frozenset[str], spelled: frozenset[str]) -> Group | None:
        """The first group that is named: by `keys` (comparable), or exactly where case counts."""
        wanted = keys if self._folds_case else spelled
        found = self._by_key.keys() & wanted
        return self._by_key[min(found)] if found else None
