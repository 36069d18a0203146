"""The store for several machines: PostgreSQL.

Connections are kept and lent again; each lives in one thread while it is lent. Values travel as text, as they
do with SQLite, so that rows mean the same for both (see `prefect.store.values`); the server makes its
own types of them.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from prefect.exceptions import (
    ConfigurationError,
    StoreConflict,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
    TooMuchAsked,
)
from prefect.store.base import Connection, Store, never_touch
from prefect.store.statement import Statement
from prefect.store.statements import POSTGRESQL_SCHEMA
from prefect.store.values import Row
from prefect.store.versions import READ_VERSION, VERSION_TABLE, is_current

try:
    import psycopg
    from psycopg.types.string import TextLoader

    from prefect.store.pipeline import Pipeline, together
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
_CACHE_SIZES = frozenset({"prepared_statement_cache_size", "statement_cache_size"})
"""What URLs of the interface switch prepared statements off with: `=0`, for poolers that know none."""
_SCHEMA_LOCK = 7_402_001_310
"""A number that stands for the schema among the server's advisory locks."""


class _PostgresConnection(Connection):
    __slots__ = ("_pipeline", "_raw")

    def __init__(self, pipeline: Pipeline, store: PostgresStore) -> None:
        self._pipeline = pipeline
        self._raw = pipeline.raw
        self.keeps_events = store.keeps_events
        self.names = store.names

    def fetch(self, statement: Statement, params: Row = ()) -> list[Row]:
        return self._pipeline.rows(statement.postgresql, params)

    def run(self, statement: Statement, params: Row = ()) -> int:
        return self._pipeline.changed(statement.postgresql, (params,))

    def run_many(self, statement: Statement, rows: Iterable[Row]) -> int:
        text, params = _many(statement.postgresql, list(rows))
        return self._pipeline.changed(text, params)

    def write(self, statement: Statement, params: Row = ()) -> None:
        self._pipeline.later(statement.postgresql, params)

    def write_many(self, statement: Statement, rows: Iterable[Row]) -> None:
        text, every = _many(statement.postgresql, list(rows))
        for params in every:
            self._pipeline.later(text, params)

    def select(self, query: ClauseElement) -> list[Row]:
        return self._pipeline.rows(*_composed(query))

    def execute(self, change: ClauseElement) -> int:
        text, params = _composed(change)
        return self._pipeline.changed(text, (params,))


def _many(text: str, rows: list[Row]) -> tuple[str, Sequence[Row]]:
    """Have rows go in by one statement where they may, else by one each."""
    at_once = together(text, rows) if len(rows) > 1 else None
    return (text, rows) if at_once is None else (at_once[0], [at_once[1]])


def _composed(statement: ClauseElement) -> tuple[str, Row]:
    from prefect.store.composed import text_and_params  # noqa: PLC0415 - SQLAlchemy: 200 ms

    return text_and_params(statement, "postgresql")


