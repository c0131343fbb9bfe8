"""Somebody who owns the database changes the audit with real SQL, and is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.model import AuditQuery
from nightlatch.webhook.feed import AuditChoice

if TYPE_CHECKING:
    from testbed.audit import Books


@pytest.fixture
async def written(books: Books) -> Books:
    """Ten rows of one daemon that has stopped."""
    await books.write(books.open(), *(f"reason {number}" for number in range(10)))
    await books.close()
    return books


async def test_what_nobody_touched_is_all_right(written: Books) -> None:
    """Ten rows, one writer, no finding; and the stop has signed a head of the last one."""
    told = await written.verified()
    assert (told.rows, told.expected, told.writers, told.findings) == (10, 10, 1, ())
    assert len(written.kept.lines) == 1


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'right'",
        "at = at + 0.001",
        "result = 'granted'",
        "result = 'nonsense'",
        "user_name = 'bob'",
        "facts = 'offset=1'",
        "caller = 'x', reason = 'y'",
    ],
)
async def test_an_edited_row_is_found(written: Books, change: str) -> None:
    """Whatever column was changed: one finding, that names the row."""
    written.sql(f"update audit set {change} where sequence = 4")  # noqa: S608  # words of this test
    assert await written.findings() == [("edited", 4, 4)]


async def test_an_edited_link_is_found_once(written: Books) -> None:
    """A link that was changed is its own row's finding, not the next one's."""
    written.sql("update audit set chain = (select chain from audit where sequence = 9) where sequence = 4")
    assert await written.findings() == [("edited", 4, 4)]


async def test_text_moved_from_one_column_to_another_is_found(written: Books) -> None:
    """The chain knows where a column ends."""
    written.sql("update audit set reason = '', reference = 'reason 37f3a' where sequence = 4")
    assert await written.findings() == [("edited", 4, 4)]


async def test_removed_rows_are_found(written: Books) -> None:
    """A gap is told with both its ends."""
    written.sql("delete from audit where sequence in (4, 5)")
    assert await written.findings() == [("removed", 4, 5)]


async def test_rows_removed_in_front_are_found(written: Books) -> None:
    """A chain begins with its first row, unless a signed head says that it was forgotten."""
    written.sql("delete from audit where sequence <= 3")
    assert await written.findings() == [("removed", 1, 3)]


async def test_a_cut_tail_is_found(written: Books) -> None:
    """The signed head has rows that the table has not."""
    written.sql("delete from audit where sequence > 7")
    assert await written.findings(witnessed=False) == [("cut", 8, 10)]


async def test_a_cut_tail_is_found_by_the_head_that_was_kept_elsewhere(written: Books) -> None:
    """Who removes the head with the rows does not reach the one beside the database."""
    written.sql("delete from audit where sequence > 7")
    written.sql("update audit_writers set head = ''")
    assert await written.findings(witnessed=False) == []
    assert await written.findings() == [("cut", 8, 10)]


async def test_an_old_copy_of_the_database_is_found(books: Books) -> None:
    """A database restored to before a daemon's whole session lacks it: the kept head has it."""
    await books.write(books.open(), "before")
    await books.close()
    await books.write(books.open(), "one", "two")
    await books.close()
    second = books.kept.lines[-1].split('"writer": "')[1][:16]
    books.sql(f"delete from audit where writer = '{second}'")  # noqa: S608  # as above
    books.sql(f"delete from audit_writers where writer = '{second}'")  # noqa: S608  # as above
    found = await books.finding()
    assert (found.kind.value, found.writer, found.last) == ("cut", second, 2)


async def test_all_rows_of_a_writer_removed_are_found(written: Books) -> None:
    """What is left in the table of writers says that there were some."""
    written.sql("delete from audit")
    assert await written.findings(witnessed=False) == [("cut", 1, 10)]


async def test_rows_that_change_places_are_found(written: Books) -> None:
    """Two rows whose places in the table were exchanged are out of order."""
    written.sql("update audit set id = id + 1000 where sequence = 4")
    written.sql("update audit set id = 4 where sequence = 5")
    written.sql("update audit set id = 5 where sequence = 4")
    assert await written.findings() == [("reordered", 5, 5)]


