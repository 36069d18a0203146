"""The store for several machines: PostgreSQL.

Connections are kept and lent again; each lives in one thread while it is lent. Values travel as text, as they
do with SQLite, so that rows mean the same for both (see `prefect.store.values`); the server makes its
own types of them.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from prefect.exceptions import ConfigurationError, StoreConflict, StoreCorrupt, StoreError, StoreUnavailable
from prefect.store.base import Connection, Store
from prefect.store.statement import Statement
from prefect.store.statements import POSTGRESQL_SCHEMA
from prefect.store.values import Row
from prefect.store.versions import READ_VERSION, VERSION_TABLE, is_current
from prefect.types import call_in_forked_child

try:
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.types.string import TextLoader
except ImportError as error:
    raise ConfigurationError(
        "A PostgreSQL database needs another package: pip install 'proconsul[postgres]'."
    ) from error

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

    Raw = psycopg.Connection[tuple[Any, ...]]

__all__ = ["PostgresStore"]

MOST_CONNECTIONS = 16
"""How many connections a process has at most; who wants one more waits."""
CONNECT_SECONDS = 30
TRUST_SECONDS = 1.0
"""A connection that was idle for longer is asked whether it still works before it is lent."""
_SCHEMA_LOCK = 7_402_001_310
"""A number that stands for the schema among the server's advisory locks."""
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

_stores: weakref.WeakSet[PostgresStore] = weakref.WeakSet()
_abandoned: list[Raw] = []


class _PostgresConnection(Connection):
    __slots__ = ("_raw",)

    def __init__(self, raw: Raw, keeps_events: bool) -> None:
        self._raw = raw
        self.keeps_events = keeps_events

    def fetch(self, statement: Statement, params: Row = ()) -> list[Row]:
        return self._raw.execute(statement.postgresql, _clean(params)).fetchall()

    def run(self, statement: Statement, params: Row = ()) -> int:
        return self._raw.execute(statement.postgresql, _clean(params)).rowcount

    def run_many(self, statement: Statement, rows: Iterable[Row]) -> int:
        waiting = [_clean(row) for row in rows]
        with self._raw.cursor() as cursor:
            cursor.executemany(statement.postgresql, waiting)
            return cursor.rowcount if waiting else 0

    def select(self, query: ClauseElement) -> list[Row]:
        text, params = _composed(query)
        return self._raw.execute(text, params).fetchall()

    def execute(self, change: ClauseElement) -> int:
        text, params = _composed(change)
        return self._raw.execute(text, params).rowcount


def _composed(statement: ClauseElement) -> tuple[Any, Row]:
    from prefect.store.composed import text_and_params  # noqa: PLC0415 - SQLAlchemy: 200 ms

    return text_and_params(statement, "postgresql")


def _clean(row: Row) -> Row:
    """Replace the one character that PostgreSQL cannot keep, in texts and in JSON."""
    if any(isinstance(value, str) and ("\0" in value or "\\u0000" in value) for value in row):
        return tuple(_without_nul(value) if isinstance(value, str) else value for value in row)
    return row


def _without_nul(text: str) -> str:
    return _NUL.sub(r"\1\\ufffd", text.replace("\0", "\ufffd"))


