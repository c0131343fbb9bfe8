"""What Alembic needs to move the schema; see `nightlatch.store.migrate`."""
