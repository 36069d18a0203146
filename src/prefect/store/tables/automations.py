"""What carrying out automations remembers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, Uuid

from prefect.store.tables.kinds import ExactJson, Time, metadata
from prefect.store.tables.notes import automations

__all__ = ["automation_actions", "automation_buckets", "event_followers"]

event_followers = Table(
    "event_followers",
    metadata,
    Column("name", Text, primary_key=True),
    # Up to which event it has come. Whoever goes on locks the row, so that each event is dealt with once.
    Column("mark", ExactJson, nullable=False),
)

automation_buckets = Table(
    "automation_buckets",
    metadata,
    Column("automation_id", Uuid, ForeignKey(automations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("trigger_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    # When its time is over; none where it is not limited.
    Column("due", Time, index=True),
    Column("bucket", ExactJson, nullable=False),
)

automation_actions = Table(
    "automation_actions",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Who does it puts this off meanwhile; if he is lost, another does it then.
    Column("due", Time, nullable=False, index=True),
    Column("action", ExactJson, nullable=False),
)
