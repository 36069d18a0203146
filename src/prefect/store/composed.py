"""Runs what was composed with SQLAlchemy Core through the plain drivers."""

from __future__ import annotations

from sqlalchemy.sql import ClauseElement

from prefect.store.base import Dialect as DialectName
from prefect.store.compile import DIALECTS
from prefect.store.values import Row, plain

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
    return str(compiled), tuple(plain(values[name]) for name in names)
