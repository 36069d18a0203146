"""Objects of a table whose columns are named as their fields: rows are made and read by what the columns are.

This is for what is not in the path of every task. What is, has a codec of its own (`prefect.store.codec`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar, get_type_hints
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, ColumnElement, Select, Table, Uuid, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from prefect.schemas.base import whole
from prefect.store.base import Connection, Store
from prefect.store.reading import reads
from prefect.store.tables.kinds import Json, Time
from prefect.store.values import Row, clean_text, json_or_none, read_id, read_time
from prefect.types import format_utc

__all__ = ["Records"]

T = TypeVar("T", bound=msgspec.Struct)
Reader = Callable[[Any], Any]

_ROWS_AT_ONCE = 500
"""How many rows one statement adds: databases limit its parameters."""


class Records(Generic[T]):
    """The objects that one table keeps.

    Fields without a column are left at their defaults when an object is read, and columns without a field are
    given apart, as `extra`.

    Args:
        table: The table; its columns are named as the fields are.
        kind: The type of the objects.
    """

    def __init__(self, table: Table, kind: type[T]) -> None:
        self.table = table
        self.kind = kind
        self.read: Callable[[Row], T] = reads(table.name)(self._read)

    # --- values -------------------------------------------------------------------------------------------

    def values(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what columns hold of some fields; fields without a column are passed over."""
        columns = self.table.c
        return {name: _plain(columns[name], value) for name, value in fields.items() if name in columns}

    def values_of(self, one: T, **extra: Any) -> dict[str, Any]:
        """Return what the columns hold of an object."""
        return self.values({name: getattr(one, name) for name in one.__struct_fields__} | extra)

    @cached_property
    def _readers(self) -> tuple[tuple[int, str, Reader], ...]:
        hints = get_type_hints(self.kind, include_extras=True)
        return tuple(
            (index, column.name, _reader(column, hints[column.name]))
            for index, column in enumerate(self.table.c)
            if column.name in hints
        )

    def _read(self, row: Row) -> T:
        return self.kind(**{name: read(row[index]) for index, name, read in self._readers})

    # --- reading ------------------------------------------------------------------------------------------

    def select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        """Compose a query of all columns; the rows are what `read` takes, and may go on after that."""
        return select(self.table).where(*conditions)

    def all(self, source: Store | Connection, query: Select[Any]) -> list[T]:
        """Return the objects that a query finds."""
        return [self.read(row) for row in source.select(query)]

    def first(self, source: Store | Connection, *conditions: ColumnElement[bool]) -> T | None:
        """Return the object that meets conditions; None where there is none."""
        rows = source.select(self.select(*conditions).limit(1))
        return self.read(rows[0]) if rows else None

    def to_change(self, connection: Connection, *conditions: ColumnElement[bool]) -> T | None:
        """Return the object that meets conditions, which nobody else changes until the transaction ends."""
        rows = connection.select(self.select(*conditions).limit(1).with_for_update())
        return self.read(rows[0]) if rows else None

    def count(self, source: Store | Connection, *conditions: ColumnElement[bool]) -> int:
        """Return how many objects meet conditions."""
        return int(source.select(select(func.count()).select_from(self.table).where(*conditions))[0][0])

    # --- changing -----------------------------------------------------------------------------------------

    def insert(self, connection: Connection, one: T, **extra: Any) -> bool:
        """Add an object, unless one with the same key is there.

        Args:
            connection: A connection that may write.
            one: The object.
            extra: What columns without a field hold.

        Returns:
            Whether it was added.
        """
        added = insert(self.table).values(self.values_of(one, **extra)).on_conflict_do_nothing()
        return bool(connection.execute(added))

    def insert_all(self, connection: Connection, objects: Iterable[T], **extra: Any) -> None:
        """Add objects, many at once, but for those whose key is there."""
        rows = [self.values_of(one, **extra) for one in objects]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            connection.execute(insert(self.table).values(some).on_conflict_do_nothing())

    def update(
        self, connection: Connection, fields: Mapping[str, Any], *conditions: ColumnElement[bool]
    ) -> int:
        """Change fields of the objects that meet conditions.

        Returns:
            How many objects were changed.
        """
        return connection.execute(update(self.table).where(*conditions).values(self.values(fields)))

    def delete(self, connection: Connection, *conditions: ColumnElement[bool]) -> int:
        """Delete the objects that meet conditions.

        Returns:
            How many were deleted.
        """
        return connection.execute(delete(self.table).where(*conditions))


def _plain(column: Any, value: Any) -> Any:
    if isinstance(column.type, Json):
        return json_or_none(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return format_utc(value)
    return clean_text(value) if isinstance(value, str) else value


def _reader(column: Any, wanted: Any) -> Reader:
    kind = column.type
    if isinstance(kind, Json):
        return _optional(msgspec.json.Decoder(whole(wanted), strict=False).decode)
    if isinstance(kind, Uuid):
        return _optional(read_id)
    if isinstance(kind, Time):
        return _optional(read_time)
    if isinstance(kind, Boolean):
        return _optional(bool)
    wanted = whole(wanted)
    return lambda value: msgspec.convert(value, wanted)


def _optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)