class PostgresStore(Store):
    """A store in a PostgreSQL database.

    Args:
        url: `postgresql://user:password@host:port/name`; further options are those of libpq, and
            `prepared_statement_cache_size=0`, with which no statement is prepared.
        timeout: Seconds that a statement may take; None: as long as it needs.
        connect_timeout: Seconds to wait for a connection; None: `CONNECT_SECONDS`.

    Attributes:
        address: The URL as libpq understands it.
    """

    dialect = "postgresql"
    keeps_events = True

    def __init__(self, url: str, timeout: float | None = None, connect_timeout: float | None = None) -> None:
        super().__init__(url)
        self._timeout = timeout
        self._connect_timeout = CONNECT_SECONDS if connect_timeout is None else connect_timeout
        self.address, self._shown, self._prepares = _address(url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown!r})"

    def forget(self) -> None:
        """Begin anew, without connections."""
        self._idle: list[tuple[Pipeline, float]] = []
        # As a semaphore, but one that costs next to nothing.
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(MOST_CONNECTIONS):
            self._places.put(None)
        self._lock = threading.Lock()
        self._is_current = False

    def abandon(self) -> object:
        """Begin anew in a forked child; return the connections, over which the parent goes on."""
        left = self._idle
        self.forget()
        return left or None

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Lend a connection in a transaction of its own."""
        with self._lent() as pipeline:
            pipeline.begin()
            try:
                yield _PostgresConnection(pipeline, self)
            except BaseException:
                # Where the connection is gone, so is what it has done; what is raised says what happened.
                with suppress(psycopg.Error):
                    pipeline.roll_back()
                raise
            pipeline.commit()

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Lend a connection on which each statement stands alone."""
        with self._lent() as pipeline:
            yield _PostgresConnection(pipeline, self)

    def close(self) -> None:
        """Close all connections that are not lent."""
        with self._lock:
            idle, self._idle = self._idle, []
        for pipeline, _ in idle:
            pipeline.raw.close()

    @contextmanager
    def _lent(self) -> Generator[Pipeline]:
        places = self._places
        places.get()
        try:
            pipeline = self._take()
            try:
                yield pipeline
            finally:
                self._give_back(pipeline, places)
        except psycopg.Error as error:
            explained = _explain(error, self._shown)
            if explained is None:
                raise
            raise explained from error
        finally:
            places.put(None)

    def _give_back(self, pipeline: Pipeline, places: object) -> None:
        raw = pipeline.raw
        if places is not self._places:  # a child, forked meanwhile: it is the parent's
            never_touch(raw)
        elif raw.closed:
            # The server went away; connections that sit idle are of no more use either.
            self.close()
        elif pipeline.is_idle:
            self._idle.append((pipeline, monotonic()))
        else:
            # A timeout struck in the middle of an exchange; nobody could make sense of the rest.
            raw.close()

    def _take(self) -> Pipeline:
        while idle := self._pop():
            pipeline, since = idle
            if monotonic() - since < TRUST_SECONDS or _answers(pipeline.raw):
                return pipeline
            pipeline.raw.close()
        return Pipeline(self._connect(), self._prepares)

    def _pop(self) -> tuple[Pipeline, float] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _connect(self) -> Raw:
        seconds = max(1, round(self._connect_timeout))  # as libpq takes it
        raw: Raw = psycopg.connect(
            self.address, autocommit=True, connect_timeout=seconds, client_encoding="UTF8"
        )
        try:
            for kind in ("uuid", "timestamptz", "json", "jsonb"):
                raw.adapters.register_loader(kind, TextLoader)
            # Compiling a query takes longer than the queries here, which find a few rows by an index.
            raw.execute("SET TIME ZONE 'UTC'; SET jit = off")
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

                # By a connection of its own, whose transactions are Alembic's; this one holds the lock.
                with psycopg.connect(self.address) as other:
                    upgrade_postgresql(other)
        return True


def _answers(raw: Raw) -> bool:
    try:
        raw.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _address(url: str) -> tuple[str, str, bool]:
    """Return a URL as libpq understands it, the same without its password, and whether it lets prepare."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query)
    prepares = not any(name in _CACHE_SIZES and value == "0" for name, value in given)
    # asyncpg says `ssl` for what libpq calls `sslmode`.
    options = [
        ("sslmode" if name == "ssl" else name, value) for name, value in given if name not in _CACHE_SIZES
    ]
    user, _, place = parts.netloc.rpartition("@")
    shown = f"{user.partition(':')[0]}@{place}" if user else place
    query = urlencode(options).replace("+", "%20")
    address = urlunsplit(parts._replace(query=query))
    return address, urlunsplit(parts._replace(netloc=shown, query="")), prepares


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
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        # A text that is too long for an index: it will be so the next time.
        return StoreConflict(f"{shown} refuses a row that is too large ({str(error).strip()}).")
    if isinstance(error, psycopg.errors.StatementTooComplex):
        return TooMuchAsked(
            f"This asks for too much at once ({str(error).strip()}). Ask several times, for less each."
        )
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
