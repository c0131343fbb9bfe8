"""Whose an imported credential is: names of the other system, and what the administrator says of them.

MUST 1: nothing is given to somebody by guessing: two people of one name in two realms are named by the map.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.importing.found import NO_OWNER, Found, Skipped, SourceFault, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nightlatch.importing.found import Finding

_PAIR = 2


def read_map(path: Path) -> dict[str, str]:
    """Old names (or serial numbers) and new ones: "old,new" a line; raises SourceFault. Empty leaves out."""
    mapping: dict[str, str] = {}
    for number, row in enumerate(csv.reader(read_text(path).splitlines()), 1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) != _PAIR or not row[0].strip():
            raise SourceFault(f'{path}, line {number}: write "old name,new name".')
        old = row[0].strip()
        if mapping.get(old, row[1].strip()) != row[1].strip():
            raise SourceFault(f'{path}, line {number}: "{old}" has another new name already.')
        mapping[old] = row[1].strip()
    return mapping


def with_owners(findings: Sequence[Finding], mapping: Mapping[str, str]) -> list[Finding]:
    """The findings under the names that they have here."""
    realms = defaultdict[str, set[str]](set)
    for one in findings:
        if isinstance(one, Found):
            realms[one.owner].add(one.realm)
    return [_named(one, mapping, realms) if isinstance(one, Found) else one for one in findings]


def _named(one: Found, mapping: Mapping[str, str], realms: Mapping[str, set[str]]) -> Finding:
    whole = f"{one.owner}@{one.realm}" if one.realm else one.owner
    for name in (one.serial, whole):
        if name and name in mapping:
            new = mapping[name]
            return replace(one, owner=new) if new else Skipped(whole, one.label, "left out by the map")
    if not one.owner:
        return Skipped(one.serial or "?", one.label, NO_OWNER)
    if len(realms[one.owner]) > 1:
        return Skipped(whole, one.label, f'"{one.owner}" is in several realms: say who it is with --map')
    new = mapping.get(one.owner, one.owner)
    return replace(one, owner=new) if new else Skipped(whole, one.label, "left out by the map")