class PostgresStore(Store):
    """A store in a PostgreSQL database.

    Args:
        url: `postgresql://user:password@host:port/name`; further options are those of libpq.
        timeout: Seconds that a statement may take; None: as long as it needs.
        connect_timeout: Seconds to wait for a connection; None: `CONNECT_SECONDS`.
    """

    dialect = "postgresql"
    keeps_events = True

    def __init__(self, url: str, timeout: float | None = None, connect_timeout: float | None = None) -> None:
        super().__init__(url)
        self._timeout = timeout
        self._connect_timeout = CONNECT_SECONDS if connect_timeout is None else connect_timeout
        self._address, self._shown = _address(url)
        self._forget()
        _stores.add(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown!r})"

    def _forget(self) -> None:
        self._idle: list[tuple[Raw, float]] = []
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._is_current = False

    def _abandon(self) -> None:
        _abandoned.extend(raw for raw, _ in self._idle)
        self._forget()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Lend a connection in a transaction of its own."""
        with self._lent() as raw, raw.transaction():
            yield _PostgresConnection(raw, self.keeps_events)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Lend a connection on which each statement stands alone."""
        with self._lent() as raw:
            yield _PostgresConnection(raw, self.keeps_events)

    def close(self) -> None:
        """Close all connections that are not lent."""
        with self._lock:
            idle, self._idle = self._idle, []
        for raw, _ in idle:
            raw.close()

    @contextmanager
    def _lent(self) -> Generator[Raw]:
        with self._places, self._explained():
            raw = self._take()
            try:
                yield raw
            finally:
                if raw.closed:
                    # The server went away; connections that sit idle are of no more use either.
                    self.close()
                elif raw.info.transaction_status is TransactionStatus.IDLE:
                    self._idle.append((raw, monotonic()))
                else:
                    # A timeout struck in the middle of an exchange; nobody could make sense of the rest.
                    raw.close()

    def _take(self) -> Raw:
        while idle := self._pop():
            raw, since = idle
            if monotonic() - since < TRUST_SECONDS or _answers(raw):
                return raw
            raw.close()
        return self._connect()

    def _pop(self) -> tuple[Raw, float] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _connect(self) -> Raw:
        seconds = max(1, round(self._connect_timeout))  # as libpq takes it
        raw: Raw = psycopg.connect(self._address, autocommit=True, connect_timeout=seconds)
        try:
            for kind in ("uuid", "timestamptz", "json", "jsonb"):
                raw.adapters.register_loader(kind, TextLoader)
            raw.execute("SET TIME ZONE 'UTC'")
            with self._lock:
                if not self._is_current:
                    self._is_current = is_current(_version(raw), self._shown) or self._bring_up(raw)
            if self._timeout is not None:
                milliseconds = str(max(1, round(self._timeout * 1000)))
                raw.execute("SELECT set_config('statement_timeout', %s, false)", (milliseconds,))
        except BaseException:
            raw.close()
            raise
        return raw

    def _bring_up(self, raw: Raw) -> bool:
        """Make or upgrade the schema; of processes that try at once, one does, the others find it done."""
        with raw.transaction():
            raw.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            found = _version(raw)
            if found is None:
                for statement in POSTGRESQL_SCHEMA:
                    raw.execute(statement)
            elif not is_current(found, self._shown):
                from prefect.store.migrate import upgrade_postgresql  # noqa: PLC0415 - Alembic, 300 ms

                upgrade_postgresql(raw)
        return True

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except psycopg.Error as error:
            explained = _explain(error, self._shown)
            if explained is None:
                raise
            raise explained from error


def _answers(raw: Raw) -> bool:
    try:
        raw.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _address(url: str) -> tuple[str, str]:
    """Return a URL as libpq understands it, and the same without its password."""
    parts = urlsplit(url)
    # asyncpg says `ssl` for what libpq calls `sslmode`.
    options = [("sslmode" if name == "ssl" else name, value) for name, value in parse_qsl(parts.query)]
    user, _, place = parts.netloc.rpartition("@")
    shown = f"{user.partition(':')[0]}@{place}" if user else place
    query = urlencode(options).replace("+", "%20")
    return urlunsplit(parts._replace(query=query)), urlunsplit(parts._replace(netloc=shown, query=""))


def _version(raw: Raw) -> str | None:
    # Not `to_regclass`: it may answer from before a lock that this connection has waited for.
    find = "SELECT 1 FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid)"
    known = raw.execute(find, (VERSION_TABLE,)).fetchone()
    row = raw.execute(READ_VERSION).fetchone() if known else None
    return None if row is None else str(row[0])


def _explain(error: psycopg.Error, shown: str) -> StoreError | None:
    """Say what went wrong with the database; None where it is not to blame."""
    if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.InsufficientPrivilege):
        return StoreUnavailable(f"{shown} cannot be written ({error}).")
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return StoreUnavailable(f"{shown} only allows reading ({error}).")
    if isinstance(error, psycopg.errors.IntegrityError | psycopg.errors.DataError):
        return StoreConflict(f"{shown} refuses a row that does not fit ({error}).")
    if isinstance(error, psycopg.errors.DuplicateTable):
        return StoreCorrupt(f"{shown} holds tables of another program ({error}). Use a database of its own.")
    if isinstance(error, psycopg.errors.QueryCanceled):
        return StoreUnavailable(
            f"{shown} took too long ({str(error).strip()}). "
            "Raise PREFECT_SERVER_DATABASE_TIMEOUT, or ask for less at once."
        )
    if isinstance(error, psycopg.OperationalError):
        return StoreUnavailable(
            f"{shown} does not answer ({str(error).strip()}). "
            "Check that the server runs and PREFECT_API_DATABASE_CONNECTION_URL is right."
        )
    return None


def _after_fork() -> None:
    for store in _stores:
        store._abandon()


call_in_forked_child(_after_fork)
