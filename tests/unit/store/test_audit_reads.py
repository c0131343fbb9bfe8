"""What the audit's tables are held to."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql

from nightlatch.store.audit_reads import AUDIT_TABLES
from nightlatch.store.schema import tables


def test_the_tables_that_a_verification_expects_are_those_of_the_schema() -> None:
    """Every column, with the type that PostgreSQL names: a new one is not forgotten."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no type for it
    described = {
        table.name: {column.name: column.type.compile(dialect=dialect).lower() for column in table.columns}
        for table in tables().tables.values()
        if table.name.startswith("audit")
    }
    assert described == AUDIT_TABLES
