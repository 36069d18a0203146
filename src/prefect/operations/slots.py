"""Slots that runs take and give back as they go from state to state.

Imported only where there is a limit that may apply, since it takes SQLAlchemy. A run is locked before the
limits, and limits are locked in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from prefect.rules.decision import Decision, Transition
from prefect.rules.slot_rules import (
    AWAITING_SLOT,
    carry_slot,
    gives_slots_back,
    refuse_flow_run,
    refuse_task_run,
    wants_slot,
)
from prefect.schemas.concurrency import ConcurrencyLeaseHolder
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.states import State, StateType
from prefect.settings import get_current_settings
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.limits import (
    TAG_PREFIX,
    UNRENEWED_SECONDS,
    Limit,
    by_names,
    drop_slots_held_by,
    expired_leases,
    lease_for,
    leased_slots,
    lock_limits,
    prolong,
    release,
    renew,
    take,
)
from prefect.store.tables import concurrency_limits, deployments, flow_runs, work_pools, work_queues
from prefect.store.values import read_id
from prefect.store.work_pools import IS_SCHEDULED, active_slots
from prefect.types import format_utc

__all__ = [
    "give_back_tag_slots",
    "is_carried_out",
    "keep_deployment_slot",
    "next_for_slots",
    "next_in_line",
    "refuse_where_pool_is_full",
    "slot_seconds",
    "take_deployment_slot",
    "take_tag_slots",
]

_CANCEL_NEW = "CANCEL_NEW"
_MOST_CALLED = 200
"""Runs that are called at once where a limit is raised; the others come when these give their slots back."""


def refuse_where_pool_is_full(connection: Connection, t: Transition[FlowRun]) -> Decision | None:
    """Leave a run where it waits whose work pool or queue has as many runs under way as it may have.

    Workers are given runs as there are slots, but two that ask at once may be given more together.

    Args:
        connection: A connection that may write, with the run locked.
        t: The run on its way to PENDING.
    """
    run = t.run
    if run.work_pool_id is None or t.left is not StateType.SCHEDULED:
        return None
    for table, owner, ids in (
        (work_pools, run.work_pool_id, flow_runs.c.work_pool_id),
        (work_queues, run.work_queue_id, flow_runs.c.work_queue_id),
    ):
        if owner is None:
            continue
        limit = select(table.c.concurrency_limit).where(
            table.c.id == owner.hex, table.c.concurrency_limit.is_not(None)
        )
        if not connection.select(limit):
            continue
        # Not the strongest lock: runs and workers that refer to the row may come meanwhile.
        ((most,),) = connection.select(limit.with_for_update(key_share=True)) or ((None,),)
        if most is not None and active_slots(connection, ids, [owner]).get(owner, 0) >= most:
            what = "pool" if table is work_pools else "queue"
            return t.reject(f"Work {what} concurrency limit reached.")
    return None


def take_deployment_slot(connection: Connection, t: Transition[FlowRun]) -> Decision | None:
    """Take a slot of the limit of a run's deployment, if it has one.

    Args:
        connection: A connection that may write, with the run locked.
        t: The run on its way to PENDING; what is proposed gets the lease.

    Returns:
        What becomes of the run, where there is no slot free.
    """
    if t.run.deployment_id is None or not wants_slot(t.proposed, t.current):
        return None
    columns = deployments.c.global_concurrency_limit_id, deployments.c.concurrency_options
    rows = connection.select(select(*columns).where(deployments.c.id == t.run.deployment_id.hex))
    if not rows or rows[0][0] is None:
        return None
    options = msgspec.json.decode(rows[0][1]) if rows[0][1] else {}
    settings = get_current_settings().server.concurrency
    seconds = options.get("grace_period_seconds") or settings.initial_deployment_lease_duration
    wanted = lock_limits(connection, concurrency_limits.c.id == rows[0][0])
    _hold_slots_of_living(connection, wanted, t.now)
    lease = lease_for(ConcurrencyLeaseHolder(type="flow_run", id=t.run.id), seconds, t.now)
    longest = settings.maximum_concurrency_slot_wait_seconds
    if take(connection, wanted, 1, mode="concurrency", at=t.now, longest_wait=longest, lease=lease):
        cancels = options.get("collision_strategy") == _CANCEL_NEW
        return refuse_flow_run(t, cancel=cancels, wait_seconds=longest)
    details = msgspec.structs.replace(t.proposed.state_details, deployment_concurrency_lease_id=lease.id)
    t.proposed = msgspec.structs.replace(t.proposed, state_details=details)
    return None


def _hold_slots_of_living(connection: Connection, wanted: Sequence[Limit], at: datetime) -> None:
    """Put off the end of leases that have expired, where the process of their run is known to be there.

    After an outage all of them have: nobody could renew one.
    """
    for lease in expired_leases(connection, [each.id for each in wanted], at):
        if lease.holder is not None and is_carried_out(connection, lease.holder):
            prolong(connection, lease.id, slot_seconds(), at)


def slot_seconds() -> float:
    """Return how long a run holds its slot, unless that is put off."""
    return get_current_settings().server.concurrency.initial_deployment_lease_duration


def is_carried_out(connection: Connection, holder: ConcurrencyLeaseHolder) -> bool:
    """Return whether who holds slots is a flow run that is known to have a process, or to get one."""
    return holder.type == "flow_run" and bool(connection.fetch(statements.LEASE_OF, (holder.id.hex,)))


def keep_deployment_slot(
    connection: Connection, left: State[Any], entered: State[Any], at: datetime
) -> State[Any]:
    """Hold on to a run's slot in its new state, or give it back.

    Args:
        connection: A connection that may write.
        left: The state that the run leaves.
        entered: The state that it enters.
        at: The current time.

    Returns:
        The state that it enters, with the lease as long as the run has it.
    """
    lease_id = left.state_details.deployment_concurrency_lease_id
    if lease_id is None:
        return entered
    if gives_slots_back(entered):
        release(connection, lease_id, at)
    elif entered.type is StateType.RUNNING:
        # From here on it is the run's process that renews it.
        renew(connection, lease_id, slot_seconds(), at)
    return carry_slot(entered, left)


def next_in_line(connection: Connection, deployment_id: UUID, at: datetime) -> list[UUID]:
    """Return the run that is to have the slot which a run of a deployment has given back, if one waits."""
    columns = select(deployments.c.global_concurrency_limit_id).where(deployments.c.id == deployment_id.hex)
    rows = connection.select(columns)
    return _waiting(connection, rows[0][0], 1, at) if rows and rows[0][0] is not None else []


def next_for_slots(connection: Connection, limit_id: UUID, at: datetime) -> list[UUID]:
    """Return the runs that may have the slots of a limit which are free, such as after it was raised."""
    found = lock_limits(connection, concurrency_limits.c.id == limit_id.hex)
    if not found:
        return []
    (limit,) = found
    free = limit.limit - limit.active_slots(leased_slots(connection, [limit_id], at).get(limit_id, 0), at)
    return _waiting(connection, limit_id.hex, free if limit.active else _MOST_CALLED, at)


def _waiting(connection: Connection, limit_id: Any, most: int, at: datetime) -> list[UUID]:
    """Return runs that wait for a slot of a limit, those that were due first first; they are locked."""
    if most <= 0:
        return []
    longest = timedelta(
        seconds=get_current_settings().server.concurrency.maximum_concurrency_slot_wait_seconds
    )
    due = flow_runs.c.next_scheduled_start_time
    rows = connection.select(
        select(flow_runs.c.id)
        .where(
            IS_SCHEDULED,
            # By this they are found without a look at all that is planned.
            due <= format_utc(at + longest),
            flow_runs.c.state_name == AWAITING_SLOT,
            flow_runs.c.deployment_id.in_(
                select(deployments.c.id).where(deployments.c.global_concurrency_limit_id == limit_id)
            ),
        )
        .order_by(flow_runs.c.expected_start_time, flow_runs.c.id)
        .limit(min(most, _MOST_CALLED))
        # Runs are locked before limits, and here it is the other way round: so nobody is waited for. Who has
        # one of them locked is about to ask for the slot itself.
        .with_for_update(skip_locked=True)
    )
    return [read_id(row[0]) for row in rows]


def take_tag_slots(connection: Connection, t: Transition[TaskRun]) -> Decision | None:
    """Take a slot of each limit on the tags of a task run, or of none.

    Args:
        connection: A connection that may write, with the run locked.
        t: The run on its way to RUNNING.

    Returns:
        What becomes of the run, where there is no slot free.
    """
    found = lock_limits(connection, by_names(TAG_PREFIX + tag for tag in t.run.tags))
    wanted = [each for each in found if each.active]
    wait = get_current_settings().server.tasks.tag_concurrency_slot_wait_seconds
    for each in wanted:
        # Slots of an attempt before, whose end was never said.
        drop_slots_held_by(connection, each.id, t.run.id)
        if each.limit <= 0:
            return refuse_task_run(t, each.name.removeprefix(TAG_PREFIX), each.limit, wait)
    # Nobody renews it: whoever runs tasks in this way knows nothing of leases.
    lease = lease_for(ConcurrencyLeaseHolder(type="task_run", id=t.run.id), UNRENEWED_SECONDS, t.now)
    denial = take(connection, wanted, 1, mode="concurrency", at=t.now, longest_wait=wait, lease=lease)
    if denial is None:
        return None
    return refuse_task_run(t, denial.name.removeprefix(TAG_PREFIX), denial.limit, wait)


def give_back_tag_slots(connection: Connection, run: TaskRun) -> None:
    """Give the slots back that a task run holds of the limits on its tags."""
    for each in lock_limits(connection, by_names(TAG_PREFIX + tag for tag in run.tags)):
        drop_slots_held_by(connection, each.id, run.id)
