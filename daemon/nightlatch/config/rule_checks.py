"""What is wrong with rules as they stand beside the rest of the file: names that mean nothing, or too much.

Reads the file's data and not its settings, so that a problem elsewhere hides none of these.

MUST 1: an exemption names its groups by DN: a second group of a short name, in another directory or another
        branch, would exempt its members too. Local groups have nothing but a name, and only one each.
MUST 2: where there are several directories, an exemption of users says of which they are: a namesake in
        another one is somebody else (IDN-03).
MUST 3: a rule that can concern nobody is an error: it would look as if it protected somebody (POL-02).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.config.policies import NOT
from nightlatch.config.problem import Problem
from nightlatch.dn import is_dn
from nightlatch.policy.model import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nightlatch.config.locate import Place

Table = dict[str, object]
PAM = "pam"
"""The client of the PAM module, and the kind of directory whose groups have no DN."""


def rule_problems(data: Table) -> Iterator[Problem]:
    """Every problem of the rules that needs no network."""
    rules = list(_tables(data.get("policies")))
    directories = {str(table.get("name")): table for _, table in _tables(data.get("directories"))}
    clients = {PAM} | {str(table.get("name")) for _, table in _tables(data.get("clients"))}
    administrators = _texts(_table(data.get("policy")).get("administrators"))
    yield from _names([(index, rule.get("name")) for index, rule in rules])
    skips = {rule.get("name") for _, rule in rules if rule.get("second_factor") == "skip"}
    liftable = {rule.get("name") for _, rule in rules} - skips
    for index, rule in rules:
        place: Place = ("policies", index)
        match = _table(rule.get("match"))
        yield from _lifts(place, rule, liftable, skips)
        yield from _unknown((*place, "match"), match, "directories", set(directories))
        yield from _unknown((*place, "match"), match, "clients", clients)
        concerned = _concerned(match, directories)
        scoped = match.get("scope") == "administrators"
        if scoped and not administrators:
            yield Problem(
                (*place, "match", "scope"),
                "no group is an administrators' group.\nName one in policy.administrators.",
            )
        if (scoped or match.get("groups")) and concerned and not any(map(_tells_groups, concerned)):
            yield Problem(
                (*place, "match", "scope" if scoped else "groups"),
                "none of the rule's directories can tell groups.\nSet group_base in [[directories]].",
            )
        if rule.get("name") in skips:
            yield from _namesakes((*place, "match", "users"), match, list(directories))
            yield from _short_names((*place, "match", "groups"), match.get("groups"), concerned)
            if scoped:
                yield from _short_names(("policy", "administrators"), administrators, concerned)


def _names(named: Sequence[tuple[int, object]]) -> Iterator[Problem]:
    seen: set[object] = set()
    for index, name in named:
        place: Place = ("policies", index, "name")
        if name == EVERYONE:
            yield Problem(place, f'"{EVERYONE}" is the default rule\'s name.\nGive this one another.')
        elif name is not None and name in seen:
            yield Problem(place, f'two rules have the name "{name}".\nGive each its own.')
        seen.add(name)


def _lifts(place: Place, rule: Table, liftable: set[object], skips: set[object]) -> Iterator[Problem]:
    for at, name in enumerate(_texts(rule.get("lifts"))):
        if name in skips:
            wrong = f'"{name}" demands nothing that could be lifted.\nName a rule that requires or observes.'
            yield Problem((*place, "lifts", at), wrong)
        elif name not in liftable:
            known = ", ".join(sorted(map(str, liftable))) or "none"
            yield Problem((*place, "lifts", at), f'there is no rule "{name}".\nKnown: {known}.')


def _unknown(place: Place, match: Table, setting: str, known: set[str]) -> Iterator[Problem]:
    for at, entry in enumerate(_texts(match.get(setting))):
        name = entry.removeprefix(NOT)
        if name not in known:
            kind = {"directories": "directory", "clients": "client"}[setting]
            wrong = f'there is no {kind} "{name}".\nKnown: {", ".join(sorted(known))}.'
            yield Problem((*place, setting, at), wrong)


def _namesakes(place: Place, match: Table, directories: Sequence[str]) -> Iterator[Problem]:
    if len(directories) > 1 and _texts(match.get("users")) and not match.get("directories"):
        yield Problem(
            place,
            "an exemption of users says of which directories: a namesake in another would be exempt too.\n"
            f'Add directories = ["{directories[0]}"], or another of: {", ".join(directories)}.',
        )


def _short_names(place: Place, groups: object, concerned: Sequence[Table]) -> Iterator[Problem]:
    if all(table.get("kind") == PAM for table in concerned):
        return
    for at, entry in enumerate(_texts(groups)):
        if not entry.startswith(NOT) and not is_dn(entry):
            yield Problem(
                (*place, at),
                f'an exemption names groups by DN: any other group called "{entry}" would be exempt too.\n'
                "Write the group's whole DN.",
            )


def _concerned(match: Table, directories: dict[str, Table]) -> list[Table]:
    """The directories whose people a rule may concern."""
    entries = _texts(match.get("directories"))
    if not entries:
        return list(directories.values())
    left_out = {entry.removeprefix(NOT) for entry in entries if entry.startswith(NOT)}
    return [table for name, table in directories.items() if name in entries and name not in left_out]


def _tells_groups(directory: Table) -> bool:
    return directory.get("kind") != "ldap" or bool(directory.get("group_base"))


def _tables(value: object) -> Iterator[tuple[int, Table]]:
    for index, table in enumerate(value if isinstance(value, list) else ()):
        if isinstance(table, dict):
            yield index, table


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []
