"""The tables ``[[roles]]``: who administers, who helps, and who only looks.

MUST 1: a client and a user of this host have one role at most: which one counts depends on no order.
MUST 2: groups have their role by DN: whoever may make a group of the same short name somewhere gives none.
        Local groups have nothing but a name, and only one each.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from nightlatch.config.locate import value_at
from nightlatch.config.problem import Problem
from nightlatch.dn import is_dn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.config.locate import Place

LOCAL = "pam"
"""The kind of directory whose groups have no DN."""
Uid = Annotated[int, Field(ge=0, le=2**32 - 2)]
GroupName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,1024}$")]


class RoleSettings(BaseModel):
    """A role, and who has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["admin", "helpdesk", "auditor"] = Field(
        description='"admin" for everything; "helpdesk" to show, unlock, reset and invite people and to end '
        'their devices; "auditor" to read, and no more.'
    )
    clients: tuple[str, ...] = Field(
        (), description="Applications that have it, by their name in [[clients]]."
    )
    uids: tuple[Uid, ...] = Field(
        (), description="Users of this host who have it on the admin socket, which must let them in."
    )
    groups: tuple[GroupName, ...] = Field(
        (), description="Groups of those who have it, by DN; local groups by name."
    )


class AdministrationSettings(BaseModel):
    """Who has to sign in on the admin socket before anything else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sign_in_uids: tuple[Uid, ...] = Field(
        (),
        description="Users of this host who may do nothing there before `nightlatch admin login`; 0 is root.",
    )


def role_problems(data: dict[str, object]) -> Iterator[Problem]:
    """Whom the tables name twice, and clients and users that there are not."""
    tables = data.get("roles", [])
    if not isinstance(tables, list):
        return
    named = {one.get("name") for one in _tables(data.get("clients"))}
    admitted = value_at(("listeners", "admin", "allow_uids"), data)
    uids = set(admitted) if isinstance(admitted, list) else {0}
    for setting, known, remedy in (
        ("clients", named, "there is no [[clients]] table with that name."),
        ("uids", uids, "listeners.admin.allow_uids does not let that user in."),
    ):
        places = list(_entries(tables, setting))
        counts = Counter(str(value) for _, value in places)
        for place, value in places:
            if counts[str(value)] > 1:
                yield Problem(place, f'"{value}" has more than one role.\nLeave one of them.')
            elif value not in known:
                yield Problem(place, f'"{value}": {remedy}')
    if any(one.get("kind") != LOCAL for one in _tables(data.get("directories"))):
        yield from _short_names(tables)


def _short_names(tables: list[object]) -> Iterator[Problem]:
    for place, value in _entries(tables, "groups"):
        if isinstance(value, str) and not is_dn(value):
            yield Problem(
                place,
                f'a role names groups by DN: any other group called "{value}" would have it too.\n'
                "Write the group's whole DN.",
            )


def _entries(tables: list[object], setting: str) -> Iterator[tuple[Place, object]]:
    for index, table in enumerate(tables):
        values = table.get(setting) if isinstance(table, dict) else None
        for at, value in enumerate(values if isinstance(values, list) else ()):
            yield ("roles", index, setting, at), value


def _tables(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
