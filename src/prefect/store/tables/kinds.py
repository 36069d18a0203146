"""What columns are made of, the same for both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Index, MetaData, String, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["ExactJson", "Json", "Time", "index_where", "metadata", "object_table"]


class Time(TypeDecorator[str]):
    """A point in time: text in UTC that sorts on SQLite, `timestamptz` on PostgreSQL."""

    impl = String(26)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        chosen: TypeEngine[Any] = TIMESTAMP(timezone=True) if dialect.name == "postgresql" else String(26)
        return dialect.type_descriptor(chosen)


class Json(TypeDecorator[str]):
    """A JSON document: text on SQLite, `jsonb` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        chosen: TypeEngine[Any] = JSONB() if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(chosen)


class ExactJson(Json):
    """A JSON document that no query looks into, kept to the letter: `jsonb` sorts keys, rewrites numbers."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        # Not by way of the dialect, which would make it a VARCHAR.
        return Text()


def index_where(column: Column[Any], condition: ColumnElement[bool]) -> None:
    """Index a column for some rows, at no cost for the others."""
    Index(None, column, sqlite_where=condition, postgresql_where=condition)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def object_table(name: str, *columns: Any) -> Table:
    """Return a table of objects that are made, changed and deleted by their id."""
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("created", Time, nullable=False),
        Column("updated", Time, nullable=False),
        *columns,
    )
