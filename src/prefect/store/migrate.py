"""Brings older databases up to date with Alembic."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

__all__ = ["upgrade_postgresql", "upgrade_sqlite"]


def upgrade_sqlite(raw: sqlite3.Connection, to: str = "head") -> None:
    """Run the migrations that a SQLite database lacks, in the transaction that is open.

    Args:
        raw: A connection in a transaction. It is committed.
        to: The revision to go to.
    """
    _upgrade("sqlite://", raw, to)


def upgrade_postgresql(raw: Any, to: str = "head") -> None:
    """Run the migrations that a PostgreSQL database lacks.

    Args:
        raw: A psycopg connection.
        to: The revision to go to.
    """
    _upgrade("postgresql+psycopg://", raw, to)


def alembic_config() -> Config:
    """Return Alembic's settings, which are no file of the user's."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _upgrade(dialect_url: str, raw: Any, to: str) -> None:
    engine = create_engine(dialect_url, creator=lambda: raw, poolclass=StaticPool)
    config = alembic_config()
    connection: Connection
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        connection.commit()
