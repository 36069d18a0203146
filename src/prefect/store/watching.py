"""Notices, at next to no cost, that the database has changed, whoever changed it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from prefect.store.base import Store
from prefect.store.sqlite import SqliteStore

__all__ = ["StoreWatch"]


class StoreWatch:
    """Notices changes of a store since it was last asked; used by one thread.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._raw: sqlite3.Connection | None = None
        self._seen: int | None = None
        if isinstance(store, SqliteStore) and store.path != ":memory:":
            path = quote(str(Path(store.path).absolute()))
            # A connection of its own: the number tells of what others than this connection have written.
            # It never waits: a file that is locked may as well have changed.
            self._raw = sqlite3.connect(f"file:{path}?mode=ro", timeout=0, uri=True, check_same_thread=False)

    @property
    def is_able(self) -> bool:
        """Whether it notices anything: not in a database that can only be asked by a query."""
        return self._raw is not None

    def has_changed(self) -> bool:
        """Return whether something was written since the last call; True for the first one.

        It may be True where what was written does not matter, and is never False where something was.
        """
        if self._raw is None:
            return False
        try:
            (number,) = self._raw.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            # The file is locked or gone: who looks at the store says what is wrong with it.
            return True
        changed: bool = number != self._seen
        self._seen = number
        return changed

    def close(self) -> None:
        """Notice nothing any more."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    __del__ = close
