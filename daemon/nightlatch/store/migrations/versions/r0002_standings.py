"""Standings of accounts, credentials that end, and what is remembered with a spent key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a table and columns; nothing that is there changes."""
    op.create_table(
        "standings",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.add_column("credentials", sa.Column("expires_at", sa.Double))
    op.add_column("spent", sa.Column("value", sa.Text, nullable=False, server_default=""))
    ends = sa.text("expires_at is not null")
    op.create_index(
        "credentials_expires_at", "credentials", ["expires_at"], postgresql_where=ends, sqlite_where=ends
    )
