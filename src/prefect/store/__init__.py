"""Where flows, runs, task runs and logs are kept."""

from __future__ import annotations

import atexit
from pathlib import Path

from prefect.exceptions import ConfigurationError
from prefect.store.base import Store
from prefect.store.sqlite import SqliteStore

__all__ = ["Store", "make_store", "open_store"]

_open: dict[str, Store] = {}


@atexit.register
def _close_all() -> None:
    for store in _open.values():
        store.close()


def open_store(url: str | None = None) -> Store:
    """Return this process's store for a database; it is made and connected when first used.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite://` (in memory) or `postgresql://…`;
            a driver, as in `sqlite+aiosqlite://`, is accepted and left aside. None: the database of the
            settings.

    Raises:
        prefect.exceptions.ConfigurationError: The URL names no database that is supported.
    """
    where = url or _url_of_settings()
    store = _open.get(where)
    if store is None:
        store = _open.setdefault(where, _make_as_set(where))
    return store


def _make_as_set(url: str) -> Store:
    from prefect.settings import get_current_settings  # noqa: PLC0415 - read when needed, not when imported

    database = get_current_settings().server.database
    return make_store(url, timeout=database.timeout, connect_timeout=database.connection_timeout)


def _url_of_settings() -> str:
    from prefect.settings import get_current_settings  # noqa: PLC0415 - read when needed, not when imported

    settings = get_current_settings()
    url = settings.server.database.connection_url
    return f"sqlite:///{settings.home / 'prefect.db'}" if url is None else url.get_secret_value()


def make_store(url: str, *, timeout: float | None = None, connect_timeout: float | None = None) -> Store:
    """Return a new store for a database, to be closed by whoever asked.

    Args:
        url: See `open_store`.
        timeout: Seconds that a writer waits for other processes (SQLite; by default 60), or that a statement
            may take (PostgreSQL; by default there is no limit).
        connect_timeout: Seconds to wait for a connection (PostgreSQL; by default 30).

    Raises:
        prefect.exceptions.ConfigurationError: The URL names no database that is supported.
    """
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if separator and kind == "sqlite":
        path = rest.partition("?")[0].removeprefix("/")
        in_memory = not path or ":memory:" in path
        # Where the process goes later, the file must stay the same.
        return SqliteStore(":memory:" if in_memory else Path(path).absolute(), timeout)
    if separator and kind in ("postgresql", "postgres"):
        from prefect.store.postgres import PostgresStore  # noqa: PLC0415 - needs an extra

        return PostgresStore(f"postgresql://{rest}", timeout, connect_timeout)
    shown = f"{scheme}{separator}{rest.rpartition('@')[2]}"  # no password
    raise ConfigurationError(
        f"{shown!r} is no database that is supported. "
        "Use sqlite:////path/to/file.db or postgresql://user@host/name."
    )
