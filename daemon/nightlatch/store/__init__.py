"""Keeps credentials, limits, spent keys and the audit, on SQLite or PostgreSQL."""

from __future__ import annotations

from nightlatch.store.opening import open_store, store_is_empty
from nightlatch.store.sql_store import SqlStore

__all__ = ["SqlStore", "open_store", "store_is_empty"]
