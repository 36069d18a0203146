"""Runs what was composed with SQLAlchemy Core through the plain drivers."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.sql import ClauseElement

from prefect.store.base import Dialect as DialectName
from prefect.store.codec import Row
from prefect.store.compile import DIALECTS
from prefect.types import format_utc

__all__ = ["text_and_params"]


def text_and_params(statement: ClauseElement, dialect: DialectName) -> tuple[str, Row]:
    """Return a statement's text for a database, and its parameters as the driver takes them.

    Args:
        statement: A query or a change.
        dialect: The database.
    """
    compiled = statement.compile(dialect=DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    values = compiled.params
    names: list[str] = compiled.positiontup or []  # type: ignore[attr-defined]
    return str(compiled), tuple(_plain(values[name]) for name in names)


def _plain(value: Any) -> Any:
    """Write a value the way rows hold it; see `prefect.store.codec`."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return format_utc(value)
    return value.value if isinstance(value, Enum) else value
