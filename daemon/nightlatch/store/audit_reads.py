"""Reads the audit, a page at a time, on the thread for what reads long: `nightlatch.ports.AuditLog`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightlatch.model import AuditRow, AuditWriter
from nightlatch.store.database import AsStored, Query
from nightlatch.store.rows import AUDIT_TEXTS, misplaced_row, plain, stored_audit_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from nightlatch.model import AuditQuery
    from nightlatch.store.database import Row
    from nightlatch.store.statements import Statements

_TEXTS = dict.fromkeys(AUDIT_TEXTS.replace(",", "").split(), "text")
AUDIT_TABLES = {
    "audit": {
        "id": "bigint",
        "at": "double precision",
        **_TEXTS,
        "writer": "text",
        "sequence": "bigint",
        "chain": "bytea",
    },
    "audit_writers": {
        "writer": "text",
        "started_at": "double precision",
        "opened": "text",
        "head": "text",
        "pruned": "text",
    },
}
"""The audit's tables, their columns, and the types that these have where a column has one type."""
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
"""The numbers that a column holds."""


class AuditReads:
    """The audit of one store. All raise Unavailable."""

    def __init__(
        self,
        statements: Statements,
        read: Callable[[Query, Callable[[list[Row]], object]], Awaitable[Any]],
    ) -> None:
        self._statements = statements
        self._read = read

    async def damage(self) -> tuple[str, ...]:
        """What the audit's tables lack, each thing in words: "table audit is missing"."""
        rows = await self._read(Query(self._statements.dialect.columns, ()), list)
        there: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            there.setdefault(table, {})[column] = kind
        return tuple(words for table in AUDIT_TABLES for words in _damage(table, there.get(table)))

    async def page(self, query: AuditQuery, beyond: int | None, most: int) -> tuple[AuditRow, ...]:
        """At most `most` rows behind the one with the id `beyond`, in the query's order; None for all."""
        of = self._statements
        conditions, values = self._conditions(query)
        if beyond is not None:
            conditions.append("id > ?" if query.oldest_first else "id < ?")
            values.append(beyond)
        where = f" where {' and '.join(conditions)}" if conditions else ""
        order = "id" if query.oldest_first else "id desc"
        sql = of.dialect.write(f"{of.audit_columns}{where} order by {order} limit ?")
        return await self._read(AsStored(sql, (*values, most)), _rows)  # type: ignore[no-any-return]  # what `_rows` returns

    async def accounts_named(self, name: str) -> tuple[str, ...]:
        """The ids of accounts that went by this name, whatever its case, as far as the store has met them."""
        query = Query(self._statements.accounts_named, (name,))
        return await self._read(query, lambda rows: tuple(row[0] for row in rows))  # type: ignore[no-any-return]  # as above

    async def writers(self) -> tuple[AuditWriter, ...]:
        """Every writer that has rows or heads, those with heads first, in the order in which they began."""
        of, present, last = self._statements, [], ""
        while last := await self._read(Query(of.next_writer, (last,)), _first):
            present.append(last)
        # Behind the rows: who has some, and begins with none of these, is not one that began meanwhile.
        rows = await self._read(AsStored(of.audit_writers, ()), list)
        kept = [AuditWriter(plain(str(writer)), *map(str, heads)) for writer, *heads in rows]
        found = {one.writer: one for one in kept}
        for writer in present:
            found.setdefault(writer, AuditWriter(writer))
        return tuple(found.values())

    async def misplaced(self, beyond: int | None, most: int) -> tuple[tuple[AuditRow, ...], int | None]:
        """The rows whose writer or number no daemon writes, among the `most` behind the one with this id.

        And the id to go on with; None at the end.
        """
        of, start = self._statements, _LEAST if beyond is None else beyond
        end = await self._read(Query(of.audit_stretch, (start, most)), _first)
        if end is None:
            return (), None
        found = await self._read(AsStored(of.misplaced, (start, end)), list)
        return tuple(map(misplaced_row, found)), end

    async def chain(
        self, writer: str, sequence: int, most: int, take: Callable[[list[AuditRow]], None]
    ) -> int | None:
        """Give `take` at most `most` rows of a writer from this number on, in order, on the store's thread.

        The number to go on with; None at the end.
        """

        def taken(rows: list[Row]) -> int | None:
            if len(rows) < most or (last := rows[-1][-2]) == _MOST:
                take([stored_audit_row(row) for row in rows])
                return None
            # Rows with the last number may go on in the next page, where somebody has made many of them.
            whole = [row for row in rows if row[-2] != last] or rows
            take([stored_audit_row(row) for row in whole])
            return int(last) if len(whole) < len(rows) else int(last) + 1

        query = AsStored(self._statements.chain, (writer, sequence, most))
        return await self._read(query, taken)  # type: ignore[no-any-return]  # what `taken` returns

    async def unchained(self) -> tuple[int, bool]:
        """How many rows have no chain, and whether one of them was written after the first that has one."""
        [row] = await self._read(Query(self._statements.unchained, ()), list)
        count, newest, first_chained = row
        return count, bool(count and first_chained is not None and newest > first_chained)

    def _conditions(self, query: AuditQuery) -> tuple[list[str], list[object]]:
        conditions: list[str] = []
        values: list[object] = []
        as_list = self._statements.dialect.list_of
        if query.accounts is not None:
            conditions.append("account_id AMONG")
            values.append(as_list(query.accounts))
        if query.event.endswith("."):
            conditions.append("substr(event, 1, ?) = ?")
            values += [len(query.event), query.event]
        elif query.event:
            conditions.append("event = ?")
            values.append(query.event)
        if query.results:
            conditions.append("result AMONG")
            values.append(as_list([result.value for result in query.results]))
        if query.since is not None:
            conditions.append("at >= ?")
            values.append(query.since)
        if query.until is not None:
            conditions.append("at < ?")
            values.append(query.until)
        return conditions, values


def _damage(table: str, there: dict[str, str] | None) -> Iterator[str]:
    if there is None:
        yield f"table {table} is missing"
        return
    for column, kind in AUDIT_TABLES[table].items():
        found = there.get(column)
        if found is None:
            yield f"column {column} of table {table} is missing"
        elif found and found != kind:
            yield f"column {column} of table {table} is {found}, and was made as {kind}"


def _rows(rows: list[Row]) -> tuple[AuditRow, ...]:
    return tuple(map(stored_audit_row, rows))


def _first(rows: list[Row]) -> object:
    return rows[0][0]
