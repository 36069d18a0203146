"""Events, as they were received."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, Uuid

from prefect.store.tables.kinds import ExactJson, Time, metadata

__all__ = ["events"]

events = Table(
    "events",
    metadata,
    # The order in which they were written, by which subscribers go on; never given twice.
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("occurred", Time, nullable=False),
    Column("received", Time, nullable=False),
    Column("event", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("resource", ExactJson, nullable=False),
    Column("related", ExactJson, nullable=False),
    Column("payload", ExactJson, nullable=False),
    Column("follows", Uuid),
    sqlite_autoincrement=True,
)
Index(None, events.c.occurred, events.c.position)
Index(None, events.c.resource_id, events.c.occurred)
