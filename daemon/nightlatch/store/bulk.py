"""What rows of many accounts mean, made ready on the reader's thread. See `Statements` for their pages."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.store.rows import standing_of
from nightlatch.store.view import MALFORMED_STANDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nightlatch.model import Standing
    from nightlatch.store.database import Row


def factors_by_account(pages: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """Each account's factors, from pages of account and factor."""
    found: dict[str, tuple[str, ...]] = {}
    for account_id, factor in _rows(pages):
        found[account_id] = (*found.get(account_id, ()), factor)
    return found


def paged_standings(pages: Sequence[Row]) -> dict[str, Standing]:
    """Each account's standing, from pages of account and state; raises Unavailable when one is malformed."""
    return standings_by_account(_rows(pages))


def standings_by_account(rows: Iterable[Row]) -> dict[str, Standing]:
    """Each account's standing, from rows of account and state; raises Unavailable when one is malformed."""
    try:
        return {account_id: standing_of(text) for account_id, text in rows}
    except ValueError as error:
        raise Unavailable("store", MALFORMED_STANDING) from error


def _rows(pages: Sequence[Row]) -> Iterator[Row]:
    return itertools.chain.from_iterable(json.loads(page) for (page,) in pages)
