"""Whether PAM services ask for people by names that are not theirs, from the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.doctor.finding import warn
from nightlatch.login.engine import BY_ANOTHER_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.doctor.finding import Finding

_FEW = 3


def asked_by_another(refused: Iterable[tuple[str, str]]) -> list[Finding]:
    """One finding for all. `refused` are the own names and reasons of logins of the last days."""
    people = sorted({user for user, reason in refused if reason.startswith(BY_ANOTHER_NAME)})
    if not people:
        return []
    named = ", ".join(people[:_FEW]) + (f" and {len(people) - _FEW} more" if len(people) > _FEW else "")
    return [
        warn(
            "names",
            f"{BY_ANOTHER_NAME} than the person's own: {named}",
            "Where this host itself calls them otherwise, set name_form of the Active Directory: "
            'docs/directories.md, "Names on Linux hosts". Else they type what they read at the login.',
        )
    ]
