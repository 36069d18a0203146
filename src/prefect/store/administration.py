"""What is done to a database as a whole: bring it to a version of the schema, or empty it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from prefect.exceptions import ConfigurationError, StoreUnavailable
from prefect.store.base import Store
from prefect.store.migrate import alembic_config
from prefect.store.sqlite import make_file
from prefect.store.versions import READ_VERSION, VERSION_TABLE

__all__ = ["Revision", "ahead", "downgrade", "reset", "revisions", "stamp", "upgrade", "version_of"]


_PATIENCE_SECONDS = 60.0


class Revision(NamedTuple):
    """A version of the schema."""

    name: str
    summary: str


def revisions() -> list[Revision]:
    """Return all versions of the schema that this release knows, the oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return [Revision(script.revision, script.doc) for script in scripts][::-1]


def ahead(store: Store, to: str = "head") -> list[Revision]:
    """Return the versions that `upgrade` would go through, in their order.

    Args:
        store: The store, which need not be open.
        to: The version; `head` is the newest.

    Raises:
        prefect.exceptions.ConfigurationError: There is no such version.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    with _known_version():
        found = [*scripts.iterate_revisions(to, version_of(store), implicit_base=True)]
    return [Revision(script.revision, script.doc) for script in found][::-1]


def version_of(store: Store) -> str | None:
    """Return the version that a database is at; None where it has no tables yet.

    Args:
        store: The store, which need not be open.
    """
    with _connected(store) as connection:
        return _version(connection)


def upgrade(store: Store, to: str = "head") -> None:
    """Bring a database to a later version.

    Args:
        store: The store.
        to: The version; `head` is the newest.

    Raises:
        prefect.exceptions.ConfigurationError: There is no such version.
    """
    _change(store, command.upgrade, to)


def downgrade(store: Store, to: str = "-1") -> None:
    """Bring a database back to an earlier version. What only later ones keep is lost.

    Args:
        store: The store.
        to: The version; `-1` is the one before, `base` none at all.

    Raises:
        prefect.exceptions.ConfigurationError: There is no such version.
    """
    _change(store, command.downgrade, to)


def stamp(store: Store, version: str) -> None:
    """Note that a database is at a version, and change nothing else.

    Args:
        store: The store.
        version: The version.

    Raises:
        prefect.exceptions.ConfigurationError: There is no such version.
    """
    _change(store, command.stamp, version)


def reset(store: Store) -> None:
    """Delete everything that a database keeps.

    Args:
        store: The store.
    """
    _change(store, command.downgrade, "base")
    _change(store, command.upgrade, "head")


def _change(store: Store, change: Callable[..., None], to: str) -> None:
    config = alembic_config()
    store.close()
    with _connected(store) as connection:
        config.attributes["connection"] = connection
        with _known_version():
            change(config, to)
        connection.commit()


@contextmanager
def _known_version() -> Generator[None]:
    """Say, where a version is asked for that there is not, which there are."""
    try:
        yield
    except (CommandError, RevisionError) as error:
        known = ", ".join(revision.name for revision in revisions())
        said = str(error).rstrip(".")
        raise ConfigurationError(f"{said}. This release knows the versions {known}.") from error


@contextmanager
def _connected(store: Store) -> Generator[Connection]:
    engine = _sqlite(store) if store.dialect == "sqlite" else _postgresql(store)
    try:
        with engine.connect() as connection:
            if store.dialect == "sqlite":
                # Python's module begins no transaction for changes of tables.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
    except DatabaseError as error:
        # The text without the statement and its parameters.
        raise StoreUnavailable(f"{store!r} could not be changed: {error.orig}") from error
    finally:
        engine.dispose()


def _sqlite(store: Store) -> Engine:
    path = Path(store.url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    make_file(path)
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None),
        poolclass=NullPool,
    )


def _postgresql(store: Store) -> Engine:
    import psycopg  # noqa: PLC0415 - an extra

    from prefect.store.postgres import PostgresStore  # noqa: PLC0415 - needs the extra

    assert isinstance(store, PostgresStore)
    address = store.address
    return create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(address), poolclass=NullPool
    )


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    row = connection.execute(text(READ_VERSION)).fetchone()
    return None if row is None else str(row[0])
