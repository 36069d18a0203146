"""Concurrency limits, and the leases that hold their slots."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, Table, Text, Uuid

from prefect.store.tables.kinds import Json, Time, metadata, object_table

__all__ = ["concurrency_leases", "concurrency_limits", "concurrency_slots"]

concurrency_limits = object_table(
    "concurrency_limits",
    Column("name", Text, nullable=False, unique=True),
    Column("limit", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    # Slots that were taken without a lease; they come back by decay, or when they are given back.
    Column("taken_slots", Double, nullable=False),
    Column("taken_at", Time, nullable=False),
    Column("denied_slots", Integer, nullable=False),
    Column("slot_decay_per_second", Double, nullable=False),
    Column("avg_slot_occupancy_seconds", Double, nullable=False),
)

concurrency_leases = Table(
    "concurrency_leases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created", Time, nullable=False),
    Column("expires", Time, nullable=False, index=True),
    Column("holder", Json),
)

concurrency_slots = Table(
    "concurrency_slots",
    metadata,
    Column("lease_id", Uuid, ForeignKey(concurrency_leases.c.id, ondelete="CASCADE"), primary_key=True),
    Column("limit_id", Uuid, ForeignKey(concurrency_limits.c.id, ondelete="CASCADE"), primary_key=True),
    Column("slots", Integer, nullable=False),
)
Index(None, concurrency_slots.c.limit_id)
