"""Events, as they were received."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, Uuid

from prefect.store.tables.kinds import Json, Time, metadata

__all__ = ["events"]

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("occurred", Time, nullable=False),
    Column("received", Time, nullable=False),
    Column("event", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("resource", Json, nullable=False),
    Column("related", Json, nullable=False),
    Column("payload", Json, nullable=False),
    Column("follows", Uuid),
)
Index(None, events.c.occurred, events.c.id)
Index(None, events.c.resource_id, events.c.occurred)
