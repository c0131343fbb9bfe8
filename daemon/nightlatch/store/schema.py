"""The tables, one schema for both databases. All that belongs to an account is keyed by it.

Times are Unix seconds. `migrations` makes what is described here, and a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)


def tables() -> MetaData:
    """Everything that nightlatch keeps."""
    metadata = MetaData()
    ends = text("expires_at is not null")
    Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
    Table(
        "accounts",
        metadata,
        Column("account_id", Text, primary_key=True),
        Column("directory", Text, nullable=False),
        Column("stable_id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("first_seen_at", Double, nullable=False),
    )
    Table(
        "credentials",
        metadata,
        Column("account_id", Text, nullable=False),
        Column("credential_id", Text, nullable=False),
        Column("factor", Text, nullable=False),
        Column("label", Text, nullable=False),
        Column("state", LargeBinary, nullable=False),
        Column("created_at", Double, nullable=False),
        Column("last_used_at", Double),
        Column("expires_at", Double),
        PrimaryKeyConstraint("account_id", "credential_id"),
        Index("credentials_expires_at", "expires_at", postgresql_where=ends, sqlite_where=ends),
    )
    Table(
        "standings",
        metadata,
        Column("account_id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("updated_at", Double, nullable=False),
    )
    Table(
        "limits",
        metadata,
        Column("scope", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("updated_at", Double, nullable=False),
    )
    Table(
        "spent",
        metadata,
        Column("key", Text, primary_key=True),
        Column("expires_at", Double, nullable=False),
        Column("value", Text, nullable=False, server_default=""),
        Index("spent_expires_at", "expires_at"),
    )
    _audit(metadata)
    return metadata


def _audit(metadata: MetaData) -> None:
    texts = ("event", "result", "reason", "reference", "account_id", "user_name")
    more = ("service", "source", "factor", "credential_id", "caller")
    Table(
        "audit",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("at", Double, nullable=False),
        *(Column(name, Text, nullable=False) for name in texts + more),
        Column("facts", Text, nullable=False, server_default=""),
        Column("writer", Text, nullable=False, server_default=""),
        Column("sequence", BigInteger, nullable=False, server_default="0"),
        Column("chain", LargeBinary),
        Index("audit_at", "at"),
        Index("audit_account", "account_id", "id"),
        Index("audit_chain", "writer", "sequence"),
    )
    heads = ("opened", "head", "pruned")
    Table(
        "audit_writers",
        metadata,
        Column("writer", Text, primary_key=True),
        Column("started_at", Double, nullable=False),
        *(Column(name, Text, nullable=False) for name in heads),
    )
