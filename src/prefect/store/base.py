"""The seam between operations and databases.

A `Store` lends connections: `transaction()` one that may write, alone and all or nothing, `reading()` one
that only reads. What an operation does with a connection is the same for every database: hot statements are
named texts (`prefect.store.statements`), everything else is composed with SQLAlchemy Core, which is imported
by whoever composes.

When the process is forked, stores are told. Before: nothing new is begun, and a store whose connections
cannot go through a fork closes them. In the child: every store begins anew, and what was open is never
touched, not even by the interpreter as it ends. For to close a connection there is to speak for the parent:
SQLite would tidy up a file that is in use, PostgreSQL would be told that the client has left.
"""

from __future__ import annotations

import atexit
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal
from weakref import WeakSet

from prefect.store.statement import Statement
from prefect.store.values import Row

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

__all__ = ["Connection", "Dialect", "Store", "never_touch", "not_while_forking"]

FORK_PATIENCE = 1.0
"""Seconds that a fork waits for what is under way."""

Dialect = Literal["sqlite", "postgresql"]


class Connection(ABC):
    """A connection that was lent for a moment; it belongs to one thread at a time."""

    __slots__ = ("keeps_events", "names")

    keeps_events: bool
    """See `Store.keeps_events`."""
    names: dict[str, str]
    """See `Store.names`."""

    @abstractmethod
    def fetch(self, statement: Statement, params: Row = ()) -> list[Row]:
        """Run a hot statement and return all its rows.

        Args:
            statement: One of `prefect.store.statements`.
            params: Its parameters, by position.
        """

    @abstractmethod
    def run(self, statement: Statement, params: Row = ()) -> int:
        """Run a hot statement that changes something.

        Args:
            statement: One of `prefect.store.statements`.
            params: Its parameters, by position.

        Returns:
            How many rows it changed.

        Raises:
            prefect.exceptions.StoreConflict: It refers to something that is not there.
        """

    @abstractmethod
    def run_many(self, statement: Statement, rows: Iterable[Row]) -> int:
        """Run a hot statement once for each row.

        Returns:
            How many rows it changed.
        """

    def write(self, statement: Statement, params: Row = ()) -> None:
        """Run a hot statement that changes something, where nobody asks how many rows.

        A database that is far away may run it with what comes next, or when the transaction ends; what is
        wrong with it is said there.

        Args:
            statement: One of `prefect.store.statements`.
            params: Its parameters, by position.
        """
        self.run(statement, params)

    def write_many(self, statement: Statement, rows: Iterable[Row]) -> None:
        """Run a hot statement once for each row, where nobody asks how many rows it changed: see `write`."""
        self.run_many(statement, rows)

    @abstractmethod
    def select(self, query: ClauseElement) -> list[Row]:
        """Run a query that was composed with SQLAlchemy Core and return all its rows."""

    @abstractmethod
    def execute(self, change: ClauseElement) -> int:
        """Run a change that was composed with SQLAlchemy Core.

        Returns:
            How many rows it changed.
        """


class Store(ABC):
    """A database that keeps flows, runs, task runs and logs.

    Stores are safe to use from several threads, and in a child after a fork.

    Args:
        url: Where the database is.
    """

    dialect: ClassVar[Dialect]
    keeps_events = False
    """Whether what happens to flow runs and other objects is kept as events too: where a server may be, to
    which others subscribe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.names: dict[str, str] = {}
        """The names of flows and deployments by their ids, which events tell; they never change."""
        self.forget()
        _stores.add(self)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Connection]:
        """Lend a connection that may write.

        What is done with it is kept when the block ends, and undone when it raises. Transactions do not nest.

        Raises:
            prefect.exceptions.StoreUnavailable: The database cannot be written.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Lend a connection that only reads."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections; the store opens new ones when it is used again."""

    @abstractmethod
    def forget(self) -> None:
        """Have no connections, as at the beginning."""

    def pause(self, until: float) -> Callable[[], None] | None:
        """Get ready for a fork.

        Args:
            until: When to give up waiting for what is under way, on the monotonic clock.

        Returns:
            What is to be called in the parent afterwards, if anything.
        """
        return None

    @abstractmethod
    def abandon(self) -> object:
        """Begin anew in a forked child; return what belongs to the parent and must never be closed."""

    def fetch(self, statement: Statement, params: Row = ()) -> list[Row]:
        """Run one hot statement that reads, and return its rows."""
        with self.reading() as connection:
            return connection.fetch(statement, params)

    def select(self, query: ClauseElement) -> list[Row]:
        """Run one query that was composed with SQLAlchemy Core, and return its rows."""
        with self.reading() as connection:
            return connection.select(query)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


_stores: WeakSet[Store] = WeakSet()
_gate = threading.RLock()
_paused: dict[int, list[Callable[[], None]]] = {}
"""How what was paused goes on, by the thread that forks."""
_untouchable: list[object] = []


def not_while_forking() -> AbstractContextManager[object]:
    """Return a lock to hold while something begins that a fork is to wait for."""
    return _gate


def never_touch(connection: object) -> None:
    """Keep what belongs to the parent from being closed, for as long as this process lives.

    Args:
        connection: It, or what holds it.
    """
    if not _untouchable:
        atexit.register(_keep_beyond_the_end)
    _untouchable.append(connection)


def _keep_beyond_the_end() -> None:
    """Give the list a reference that nobody takes back: the interpreter closes what it can at its end."""
    import ctypes  # noqa: PLC0415 - only in forked children that end by themselves

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_untouchable))


def _before_fork() -> None:
    until = monotonic() + FORK_PATIENCE
    resume = _paused[threading.get_ident()] = []
    if _gate.acquire(timeout=FORK_PATIENCE):
        resume.append(_gate.release)
    for store in list(_stores):
        paused = store.pause(until)
        if paused is not None:
            resume.append(paused)


def _after_fork_in_parent() -> None:
    for resume in reversed(_paused.pop(threading.get_ident(), [])):
        resume()


def _after_fork_in_child() -> None:
    global _gate
    _gate = threading.RLock()
    _paused.clear()
    for store in list(_stores):
        left = store.abandon()
        if left is not None:
            never_touch(left)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
