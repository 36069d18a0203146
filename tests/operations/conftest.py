"""The stores that every operation is tested on."""

from __future__ import annotations

from stores import postgres_store, sqlite_store, store

__all__ = ["postgres_store", "sqlite_store", "store"]
