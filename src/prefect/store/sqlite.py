"""The embedded store: one SQLite file, many processes.

Writers queue up: `BEGIN IMMEDIATE` takes the file's only write lock before anything is read, so that no
transaction ever has to be given up half-way, and a lock of ours keeps the threads of this process from
competing for it as well. In write-ahead mode readers never wait, so they have connections of their own.
`synchronous=NORMAL` loses nothing when a process dies; when the whole machine does, the last moments may be
gone, but the file stays sound.

SQLite keeps state of a process: which files it has open, and its locks of them. A child that inherited such
state would wait for the parent's threads, or take locks for its own that it does not have. So no connection
goes through a fork (`prefect.store.base`): before one, all that is under way is waited for, and
connections are closed. One that is in use for too long is never touched in the child, which connects anew.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from time import monotonic, monotonic_ns, sleep
from typing import TYPE_CHECKING

from prefect.exceptions import StoreConflict, StoreCorrupt, StoreError, StoreUnavailable, TooMuchAsked
from prefect.store.base import Connection, Store, never_touch, not_while_forking
from prefect.store.statement import Statement
from prefect.store.statements import SQLITE_SCHEMA
from prefect.store.values import Row
from prefect.store.versions import READ_VERSION, VERSION_TABLE, is_current
from prefect.types import fork_safe

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

__all__ = ["SqliteStore", "make_file"]

BUSY_SECONDS = 60.0
"""How long a writer waits for others before it gives up, unless a store is told otherwise."""
WAIT_SECONDS = 0.25
"""How much of that is left to SQLite at a time; its own pauses grow, and would let some writers starve."""
_PAUSE_SECONDS = 0.005
_READERS_KEPT = 8
_MOST_PARAMETERS = 999
"""In a statement; newer SQLite libraries take more."""

_making = fork_safe(threading.Lock())


class _SqliteConnection(Connection):
    __slots__ = ("_raw",)

    def __init__(self, raw: sqlite3.Connection, store: SqliteStore) -> None:
        self._raw = raw
        self.keeps_events = store.keeps_events
        self.names = store.names

    def fetch(self, statement: Statement, params: Row = ()) -> list[Row]:
        return self._raw.execute(statement.sqlite, params).fetchall()

    def run(self, statement: Statement, params: Row = ()) -> int:
        return self._raw.execute(statement.sqlite, params).rowcount

    def run_many(self, statement: Statement, rows: Iterable[Row]) -> int:
        waiting = list(rows)
        at_once = _rows_at_once(statement.sqlite)
        if at_once < 2:
            return self._raw.executemany(statement.sqlite, waiting).rowcount if waiting else 0
        changed = 0
        for start in range(0, len(waiting), at_once):
            some = waiting[start : start + at_once]
            text = _for_rows(statement.sqlite, len(some))
            changed += self._raw.execute(text, tuple(chain.from_iterable(some))).rowcount
        return changed

    def select(self, query: ClauseElement) -> list[Row]:
        text, params = _composed(query)
        return self._raw.execute(text, params).fetchall()

    def execute(self, change: ClauseElement) -> int:
        text, params = _composed(change)
        return self._raw.execute(text, params).rowcount


# A statement gives the interpreter's lock up while it runs; where another thread computes, it may wait 5 ms
# to get it back. With a statement for each row, a thousand rows could take seconds, and keep other processes
# from writing for as long. So as many rows go in at once as the limit of parameters allows.


@cache
def _rows_at_once(insert: str) -> int:
    """Return how many rows one statement may take; 0 for a statement that is no INSERT with VALUES."""
    parameters = insert.count("?")
    is_insert = insert.startswith("INSERT ") and insert.count(" VALUES (") == 1
    return _MOST_PARAMETERS // parameters if is_insert and parameters else 0


@lru_cache(maxsize=256)
def _for_rows(insert: str, count: int) -> str:
    """Return an INSERT of one row as one of several rows."""
    start = insert.index(" VALUES (") + len(" VALUES ")
    end = insert.index(")", start) + 1
    return insert[:start] + ", ".join([insert[start:end]] * count) + insert[end:]


def _composed(statement: ClauseElement) -> tuple[str, Row]:
    from prefect.store.composed import text_and_params  # noqa: PLC0415 - SQLAlchemy: 200 ms

    return text_and_params(statement, "sqlite")


class SqliteStore(Store):
    """A store in a SQLite file, or in memory.

    Args:
        path: The file; `:memory:` keeps everything in this process for as long as the store lives.
        timeout: Seconds that a writer waits for others before it gives up; None: `BUSY_SECONDS`.
    """

    dialect = "sqlite"

    def __init__(self, path: str | Path, timeout: float | None = None) -> None:
        self.path = str(path)
        self._patience = BUSY_SECONDS if timeout is None else timeout
        super().__init__("sqlite://" if self.path == ":memory:" else f"sqlite:///{self.path}")

    def forget(self) -> None:
        """Begin anew, without connections."""
        self._lock = threading.Lock()
        self._owner = 0
        """The thread that writes."""
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self._reading: dict[object, int] = {}
        """What is being read, and by which thread."""
        self._file: tuple[int, int] | None = None

    def pause(self, until: float) -> Callable[[], None] | None:
        """Wait for what is under way, keep threads from writing, and close connections; see `Store.pause`."""
        me, lock = threading.get_ident(), self._lock
        if self._owner == me or not lock.acquire(timeout=max(0.0, until - monotonic())):
            return None
        while any(thread != me for thread in list(self._reading.values())) and monotonic() < until:
            sleep(0.0005)
        if not self._reading and self.path != ":memory:":
            readers, self._readers = self._readers, []
            writer, self._writer = self._writer, None
            for raw in readers if writer is None else [*readers, writer]:
                raw.close()
        return lock.release

    def abandon(self) -> object:
        """Begin anew in a forked child; return the connections that were in use for too long."""
        left = [*self._readers, self._writer]
        self.forget()
        return left if any(left) else None

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """Lend the connection that writes; others wait, also in other processes."""
        with self._lock, self._explained():
            raw = self._writer
            if raw is None:
                raw = self._writer = self._open()
                self._file = _identity(self.path)
            elif self._file != _identity(self.path):
                # SQLite would go on writing to a file that nobody can open any more.
                raise StoreUnavailable(
                    f"{self.path} was deleted or replaced while this process used it. Start the program "
                    "again to have its runs recorded in a new file."
                )
            try:
                self._owner = threading.get_ident()
                _begin(raw, self.path, self._patience)
                yield _SqliteConnection(raw, self)
                if raw is self._writer:  # else this is a child, forked meanwhile, and it is the parent's
                    raw.execute("COMMIT")
            finally:
                # Whatever was raised, and wherever: a timeout may strike between any two steps.
                self._owner = 0
                if raw is self._writer and raw.in_transaction:
                    raw.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Lend a connection that reads; it sees what was written before."""
        if self.path == ":memory:":
            # There is only one connection to a database in memory.
            with self._lock, self._explained():
                self._writer = self._writer or self._open()
                yield _SqliteConnection(self._writer, self)
            return
        reading, one = self._reading, object()
        with self._explained():
            with not_while_forking():
                reading[one] = threading.get_ident()
            try:
                raw = self._reader()
                try:
                    yield _SqliteConnection(raw, self)
                finally:
                    if reading is not self._reading:  # a child, forked meanwhile: it is the parent's
                        never_touch(raw)
                    elif len(self._readers) < _READERS_KEPT:
                        self._readers.append(raw)
                    else:
                        raw.close()
            finally:
                reading.pop(one, None)

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return self._open()

    def close(self) -> None:
        """Close all connections that are not lent."""
        with self._lock:
            readers, self._readers = self._readers, []
            writer, self._writer = self._writer, None
        for raw in readers if writer is None else [*readers, writer]:
            raw.close()

    def _open(self) -> sqlite3.Connection:
        if self.path != ":memory:":
            _make_folder(Path(self.path).parent)
            make_file(self.path)
        raw = sqlite3.connect(
            self.path,
            timeout=WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
        try:
            _until_free(raw, "PRAGMA journal_mode=WAL", self.path, self._patience)
            raw.execute("PRAGMA synchronous=NORMAL")
            raw.execute("PRAGMA foreign_keys=ON")
            if not is_current(_version(raw), self.path):
                self._bring_up(raw)
        except BaseException:
            raw.close()
            raise
        return raw

    def _bring_up(self, raw: sqlite3.Connection) -> None:
        """Make or upgrade the schema; of processes that try at once, one does, the others find it done."""
        try:
            _begin(raw, self.path, self._patience)
            found = _version(raw)
            if found is None:
                for statement in SQLITE_SCHEMA:
                    raw.execute(statement)
            elif not is_current(found, self.path):
                from prefect.store.migrate import upgrade_sqlite  # noqa: PLC0415 - Alembic, 300 ms

                upgrade_sqlite(raw)
            if raw.in_transaction:
                raw.execute("COMMIT")
        finally:
            if raw.in_transaction:
                raw.execute("ROLLBACK")

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            explained = _explain(error, self.path)
            if explained is None:
                raise
            raise explained from error


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _version(raw: sqlite3.Connection) -> str | None:
    known = raw.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (VERSION_TABLE,)
    ).fetchone()
    row = raw.execute(READ_VERSION).fetchone() if known else None
    return None if row is None else str(row[0])


