"""Forgetting what is old: events, and flow runs that have ended, with all that is theirs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from prefect.operations.registry import operation
from prefect.schemas.states import TERMINAL_STATES
from prefect.store.base import Store
from prefect.store.deletions import flow_run_deletions
from prefect.store.tables import events, flow_runs, task_runs
from prefect.store.values import read_id
from prefect.types import format_utc

__all__ = ["forget_events", "forget_flow_runs"]

_FINAL = sorted(kind.value for kind in TERMINAL_STATES)


@operation("POST", "/events/forget", internal=True)
def forget_events(store: Store, before: datetime, batch_size: int = 200) -> int:
    """Delete events that occurred before a time, some at a time, so that nobody waits long to write.

    Args:
        store: The store.
        before: The time.
        batch_size: Events in one transaction.

    Returns:
        How many were deleted.
    """
    old = select(events.c.position).where(events.c.occurred < format_utc(before))
    forgotten = 0
    while True:
        with store.transaction() as connection:
            gone = connection.execute(
                delete(events).where(
                    events.c.position.in_(
                        old.order_by(events.c.occurred, events.c.position).limit(batch_size)
                    )
                )
            )
        forgotten += gone
        if gone < batch_size:
            return forgotten


@operation("POST", "/flow_runs/forget", internal=True)
def forget_flow_runs(store: Store, before: datetime, batch_size: int = 200) -> int:
    """Delete flow runs that ended before a time, with their task runs and logs.

    A run that is part of another is kept as long as that is.

    Args:
        store: The store.
        before: The time.
        batch_size: Runs to look for at a time.

    Returns:
        How many were deleted.
    """
    old = (
        select(flow_runs.c.id)
        .where(
            flow_runs.c.state_type.in_(_FINAL),
            flow_runs.c.end_time < format_utc(before),
            flow_runs.c.parent_task_run_id.is_(None),
        )
        .order_by(flow_runs.c.id)
        .limit(batch_size)
    )
    forgotten = 0
    while rows := store.select(old):
        for row in rows:
            forgotten += _forget(store, read_id(row[0]))
    return forgotten


def _forget(store: Store, flow_run_id: UUID) -> int:
    """Delete a run and those within it, the innermost first."""
    within = (
        select(flow_runs.c.id)
        .join(task_runs, task_runs.c.id == flow_runs.c.parent_task_run_id)
        .where(task_runs.c.flow_run_id == flow_run_id.hex)
    )
    forgotten = sum(_forget(store, read_id(row[0])) for row in store.select(within))
    with store.transaction() as connection:
        gone = [connection.execute(deletion) for deletion in flow_run_deletions(flow_run_id)]
    return forgotten + gone[-1]
