"""Somebody changes the tables of the audit themselves: that is a finding, and no outage is one."""

from __future__ import annotations

import json
from inspect import isawaitable
from typing import TYPE_CHECKING

import pytest

from nightlatch.audit import verify as verifying
from nightlatch.audit.findings import FindingKind
from nightlatch.audit.verify import verify
from nightlatch.errors import Unavailable
from testbed.audit import KEYS, Books, Kept
from testbed.daemon import Nightlatchd
from testbed.fixtures_store import run
from testbed.front_door import directory_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from nightlatch.audit.verify import Progress
    from testbed.fixtures_store import SetClock
    from testbed.postgres import Postgres
    from testbed.slapd import Slapd

WHY = ": tampered with, or restored by halves"


@pytest.fixture
async def written(books: Books) -> Books:
    """Ten rows of one daemon that has stopped, on both databases."""
    return await filled(books)


async def filled(books: Books) -> Books:
    """The books with ten rows in them."""
    await books.write(books.open(), *(f"reason {number}" for number in range(10)))
    await books.close()
    return books


async def damaged_before(books: Books, *changes: str) -> list[str]:
    """Every finding's words, where the tables are changed under a daemon that is already there."""
    store = books.open()
    assert [piece.findings async for piece in verify(store.audit, KEYS, [])][-1] == ()
    for change in changes:
        books.sql(change)
    pieces = [piece async for piece in verify(store.audit, KEYS, books.kept.lines)]
    found = [one for piece in pieces for one in piece.findings]
    assert {one.kind for one in found} <= {FindingKind.DAMAGED_TABLE}
    return [one.words for one in found]


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("alter table audit rename column facts to facts_old", "column facts of table audit"),
        ("alter table audit rename column chain to link", "column chain of table audit"),
        ("alter table audit drop column reason", "column reason of table audit"),
        ("alter table audit_writers drop column head", "column head of table audit_writers"),
        ("alter table audit_writers rename column writer to daemon", "column writer of table audit_writers"),
        ("alter table audit_writers rename to writers", "table audit_writers"),
        ("alter table audit rename to audit_2025", "table audit"),
        ("drop table audit_writers", "table audit_writers"),
        ("drop table audit", "table audit"),
    ],
)
async def test_what_the_tables_lack_is_found(written: Books, change: str, missing: str) -> None:
    """A table or a column that was dropped or renamed is one finding, with its name."""
    assert await damaged_before(written, change) == [f"{missing} is missing{WHY}"]


async def test_everything_that_is_missing_is_told(written: Books) -> None:
    """Not only the first thing; and empty tables hide no damage."""
    found = await damaged_before(
        written,
        "delete from audit",
        "delete from audit_writers",
        "alter table audit drop column facts",
        "alter table audit drop column caller",
        "alter table audit_writers drop column pruned",
    )
    assert found == [
        f"column caller of table audit is missing{WHY}",
        f"column facts of table audit is missing{WHY}",
        f"column pruned of table audit_writers is missing{WHY}",
    ]


async def test_a_view_in_place_of_a_table_is_found(written: Books) -> None:
    """A view with the table's name answers as the table would, and shows what its maker likes."""
    changes = ("alter table audit rename to kept", "create view audit as select * from kept where id < 5")
    assert await damaged_before(written, *changes) == [f"table audit is missing{WHY}"]


@pytest.fixture
async def on_postgresql(postgres_url: str, store_clock: SetClock) -> AsyncIterator[Books]:
    """An empty audit on PostgreSQL alone."""
    made = Books(postgres_url, store_clock, Kept())
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("column", "kind"), [("sequence", "text"), ("chain", "text"), ("at", "text"), ("reason", "integer")]
)
async def test_a_column_of_another_type_is_found(on_postgresql: Books, column: str, kind: str) -> None:
    """PostgreSQL refuses statements of columns that changed their type: that is no outage either."""
    changes = (
        f"alter table audit alter column {column} drop default",
        f"alter table audit alter column {column} type {kind} using null",
    )
    found = await damaged_before(on_postgresql, *changes)
    was = {"sequence": "bigint", "chain": "bytea", "at": "double precision", "reason": "text"}[column]
    assert found == [f"column {column} of table audit is {kind}, and was made as {was}{WHY}"]


async def test_damage_amid_a_verification_is_found(written: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at by then stays told, and the damage comes last."""
    told = await interrupted(written, monkeypatch, lambda: written.sql("alter table audit drop column facts"))
    assert told[-1].rows == 2  # the last row of a page is looked at with the next one
    assert [one.words for one in told[-1].findings] == [f"column facts of table audit is missing{WHY}"]


async def test_an_outage_amid_a_verification_stays_one(
    on_postgresql: Books, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that takes no connections any more has no damaged tables: nobody knows, and that is said."""
    await filled(on_postgresql)

    def go_away() -> None:
        postgres.alter(on_postgresql.url, "allow_connections false")
        postgres.cut_off(on_postgresql.url)

    with pytest.raises(Unavailable):
        await interrupted(on_postgresql, monkeypatch, go_away)
    postgres.alter(on_postgresql.url, "allow_connections true")
    assert await on_postgresql.findings() == []


async def test_rights_that_were_taken_away_are_an_outage(on_postgresql: Books, postgres: Postgres) -> None:
    """Tables that are there and may not be read are told as PostgreSQL tells it, not as tampered with."""
    await filled(on_postgresql)
    reader = f"postgresql://looker@{on_postgresql.url.split('@')[1]}"
    postgres.run("create role looker login")
    try:
        on_postgresql.sql("grant select on meta, alembic_version, audit_writers to looker")
        on_postgresql.url, before = reader, on_postgresql.url
        with pytest.raises(Unavailable, match="InsufficientPrivilege"):
            await on_postgresql.findings()
    finally:
        await on_postgresql.close()
        run(before, "drop owned by looker")
        postgres.run("drop role looker")


async def test_a_store_that_closes_amid_a_verification_is_an_outage(
    written: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both databases: a daemon that stops tells nothing about tables."""
    with pytest.raises(Unavailable, match="closed"):
        await interrupted(written, monkeypatch, written.close)


async def interrupted(
    books: Books, monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]
) -> list[Progress]:
    """What a verification tells when `happen` is called behind its first three rows."""
    monkeypatch.setattr(verifying, "PAGE", 3)
    told: list[Progress] = []
    async for piece in verify(books.open().audit, KEYS, []):
        if told and not told[-1].rows and piece.rows:
            happened = happen()
            if isawaitable(happened):
                await happened
        told.append(piece)
    return told


def test_the_command_names_the_damage(door_folder: Path, slapd: Slapd) -> None:
    """`nightlatch audit verify` exits with 1, says what is missing and what to do; with 0 when it is back."""
    daemon = Nightlatchd(door_folder / "one", directory_table(slapd))
    daemon.start()
    assert daemon.command("invite", "alice").returncode == 0
    url = f"sqlite:///{daemon.folder / 'state' / 'nightlatch.db'}"
    run(url, "alter table audit rename column chain to link")
    told = daemon.command("audit", "verify")
    assert (told.returncode, told.stderr) == (1, "")
    assert "column chain of table audit is missing" in " ".join(told.stdout.split())
    assert "put a whole backup back" in " ".join(told.stdout.split())
    told = daemon.command("audit", "verify", "--json")
    [finding] = json.loads(told.stdout)["findings"]
    assert (told.returncode, finding["kind"]) == (1, "damaged_table")
    assert daemon.command("invite", "alice").returncode == 3
    run(url, "alter table audit rename column link to chain")
    assert daemon.command("audit", "verify").returncode == 0
    daemon.stop()
