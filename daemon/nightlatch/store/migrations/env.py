"""Alembic's way in: runs the migrations on the connection that `nightlatch.store.migrate` made."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
