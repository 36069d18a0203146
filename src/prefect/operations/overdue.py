"""What becomes of runs whose time is over: late ones, paused ones and such as are being cancelled.

Each run is locked and looked at again before it is changed, so that any number of processes may do this at
once, and nobody's own change of the run is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, select

from prefect.operations.flow_runs import enter_and_store, lock_flow_run, set_flow_run_state
from prefect.operations.registry import operation
from prefect.operations.slots import is_carried_out, slot_seconds
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateType
from prefect.store import limits
from prefect.store.base import Store
from prefect.store.codec import flow_run_from_row
from prefect.store.functions import Member
from prefect.store.tables import concurrency_leases, flow_run_states, flow_runs, task_runs
from prefect.store.values import read_id
from prefect.store.work_pools import IS_SCHEDULED
from prefect.types import aware, format_utc

__all__ = [
    "drop_expired_slots",
    "end_cancelled_runs",
    "end_expired_pauses",
    "mark_late_runs",
]

MOST = 500
"""Runs that are dealt with at a time, so that no look takes long; the next takes the others."""
NEVER_RESUMED = "The flow was paused and never resumed."

Answer = Callable[[FlowRun], "State[Any] | None"]


@operation("POST", "/flow_runs/mark_late", internal=True)
def mark_late_runs(store: Store, at: datetime, after: timedelta) -> int:
    """Let scheduled runs that nobody started in time be late.

    Args:
        store: The store.
        at: The current time.
        after: How long after its time a run is late.

    Returns:
        How many are late since.
    """
    latest = at - after

    def late(run: FlowRun) -> State[Any] | None:
        due = run.next_scheduled_start_time
        if run.state is None or run.state_name != "Scheduled" or due is None or due > latest:
            return None
        details = msgspec.structs.replace(run.state.state_details, scheduled_time=due)
        return State(type=StateType.SCHEDULED, name="Late", timestamp=at, state_details=details)

    due = flow_runs.c.next_scheduled_start_time
    wanted = _ids(
        IS_SCHEDULED,
        flow_runs.c.state_name == "Scheduled",
        due <= format_utc(latest),
    )
    return _change(store, wanted.order_by(due), late)


@operation("POST", "/flow_runs/end_expired_pauses", internal=True)
def end_expired_pauses(store: Store, at: datetime) -> int:
    """Let paused runs fail that nobody resumed in time.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many failed by this.
    """

    def failed(run: FlowRun) -> State[Any] | None:
        timeout = run.state.state_details.pause_timeout if run.state is not None else None
        if run.state_type is not StateType.PAUSED or timeout is None or aware(timeout) >= at:
            return None
        return State(type=StateType.FAILED, message=NEVER_RESUMED, timestamp=at)

    may_expire = Member(flow_run_states.c.state_details, "pause_timeout").is_not(None)
    current = flow_runs.join(flow_run_states, flow_run_states.c.id == flow_runs.c.state_id)
    wanted = select(flow_runs.c.id).select_from(current)
    return _change(store, wanted.where(flow_runs.c.state_type == "PAUSED", may_expire), failed, most=None)


@operation("POST", "/flow_runs/end_cancelled", internal=True)
def end_cancelled_runs(store: Store, at: datetime, timeout: timedelta) -> int:
    """Let runs be cancelled at last that were to be cancelled long ago, and those within cancelled runs.

    Args:
        store: The store.
        at: The current time.
        timeout: How long a run may take to end when it is told to.

    Returns:
        How many were cancelled by this.
    """
    latest = at - timeout

    def cancelled(run: FlowRun) -> State[Any] | None:
        if run.state is None or run.state_type is not StateType.CANCELLING or run.state.timestamp > latest:
            return None
        message = (
            f"The run was told to end, and did not say within {timeout.total_seconds():g} s that it did."
        )
        return State(type=StateType.CANCELLED, message=message, timestamp=at)

    told = _ids(flow_runs.c.state_type == "CANCELLING", flow_runs.c.state_timestamp <= format_utc(latest))
    return _change(store, told, cancelled) + _cancel_within(store)


def _cancel_within(store: Store) -> int:
    """Cancel what goes on within cancelled runs: at once, or by who carries it out where that is another."""
    parents = flow_runs.alias("parents")
    goes_on = flow_runs.c.state_type.in_(("SCHEDULED", "PENDING", "RUNNING", "PAUSED"))
    within = (
        select(flow_runs.c.id, flow_runs.c.deployment_id)
        .join(task_runs, task_runs.c.id == flow_runs.c.parent_task_run_id)
        .join(parents, parents.c.id == task_runs.c.flow_run_id)
        .where(goes_on, parents.c.state_type == "CANCELLED")
        .limit(MOST)
    )
    rows = store.select(within)
    for run_id, deployment_id in rows:
        kind = StateType.CANCELLED if deployment_id is None else StateType.CANCELLING
        message = "The flow run that this one is part of was cancelled."
        set_flow_run_state(store, read_id(run_id), State(type=kind, message=message))
    return len(rows)


@operation("POST", "/v2/concurrency_limits/drop_expired", internal=True)
def drop_expired_slots(store: Store, at: datetime) -> int:
    """Give slots of limits back whose lease has expired. They are free anyway; this forgets the leases.

    A flow run that is known to be carried out keeps its lease: what was away was perhaps the server.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many leases were dropped.
    """
    expires = concurrency_leases.c.expires
    query = select(concurrency_leases.c.id).where(expires < format_utc(at)).order_by(expires).limit(MOST)
    dropped = 0
    for row in store.select(query):
        lease_id = read_id(row[0])
        with store.transaction() as connection:
            lease = limits.lease_of(connection, lease_id)
            if lease is None:
                continue
            if lease.holder is not None and is_carried_out(connection, lease.holder):
                limits.prolong(connection, lease_id, slot_seconds(), at)
                continue
            dropped += limits.release(connection, lease_id, at)
    return dropped


def _ids(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(flow_runs.c.id).where(*conditions)


def _change(store: Store, wanted: Select[Any], answer: Answer, most: int | None = MOST) -> int:
    """Have those of some runs enter a state that are still to enter one."""
    changed = 0
    for row in store.select(wanted.limit(most)):
        run_id: UUID = read_id(row[0])
        with store.transaction() as connection:
            rows = lock_flow_run(connection, run_id.hex)
            run = flow_run_from_row(rows[0]) if rows else None
            state = None if run is None else answer(run)
            if run is not None and state is not None:
                enter_and_store(connection, run, state)
                changed += 1
    return changed
