"""Every statement of the decision path, written once for both databases.

In these texts ``?`` is a value, AMONG the condition that a column is one of a list, PLACED that an audit row
has a place in a chain, LOCK and SKIP what locks the rows that are read; `Dialect` says how a database writes
them.

Rows go in by the handful: one statement of up to 32 rows costs one call into the driver, and few releases of
the interpreter lock, where a statement for each row would cost 32 times as many.

Everybody's rows come out in pages, each one text of JSON: a driver takes the interpreter lock anew for each
row, and beside a busy event loop waits for it 5 ms each time (100,000 rows: 16 s; in pages: 0.8 s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.store.database import Query
from nightlatch.store.rows import AUDIT_TEXTS, FRESH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.store.database import Dialect

_MOST_ROWS = 32


class Insert:
    """An insert of many rows: its beginning up to `values`, and its end after them."""

    def __init__(self, dialect: Dialect, beginning: str, ending: str = "") -> None:
        columns = beginning.count(",") + 1
        self._beginning = f"{beginning} values "
        self._row = f"({', '.join([dialect.mark] * columns)})"
        self._ending = f" {ending}"
        self._texts: dict[int, str] = {}

    def of(self, rows: Sequence[Sequence[object]]) -> list[Query]:
        """The statements for these rows, few of them: each text is prepared once, and kept by the driver."""
        queries = []
        for place in range(0, len(rows), _MOST_ROWS):
            some = rows[place : place + _MOST_ROWS]
            queries.append(Query(self._text(len(some)), [value for row in some for value in row]))
        return queries

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._beginning + ", ".join([self._row] * count) + self._ending
            self._texts[count] = text
        return text


class Statements:
    """The statements in one database's words."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._reads(dialect)
        self._chain(dialect)
        self._writes(dialect)
        self._prunes(dialect)

    def _reads(self, dialect: Dialect) -> None:
        credentials = (
            "select account_id, credential_id, factor, label, state, created_at, last_used_at, expires_at"
            " from credentials where account_id AMONG order by account_id, credential_id"
        )
        audit = f"select at, {AUDIT_TEXTS} from audit"  # noqa: S608  # words of our own
        self.credentials = dialect.write(credentials)
        self.credentials_locked = dialect.write(credentials + " LOCK")
        self.limits = dialect.write("select scope, state from limits where scope AMONG order by scope LOCK")
        standings = "select account_id, state from standings where account_id AMONG order by account_id"
        self.standings = dialect.write(standings)
        self.standings_locked = dialect.write(standings + " LOCK")
        self.accounts = dialect.write("select account_id, name from accounts where account_id AMONG")
        self.spent = dialect.write("select key, value from spent where key AMONG")
        marks = "select name, value from meta where name AMONG order by name"
        self.marks = dialect.write(marks)
        self.marks_locked = dialect.write(marks + " LOCK")
        self.audit_of_all = dialect.write(audit + " order by id desc limit ?")
        self.audit_of_one = dialect.write(audit + " where account_id = ? order by id desc limit ?")
        self.enrolled = dialect.write(
            f"select {dialect.page.format('account_id, factor')} from credentials"  # noqa: S608  # words of our own
            f" where expires_at is null or expires_at > ? group by {dialect.pages}"
        )
        self.all_standings = dialect.write(
            f"select {dialect.page.format('account_id, state')} from standings"  # noqa: S608  # words of our own
            f" where state <> '{FRESH}' group by {dialect.pages}"
        )

    def _chain(self, dialect: Dialect) -> None:
        self.audit_columns = f"select id, at, {AUDIT_TEXTS}, writer, sequence, chain from audit"  # noqa: S608  # words of our own
        self.oldest_audit = dialect.write(f"{self.audit_columns} order by id limit ? LOCK")
        self.chain = dialect.write(
            f"{self.audit_columns} where writer = ? and sequence >= ? and PLACED"
            " order by writer, sequence, id limit ?"
        )
        self.next_writer = dialect.write("select min(writer) from audit where writer > ? and PLACED")
        self.audit_stretch = dialect.write(
            "select max(id) from (select id from audit where id > ? order by id limit ?) as page"
        )
        self.misplaced = dialect.write(
            "select id, at, substr(writer, 1, 16) from audit"
            " where id > ? and id <= ? and (writer = '' or PLACED) is not true order by id"
        )
        self.audit_writers = dialect.write(
            "select writer, opened, head, pruned from audit_writers order by started_at, writer"
        )
        self.unchained = dialect.write(
            "select count(*), max(id), (select min(id) from audit where writer > '')"
            " from audit where writer = ''"
        )
        self.pruned_heads = dialect.write(
            "select writer, pruned from audit_writers where writer AMONG order by writer LOCK"
        )
        self.open_chain = dialect.write(
            "insert into audit_writers (writer, started_at, opened, head, pruned) values (?, ?, ?, '', '')"
        )
        self.put_head = dialect.write("update audit_writers set head = ? where writer = ?")
        self.put_pruned = dialect.write("update audit_writers set pruned = ? where writer = ?")
        self.prune_audit = dialect.write("delete from audit where id <= ?")
        self.accounts_named = dialect.write(
            "select account_id from accounts where lower(name) = lower(?) limit 16"
        )

    def _writes(self, dialect: Dialect) -> None:
        limits = "insert into limits (scope, state, updated_at)"
        self.new_limits = Insert(dialect, limits, "on conflict (scope) do nothing")
        self.put_limits = Insert(
            dialect,
            limits,
            "on conflict (scope) do update set state = excluded.state, updated_at = excluded.updated_at",
        )
        standings = "insert into standings (account_id, state, updated_at)"
        self.new_standings = Insert(dialect, standings, "on conflict (account_id) do nothing")
        self.put_standings = Insert(
            dialect,
            standings,
            "on conflict (account_id) do update set state = excluded.state, updated_at = excluded.updated_at",
        )
        self.put_credentials = Insert(
            dialect,
            "insert into credentials"
            " (account_id, credential_id, factor, label, state, created_at, last_used_at, expires_at)",
            "on conflict (account_id, credential_id) do update set factor = excluded.factor,"
            " label = excluded.label, state = excluded.state, last_used_at = excluded.last_used_at,"
            " expires_at = excluded.expires_at",
        )
        self.put_accounts = Insert(
            dialect,
            "insert into accounts (account_id, directory, stable_id, name, first_seen_at)",
            "on conflict (account_id) do update set name = excluded.name",
        )
        self.spend = Insert(dialect, "insert into spent (key, expires_at, value)")
        marks = "insert into meta (name, value)"
        self.new_marks = Insert(dialect, marks, "on conflict (name) do nothing")
        self.put_marks = Insert(dialect, marks, "on conflict (name) do update set value = excluded.value")
        self.put_audit = Insert(
            dialect,
            f"insert into audit (at, {AUDIT_TEXTS}, writer, sequence, chain)",
        )
        self._remove = dialect.write("delete from credentials where account_id = ? and credential_id = ?")

    def _prunes(self, dialect: Dialect) -> None:
        self.prune_spent = dialect.write(
            "delete from spent where key in"
            " (select key from spent where expires_at < ? order by expires_at limit ? SKIP)"
        )
        self.prune_credentials = dialect.write(
            "delete from credentials where (account_id, credential_id) in"
            " (select account_id, credential_id from credentials where expires_at <= ?"
            " order by expires_at limit ? SKIP)"
        )
        self.old_limits = dialect.write(
            "select scope, state from limits where updated_at < ? and scope > ? order by scope limit ?"
        )
        self.prune_limits = dialect.write("delete from limits where updated_at < ? and scope AMONG")

    def among(self, sql: str, keys: Sequence[str]) -> Query:
        """The query `sql` for a list of keys."""
        return Query(sql, (self.dialect.list_of(keys),))

    def remove(self, account_id: str, credential_id: str) -> Query:
        """Removes one credential."""
        return Query(self._remove, (account_id, credential_id))
