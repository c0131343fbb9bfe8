"""Opens a store while no daemon has it, and puts a backup of it right.

MUST 1: a store that a daemon has open is not touched, and no daemon opens one that is worked on.
MUST 2: what the key does not open, what a newer version made, and what is no store is refused before anything
        is written; the key check is never made anew over data (STO-02).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.audit.evidence import AuditKeys
from nightlatch.errors import ConfigError, Conflict
from nightlatch.store.chaining import Chaining
from nightlatch.store.database import DatabaseError, InUse
from nightlatch.store.opening import REVISION, checked, database_at, reported, revision_of
from nightlatch.store.restored import Judge, Restoration
from nightlatch.store.seal import CredentialSeal
from nightlatch.store.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nightlatch.audit.evidence import Witness
    from nightlatch.keys import MasterKey
    from nightlatch.ports import Clock, Randomness
    from nightlatch.store.database import Database, Session

_NO_STORE = "store: there is no store of nightlatch in {}. Put a backup there first, or name another one."
_OLDER = "store: {} has revision {}, this version works with {}: without --dry-run it is moved to it first."
_IN_USE = "The store is in use: {}. Stop every daemon that works with it, and its sockets, first."


@dataclass(frozen=True, slots=True)
class Tools:
    """What putting a store right takes."""

    key: MasterKey
    clock: Clock
    randomness: Randomness
    witness: Witness
    judge: Judge
    progress: Callable[[int, int], None]


@contextlib.contextmanager
def alone_with(url: str, tools: Tools) -> Iterator[Restoration]:
    """The store at `url`, with tables of this version, and nobody else's until this is left.

    Raises Conflict while a daemon has it, ConfigError for what `open_store` refuses, Unavailable.
    """
    database, seal = database_at(url), CredentialSeal(tools.key, tools.randomness)
    with reported(), _refusing_company():
        _refuse_nothing(database)
        with database.opening():
            database.connect_alone().close()  # before the tables are moved
            with contextlib.closing(database.connect()) as session:
                if not revision_of(database, session):
                    raise ConfigError((_NO_STORE.format(database.name),))
                checked(database, session, seal)
            with contextlib.closing(database.connect_alone()) as session:
                yield _restoration(database, session, seal, tools)


@contextlib.contextmanager
def looking_at(url: str, tools: Tools) -> Iterator[Restoration]:
    """The store at `url`, whoever has it, for `Restoration.survey` alone; raises ConfigError, Unavailable."""
    database, seal = database_at(url), CredentialSeal(tools.key, tools.randomness)
    with reported():
        _refuse_nothing(database)
        with contextlib.closing(database.connect()) as session:
            revision = revision_of(database, session)
            if not revision:
                raise ConfigError((_NO_STORE.format(database.name),))
            if revision < REVISION:
                raise ConfigError((_OLDER.format(database.name, revision, REVISION),))
            checked(database, session, seal)
            yield _restoration(database, session, seal, tools)


@contextlib.contextmanager
def kept_closed(url: str) -> Iterator[None]:
    """No daemon has the store at `url`, or opens it until this is left; a damaged one is not opened at all.

    Raises Conflict while a daemon has it.
    """
    database = database_at(url)
    with reported(), _refusing_company(), database.opening():
        try:
            if not database.missing():
                database.connect_alone().close()  # which also brings home what was only in the log beside it
        except InUse:
            raise
        except DatabaseError:
            pass  # damaged: nobody else can open it either
        yield


def _restoration(database: Database, session: Session, seal: CredentialSeal, tools: Tools) -> Restoration:
    statements = Statements(database.dialect)
    return Restoration(
        session,
        statements,
        seal,
        Chaining(AuditKeys.of(tools.key), statements, tools.clock, tools.randomness, tools.witness),
        tools.clock,
        tools.randomness,
        tools.judge,
        tools.progress,
    )


def _refuse_nothing(database: Database) -> None:
    if database.missing():
        raise ConfigError((_NO_STORE.format(database.name),))


@contextlib.contextmanager
def _refusing_company() -> Iterator[None]:
    try:
        yield
    except InUse as error:
        raise Conflict(_IN_USE.format(error.reason)) from None
