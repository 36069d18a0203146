"""The version of the schema, and what to do with a database of another one."""

from __future__ import annotations

from prefect.exceptions import StoreTooNew

__all__ = ["CREATE_VERSION_TABLE", "READ_VERSION", "SCHEMA_VERSION", "VERSION_TABLE", "is_current", "stamp"]

SCHEMA_VERSION = "0004"
"""The newest migration; later ones sort behind earlier ones."""

VERSION_TABLE = "proconsul_version"
"""Alembic's table. It has a name of its own, because another program's tables may be in the same database."""

CREATE_VERSION_TABLE = f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"


def stamp() -> str:
    """Return the statement that notes the current version in a new database."""
    return f"INSERT INTO {VERSION_TABLE} (version_num) VALUES ('{SCHEMA_VERSION}')"


def is_current(found: str | None, where: str) -> bool:
    """Whether a database needs nothing done.

    Args:
        found: The version that it is at; None: it has none.
        where: The database, as errors name it.

    Raises:
        prefect.exceptions.StoreTooNew: A newer release wrote it.
    """
    if found is not None and found > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{where} was written by a newer release (its schema is {found}, this release knows "
            f"{SCHEMA_VERSION}). Upgrade proconsul, or use another PREFECT_HOME or database."
        )
    return found == SCHEMA_VERSION