def _begin(raw: sqlite3.Connection, path: str, patience: float) -> None:
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
        _until_free(raw, "BEGIN IMMEDIATE", path, patience)


def _until_free(raw: sqlite3.Connection, statement: str, path: str, patience: float) -> None:
    """Run a statement that takes a lock, as often as it needs."""
    deadline = monotonic() + patience
    while True:
        try:
            raw.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            if monotonic() > deadline:
                raise StoreUnavailable(
                    f"Another process has been writing to {path} for {patience:g} seconds. "
                    "End it, raise PREFECT_SERVER_DATABASE_TIMEOUT, or let "
                    "PREFECT_API_DATABASE_CONNECTION_URL name a PostgreSQL database."
                ) from error
            # Pauses are as good as random, so that processes do not march in step.
            sleep(monotonic_ns() % 997 / 997 * _PAUSE_SECONDS)


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {folder} cannot be made ({error.strerror}). "
            "Set PREFECT_HOME to a folder that can be written."
        ) from error


def make_file(path: str | Path) -> None:
    """Make the file of a database that is not there yet, for this user alone to read.

    It holds the key of blocks and whatever runs say. SQLite gives the files beside it the same rights. A file
    that is there keeps its own.

    Args:
        path: The file.
    """
    # SQLite's locks of a file are gone when the process closes it anywhere: nobody may connect meanwhile.
    with _making, suppress(OSError):  # SQLite says what is wrong, if it cannot make it either
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


