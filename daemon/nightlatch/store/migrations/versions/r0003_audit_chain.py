"""The audit is chained: each row has its writer, its number there, and its link."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns and a table. Rows that are there stay as they are: they are from before the chain."""
    op.add_column("audit", sa.Column("facts", sa.Text, nullable=False, server_default=""))
    op.add_column("audit", sa.Column("writer", sa.Text, nullable=False, server_default=""))
    op.add_column("audit", sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("audit", sa.Column("chain", sa.LargeBinary))
    op.create_index("audit_chain", "audit", ["writer", "sequence"])
    op.create_table(
        "audit_writers",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("opened", sa.Text, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("pruned", sa.Text, nullable=False),
    )
