"""Somebody damages what says to which chain a row belongs: it is found, with the row, and hides no other."""

from __future__ import annotations

import json
from contextlib import closing
from sqlite3 import connect
from typing import TYPE_CHECKING

import pytest

from nightlatch.model import AuditQuery
from testbed.audit import Books, Kept
from testbed.daemon import Nightlatchd
from testbed.fixtures_store import run
from testbed.front_door import directory_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from testbed.fixtures_store import SetClock
    from testbed.slapd import Slapd

LONG = "printf('%.6000000c', 'a')"
"""More letters than a message of gRPC takes."""
GAP = ("removed", 4, 4, 5)
"""Row 4 is not in its chain; the row behind the gap has the id 5."""


@pytest.fixture
async def written(books: Books) -> Books:
    """Ten rows of one daemon that has stopped, on both databases."""
    return await filled(books)


@pytest.fixture
async def in_file(sqlite_url: str, store_clock: SetClock) -> AsyncIterator[Books]:
    """The same in a SQLite file."""
    made = Books(sqlite_url, store_clock, Kept())
    yield await filled(made)
    await made.close()


async def filled(books: Books) -> Books:
    """The books with ten rows in them."""
    await books.write(books.open(), *(f"reason {number}" for number in range(10)))
    await books.close()
    return books


def loosen(books: Books, table: str) -> None:
    """Take types and bounds from a table's columns, as who owns the file can: they take everything then."""
    with closing(connect(books.url.removeprefix("sqlite:///"))) as file:
        for words in (" TEXT", " BIGINT", " BLOB", " NOT NULL"):
            file.execute("pragma writable_schema = on")
            file.execute("update sqlite_master set sql = replace(sql, ?, '') where name = ?", (words, table))
        file.commit()


async def told(books: Books) -> list[tuple[str, int, int, int]]:
    """What a verification finds, with the row's id; the list of rows is whole beside it."""
    found = (await books.verified()).findings
    store = books.open()
    rows = len(books.sql("select 1 from audit"))
    assert len(await store.audit.page(AuditQuery(), None, 100)) == rows
    assert len(await store.audit_rows(None, 100)) == rows
    await books.close()
    assert all(len(one.writer) <= 256 and one.writer.isprintable() for one in found)
    return [(one.kind.value, one.first, one.last, one.row_id) for one in found]


@pytest.mark.parametrize(
    "value",
    [
        "x'ff'",
        "x''",
        "cast(writer as blob)",
        "cast(x'ff' as text)",
        "cast(x'30313233343536373839616263646566ff' as text)",
        "cast(x'3031323334353637383961626364ff66' as text)",
        "writer || char(0) || 'more'",
        "substr(writer, 1, 8) || char(0) || 'abcdefg'",
        "5",
        LONG,
        "char(27) || '[2J'",
    ],
)
async def test_a_writer_that_only_sqlite_takes_is_found(in_file: Books, value: str) -> None:
    """Bytes, no UTF-8, a zero byte, a number, megabytes: the row is told by its id, its chain by the gap."""
    in_file.sql(f"update audit set writer = {value} where sequence = 4")  # noqa: S608  # words of this test
    assert await told(in_file) == [GAP, ("edited", 0, 0, 4)]


@pytest.mark.parametrize("value", ["null", "5", "4.5"])
async def test_a_writer_of_no_type_is_found(in_file: Books, value: str) -> None:
    """Whoever owns the file can make its columns take numbers, and nothing at all."""
    loosen(in_file, "audit")
    in_file.sql(f"update audit set writer = {value} where sequence = 4")  # noqa: S608  # as above
    assert await told(in_file) == [GAP, ("edited", 0, 0, 4)]


@pytest.mark.parametrize(
    "value", ["'bob'", "upper(writer)", "' ' || writer", "writer || '0'", "repeat('a', 6000)"]
)
async def test_a_text_that_is_no_writer_is_found(written: Books, value: str) -> None:
    """What every database takes, PostgreSQL too."""
    if written.url.startswith("sqlite"):
        value = value.replace("repeat('a', 6000)", "printf('%.6000c', 'a')").replace(
            "upper(writer)", "'ABCDEF'"
        )
    written.sql(f"update audit set writer = {value} where sequence = 4")  # noqa: S608  # as above
    assert await told(written) == [GAP, ("edited", 0, 0, 4)]