_TOO_MUCH = "Expression tree is too large", "too many SQL variables", "pattern too complex"


def _explain(error: sqlite3.DatabaseError, path: str) -> StoreError | None:
    """Say what went wrong with the file; None where the file is not to blame."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreUnavailable(
            f"No space is left for {path} ({error}). Free some, or set PREFECT_HOME to another disk."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return StoreUnavailable(
            f"{path} cannot be opened for writing ({error}). Give this user the right to write the file "
            "and its folder, or set PREFECT_HOME to a folder that can be written."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorrupt(
            f"{path} is not a sound database ({error}). "
            "Move it away and a new one is made, or restore a copy of it."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnavailable(f"{path} is in use by another process ({error}). Try again.")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StoreConflict(f"{path} refuses a row that does not fit ({error}).")
    if "Could not decode to UTF-8" in str(error) or "malformed JSON" in str(error):
        return StoreCorrupt(f"{path} holds text that makes no sense ({error}). Restore a copy of it.")
    if any(refusal in str(error) for refusal in _TOO_MUCH):
        return TooMuchAsked(f"This asks for too much at once ({error}). Ask several times, for less each.")
    if "already exists" in str(error):
        return StoreCorrupt(
            f"{path} holds tables of another program ({error}). Set PREFECT_HOME to a folder of its own."
        )
    return None
