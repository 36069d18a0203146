"""Slots that runs take and give back as they go from state to state.

Imported only where there is a limit that may apply, since it takes SQLAlchemy. A run is locked before the
limits, and limits are locked in the order of their ids.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from prefect.rules.decision import Decision, Transition
from prefect.rules.slot_rules import (
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
from prefect.store.base import Connection
from prefect.store.limits import (
    TAG_PREFIX,
    UNRENEWED_SECONDS,
    by_names,
    drop_slots_held_by,
    lease_for,
    lock_limits,
    release,
    renew,
    take,
)
from prefect.store.tables import concurrency_limits, deployments

__all__ = ["give_back_tag_slots", "keep_deployment_slot", "take_deployment_slot", "take_tag_slots"]

_CANCEL_NEW = "CANCEL_NEW"


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
    lease = lease_for(ConcurrencyLeaseHolder(type="flow_run", id=t.run.id), seconds, t.now)
    longest = settings.maximum_concurrency_slot_wait_seconds
    if take(connection, wanted, 1, mode="concurrency", at=t.now, longest_wait=longest, lease=lease):
        cancels = options.get("collision_strategy") == _CANCEL_NEW
        return refuse_flow_run(t, cancel=cancels, wait_seconds=longest)
    details = msgspec.structs.replace(t.proposed.state_details, deployment_concurrency_lease_id=lease.id)
    t.proposed = msgspec.structs.replace(t.proposed, state_details=details)
    return None


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
        seconds = get_current_settings().server.concurrency.initial_deployment_lease_duration
        renew(connection, lease_id, seconds, at)
    return carry_slot(entered, left)


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