async def test_a_writer_that_there_never_was_is_found(written: Books) -> None:
    """A name like a daemon's is no daemon: no signed head says how it began; its first rows are missing."""
    written.sql("update audit set writer = '0123456789abcdef' where sequence = 4")
    found = sorted(await told(written))
    assert found == sorted([GAP, ("forged_head", 0, 0, 0), ("removed", 1, 3, 4)])


async def test_every_row_with_a_damaged_writer_is_told(written: Books) -> None:
    """All ten, and that nothing is left of their chain."""
    written.sql("update audit set writer = 'nobody'")
    found = await told(written)
    assert [one[3] for one in found if one[0] == "edited"] == list(range(1, 11))
    assert [one[:3] for one in found if one[0] != "edited"] == [("cut", 1, 10)]


@pytest.mark.parametrize("value", ["0", "-7", "4.5", "x'34'", "'four'", "9223372036854775807"])
async def test_a_number_that_is_none_is_found(in_file: Books, value: str) -> None:
    """A place in front of the first, between two, or beyond all, and none at all."""
    in_file.sql(f"update audit set sequence = {value} where sequence = 4")  # noqa: S608  # as above
    found = await told(in_file)
    assert GAP in found
    assert 4 in [one[3] for one in found[1:]]


@pytest.mark.parametrize(
    "damage",
    [
        "chain = 1000000000000",
        "chain = 'text'",
        "chain = null",
        "at = x'ff'",
        "at = 'then'",
        "at = 9e99",
        f"reason = {LONG}",
        "reason = cast(x'ff' as text)",
        "result = 'nonsense'",
    ],
)
async def test_a_value_of_another_type_is_found(in_file: Books, damage: str) -> None:
    """A number in place of a link is not taken for that many bytes: a daemon without memory would end."""
    loosen(in_file, "audit")
    in_file.sql(f"update audit set {damage} where sequence = 4")  # noqa: S608  # as above
    assert await told(in_file) == [("edited", 4, 4, 4)]


@pytest.mark.parametrize("column", ["writer", "opened", "head", "pruned"])
@pytest.mark.parametrize(
    "value",
    [
        "x'ff'",
        "cast(x'ff' as text)",
        "null",
        "5",
        "'null'",
        LONG,
        f"replace({LONG}, 'a', '[')",
        "replace(head, '\"sequence\": 10', '\"sequence\": 1e999')",
    ],
)
async def test_a_damaged_row_of_the_table_of_writers_is_found(
    in_file: Books, column: str, value: str
) -> None:
    """Whatever stands there, it stops no verification, nor a daemon that forgets old rows."""
    loosen(in_file, "audit_writers")
    in_file.sql(f"update audit_writers set {column} = {value}")  # noqa: S608  # as above
    assert {one[0] for one in await told(in_file)} == {"forged_head"}
    in_file.clock.time += 40 * 86400
    await in_file.write(in_file.open(retention_days=30), "new")
    await in_file.close()
    assert len(in_file.kept.stopped) == (column == "pruned" and value != "null")


async def test_a_head_that_was_taken_away_is_found(written: Books) -> None:
    """Every writer's row has the head that it began with, and every writer has a row."""
    written.sql("update audit_writers set opened = ''")
    assert await told(written) == [("forged_head", 0, 0, 0)]
    written.sql("delete from audit_writers")
    assert await told(written) == [("forged_head", 0, 0, 0)]


def test_the_command_tells_of_damage(door_folder: Path, slapd: Slapd) -> None:
    """`nightlatch audit verify` exits with 1 and names the row; `audit list` has all rows."""
    daemon = Nightlatchd(door_folder / "one", directory_table(slapd))
    daemon.start()
    assert daemon.command("invite", "alice").returncode == 0
    assert daemon.command("audit", "verify").returncode == 0
    url = f"sqlite:///{daemon.folder / 'state' / 'nightlatch.db'}"
    for value in ("x'ff'", "cast(x'ff' as text)", LONG):
        run(url, f"update audit set writer = {value} where id = 1")  # noqa: S608  # as above
        run(url, f"update audit_writers set writer = {value}")  # noqa: S608  # as above
        verified = daemon.command("audit", "verify", "--json")
        assert (verified.returncode, verified.stderr) == (1, "")
        assert 1 in [one["id"] for one in json.loads(verified.stdout)["findings"]]
        assert "id 1" in daemon.command("audit", "verify").stdout
        listed = daemon.command("audit", "list", "--json")
        assert len(listed.stdout.splitlines()) == len(run(url, "select 1 from audit"))
    daemon.stop()
