"""The seam between operations and databases.

A `Store` lends connections: `transaction()` one that may write, alone and all or nothing, `reading()` one
that only reads. What an operation does with a connection is the same for every database: hot statements are
named texts (`prefect.store.statements`), everything else is composed with SQLAlchemy Core, which is imported
by whoever composes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, ClassVar, Literal

from prefect.store.statement import Statement
from prefect.store.values import Row

if TYPE_CHECKING:
    from sqlalchemy.sql import ClauseElement

__all__ = ["Connection", "Dialect", "Store"]

Dialect = Literal["sqlite", "postgresql"]


class Connection(ABC):
    """A connection that was lent for a moment; it belongs to one thread at a time."""

    __slots__ = ("keeps_events",)

    keeps_events: bool
    """See `Store.keeps_events`."""

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
