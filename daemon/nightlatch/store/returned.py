"""What a backup has brought back that was taken away after it: only people know whether that is right."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from nightlatch.store.rows import standing_of

if TYPE_CHECKING:
    from pathlib import Path

_CREDENTIALS = """
select coalesce(accounts.name, now.account_id), now.factor, now.label, now.credential_id
from credentials as now left join accounts on accounts.account_id = now.account_id
where not exists (
  select 1 from before.credentials as one
  where one.account_id = now.account_id and one.credential_id = now.credential_id)
order by 1, 2, 4
"""
_HAS_STANDINGS = "select 1 from before.sqlite_master where name = 'standings'"
_STANDINGS = """
select coalesce(accounts.name, one.account_id), one.state, coalesce(now.state, '{}')
from before.standings as one
left join standings as now on now.account_id = one.account_id
left join accounts on accounts.account_id = one.account_id
where one.state like '%"disabled_at"%'
order by 1
"""


@dataclass(frozen=True, slots=True)
class ReturnedCredential:
    """A credential that had been taken away."""

    user: str
    factor: str
    label: str
    credential_id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What is there again. People are named as their directory names them."""

    credentials: tuple[ReturnedCredential, ...]
    enabled: tuple[str, ...]
    """People who had been disabled, and are not now."""


def returned(store: Path, before: Path) -> Returned | None:
    """What is in the embedded store, and was no more in the one before; None where that can not be read."""
    try:
        with contextlib.closing(sqlite3.connect(_uri(store), uri=True, isolation_level=None)) as connection:
            connection.execute("attach ? as before", (_uri(before),))
            credentials = connection.execute(_CREDENTIALS).fetchall()
            # A store that an older version left has no standings: nobody could be disabled in it.
            standings = (
                connection.execute(_STANDINGS) if connection.execute(_HAS_STANDINGS).fetchone() else ()
            )
            enabled = [name for name, then, now in standings if _disabled(then) > _disabled(now)]
    except (sqlite3.Error, ValueError):
        return None
    return Returned(tuple(ReturnedCredential(*row) for row in credentials), tuple(enabled))


def _disabled(text: str) -> bool:
    return standing_of(text).disabled_at is not None


def _uri(path: Path) -> str:
    return f"file:{quote(str(path))}?mode=rw"