async def test_rows_that_change_numbers_are_found(written: Books) -> None:
    """Two rows whose numbers were exchanged fit no link any more."""
    written.sql("update audit set sequence = 9 - sequence where sequence in (4, 5)")
    assert {kind for kind, _, _ in await written.findings()} <= {"edited", "reordered"}
    assert await written.findings() != []


async def test_a_row_that_somebody_else_wrote_is_found(written: Books) -> None:
    """A copy with the next number, one with a number that is there, and one without a chain."""
    columns = (
        "at, event, result, reason, reference, account_id, user_name, service, source, factor,"
        " credential_id, caller, facts"
    )
    copy = f"insert into audit ({columns}, writer, sequence, chain) select {columns}, writer"
    written.sql(f"{copy}, 11, chain from audit where sequence = 10")
    assert await written.findings() == [("edited", 11, 11)]
    written.sql(f"{copy}, 3, chain from audit where sequence = 10")
    assert await written.findings() == [("added", 3, 3), ("edited", 11, 11)]
    written.sql(f"insert into audit ({columns}) select {columns} from audit where sequence = 10")  # noqa: S608  # as above
    assert ("added", 0, 0) in await written.findings()


@pytest.mark.parametrize("column", ["opened", "head", "pruned"])
async def test_a_forged_head_is_found(written: Books, column: str) -> None:
    """A head that the key has not signed, and one that was signed for something else."""
    written.sql(f"update audit_writers set {column} = '{{}}'")  # noqa: S608  # as above
    assert await written.findings() == [("forged_head", 0, 0)]
    other = "head" if column != "head" else "opened"
    written.sql(f"update audit_writers set {column} = {other}")  # noqa: S608  # as above
    assert await written.findings() == [("forged_head", 0, 0)]


async def test_a_forged_pruning_hides_nothing(written: Books) -> None:
    """Rows in front can not be removed with a record that says they were forgotten."""
    written.sql("update audit_writers set pruned = replace(head, '\"closed\"', '\"pruned\"')")
    written.sql("delete from audit")
    kinds = {kind for kind, _, _ in await written.findings()}
    assert kinds == {"forged_head", "cut"}


async def test_a_head_of_other_content_is_found(written: Books) -> None:
    """A whole chain that was written anew under the key's nose does not fit the head that was kept."""
    written.kept.lines = [line.replace('"sequence": 10', '"sequence": 9') for line in written.kept.lines]
    assert await written.findings() == [("forged_head", 0, 0)]


@pytest.mark.parametrize("column", ["reason", "event", "facts"])
async def test_a_text_that_is_none_is_found_and_hides_no_other_row(written: Books, column: str) -> None:
    """Bytes that are no UTF-8 in one row: verify, list and the feed go on; PostgreSQL takes none (AUD-02)."""
    if not written.url.startswith("sqlite"):
        with pytest.raises(Exception, match="0xff"):
            written.sql(f"update audit set {column} = convert_from('\\xff', 'UTF8')")  # noqa: S608  # as above
        return
    written.sql(f"update audit set {column} = cast(x'ff' as text) where sequence = 4")  # noqa: S608  # as above
    assert await written.findings() == [("edited", 4, 4)]
    store = written.open()
    assert len(await store.audit.page(AuditQuery(), None, 100)) == 10
    assert len(await store.feed.rows(AuditChoice(("login.factor",), ()), 0, 100, 100)) >= 9


async def test_a_head_that_is_no_text_is_found(written: Books) -> None:
    """The table of writers stops no verification either."""
    if written.url.startswith("sqlite"):
        written.sql("update audit_writers set head = cast(x'ff' as text)")
    else:
        written.sql("update audit_writers set head = 'ff'")
    assert await written.findings() == [("forged_head", 0, 0)]


async def test_a_writer_that_is_no_text_stops_no_decision(books: Books) -> None:
    """A daemon that forgets old rows meets it, and goes on writing; it forgets nothing, and says so."""
    await books.write(books.open(), "old", "older")
    await books.close()
    text = "cast(x'ff' as text)" if books.url.startswith("sqlite") else "'ff'"
    books.sql(f"update audit set writer = {text}, at = 1 where sequence = 1")  # noqa: S608  # as above
    books.clock.time += 40 * 86400
    await books.write(books.open(retention_days=30), "new")
    await books.close()
    assert len(books.sql("select reason from audit")) == 3
    assert len(books.kept.stopped) == 1
