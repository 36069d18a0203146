"""Planning: the runs that schedules make ahead of their time.

A run has its place by its deployment, its schedule and its time, which are its idempotency key: however many
plan at once, and however often, there is one run for each place. The deployment is locked while its runs are
planned, so that who pauses it meanwhile finds all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select

from prefect.operations.deployment_runs import DEPLOYMENT_ID_LABEL
from prefect.operations.flow_run_events import tell_flow_runs
from prefect.operations.registry import operation
from prefect.operations.subflows import FLOW_ID_LABEL
from prefect.rules.bookkeeping import enter_state
from prefect.rules.names import random_name
from prefect.rules.planning import Horizon, Planned, is_planned, times_to_plan
from prefect.schemas.deployments import DeploymentResponse, DeploymentSchedule
from prefect.schemas.objects import CreatedBy, FlowRun
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_row, flow_run_state_row
from prefect.store.conditions.base import among
from prefect.store.deployments import objects, schedules
from prefect.store.functions import Member
from prefect.store.tables import deployment_schedules, deployments, flow_runs, work_pools, work_queues
from prefect.store.values import read_id, read_time
from prefect.store.work_pools import IS_SCHEDULED
from prefect.types import format_utc, uuid7

__all__ = ["plan_runs", "plan_runs_of"]

AUTO_SCHEDULED = "auto-scheduled"
"""The tag of runs that a schedule made."""
BATCH = 100

_log = logging.getLogger("prefect.operations")
_DEPLOYMENT_ID = list(deployment_schedules.c.keys()).index("deployment_id")


@operation("POST", "/deployments/plan_runs", internal=True)
def plan_runs(
    store: Store,
    at: datetime,
    horizon: Horizon,
    changed_since: datetime | None = None,
    batch_size: int = BATCH,
) -> int:
    """Plan the runs of all schedules that are due to be planned.

    Args:
        store: The store.
        at: The current time.
        horizon: How far ahead to plan.
        changed_since: Only of deployments that changed since; None: of all.
        batch_size: Deployments in one transaction.

    Returns:
        How many runs were planned.
    """
    wanted = _deployments_to_plan(store, at, horizon, changed_since)
    planned = 0
    for batch in _batches(wanted, batch_size):
        with store.transaction() as connection:
            planned += plan_runs_of(connection, batch, at, horizon)
    return planned


def _batches(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for first in range(0, len(ids), size):
        yield ids[first : first + size]


def _deployments_to_plan(
    source: Store, at: datetime, horizon: Horizon, changed_since: datetime | None
) -> list[UUID]:
    """Return the deployments with a schedule of which too little is planned, without reading any schedule."""
    conditions: list[ColumnElement[bool]] = []
    if changed_since is not None:
        since = format_utc(changed_since)
        conditions = [or_(deployments.c.updated >= since, deployment_schedules.c.updated >= since)]
    # Asked for before what is planned: who plans meanwhile is not planned after.
    table = deployment_schedules.c
    rows = source.select(
        select(table.id, table.deployment_id, table.max_scheduled_runs)
        .join(deployments, deployments.c.id == table.deployment_id)
        .where(deployments.c.paused.is_(False), table.active.is_(True), *conditions)
        .order_by(table.deployment_id)
    )
    narrow = [row[1] for row in rows] if changed_since is not None else None
    planned = _planned(source, at, narrow)
    wanted: dict[UUID, None] = {}
    for schedule_id, deployment_id, most in rows:
        done = planned.get(read_id(schedule_id), Planned(0, None))
        if not is_planned(done, at, horizon.bounded(most)):
            wanted[read_id(deployment_id)] = None
    return list(wanted)


def _planned(source: Store | Connection, at: datetime, of: Sequence[str] | None) -> dict[UUID, Planned]:
    """Return what is planned from now on, by schedule."""
    if of is not None and not of:
        return {}
    due = flow_runs.c.next_scheduled_start_time
    # Grouped by a column of an inner query: PostgreSQL takes two equal expressions with parameters for two.
    inner = select(Member(flow_runs.c.created_by, "id").label("schedule_id"), due.label("due")).where(
        IS_SCHEDULED,
        due >= format_utc(at),
        # What waits for a retry, or was put off, stands for no time of the schedule but its first.
        due == flow_runs.c.expected_start_time,
        flow_runs.c.auto_scheduled.is_(True),
    )
    if of is not None:
        inner = inner.where(among(flow_runs.c.deployment_id, list(dict.fromkeys(of))))
    runs = inner.subquery()
    query = select(runs.c.schedule_id, func.count(), func.max(runs.c.due)).group_by(runs.c.schedule_id)
    rows = source.select(query)
    return {UUID(row[0]): Planned(int(row[1]), read_time(row[2])) for row in rows if row[0] is not None}


class _Target(NamedTuple):
    """Where runs of a deployment go."""

    queue_name: str | None
    pool_id: UUID | None
    pool_name: str | None


def plan_runs_of(connection: Connection, ids: Sequence[UUID], at: datetime, horizon: Horizon) -> int:
    """Plan the runs of some deployments, but for those that somebody else has locked or that are paused.

    Args:
        connection: A connection that may write.
        ids: The deployments.
        at: The current time.
        horizon: How far ahead to plan.

    Returns:
        How many runs were planned.
    """
    here = among(deployments.c.id, [one.hex for one in ids])
    # Who has a deployment locked is planning its runs, or changing it; in both cases another look is due.
    locked = objects.select(here, deployments.c.paused.is_(False)).order_by(deployments.c.id)
    found = {one.id: one for one in objects.all(connection, locked.with_for_update(skip_locked=True))}
    if not found:
        return 0
    keys = [one.hex for one in found]
    active = schedules.select(
        among(deployment_schedules.c.deployment_id, keys), deployment_schedules.c.active.is_(True)
    )
    planned, targets = _planned(connection, at, keys), _targets(connection, keys)
    runs: list[FlowRun] = []
    for row in connection.select(active):
        deployment = found[read_id(row[_DEPLOYMENT_ID])]
        target = targets.get(deployment.id, _Target(None, None, None))
        try:
            schedule = schedules.read(row)
            done = planned.get(schedule.id, Planned(0, None))
            bounded = horizon.bounded(schedule.max_scheduled_runs)
            times = times_to_plan(schedule.schedule, done, at, bounded)
        except Exception as error:  # noqa: BLE001 - one schedule must not keep all others from being planned
            _log.error(
                "No runs are planned for a schedule of deployment %s, whose times cannot be found. "
                "Change or delete the schedule. %s: %s",
                deployment.id,
                type(error).__name__,
                error,
            )
            continue
        runs += (_run(deployment, schedule, target, due, at) for due in times)
    return _add(connection, runs)


def _targets(connection: Connection, keys: Sequence[str]) -> dict[UUID, _Target]:
    rows = connection.select(
        select(deployments.c.id, work_queues.c.name, work_pools.c.id, work_pools.c.name)
        .select_from(
            deployments.join(work_queues, work_queues.c.id == deployments.c.work_queue_id).join(
                work_pools, work_pools.c.id == work_queues.c.work_pool_id
            )
        )
        .where(among(deployments.c.id, list(keys)))
    )
    return {read_id(row[0]): _Target(row[1], read_id(row[2]), row[3]) for row in rows}


def _run(
    deployment: DeploymentResponse,
    schedule: DeploymentSchedule,
    target: _Target,
    due: datetime,
    at: datetime,
) -> FlowRun:
    run = FlowRun(
        id=uuid7(),
        created=at,
        updated=at,
        flow_id=deployment.flow_id,
        name=random_name(),
        deployment_id=deployment.id,
        deployment_version=deployment.version,
        work_queue_id=deployment.work_queue_id,
        work_queue_name=target.queue_name,
        work_pool_id=target.pool_id,
        work_pool_name=target.pool_name,
        parameters={**deployment.parameters, **schedule.parameters},
        idempotency_key=f"scheduled {deployment.id} {schedule.id} {due}",
        tags=list(dict.fromkeys([AUTO_SCHEDULED, *deployment.tags])),
        labels={
            **deployment.labels,
            FLOW_ID_LABEL: str(deployment.flow_id),
            DEPLOYMENT_ID_LABEL: str(deployment.id),
        },
        created_by=CreatedBy(
            id=schedule.id,
            type="SCHEDULE",
            display_value=schedule.slug or type(schedule.schedule).__name__,
        ),
        auto_scheduled=True,
        job_variables={},
    )
    details = msgspec.structs.replace(NO_DETAILS, flow_run_id=run.id, scheduled_time=due)
    enter_state(
        run,
        State(type=StateType.SCHEDULED, message="Flow run scheduled", timestamp=at, state_details=details),
    )
    return run


def _add(connection: Connection, runs: Sequence[FlowRun]) -> int:
    """Write runs with their states, but for those whose place is taken."""
    if not runs:
        return 0
    connection.run_many(statements.INSERT_FLOW_RUN, [flow_run_row(run) for run in runs])
    rows = connection.select(
        select(flow_runs.c.id).where(among(flow_runs.c.id, [run.id.hex for run in runs]))
    )
    there = {read_id(row[0]) for row in rows}
    connection.run_many(
        statements.INSERT_FLOW_RUN_STATE,
        [flow_run_state_row(run.id, run.state) for run in runs if run.id in there and run.state is not None],
    )
    if connection.keeps_events:
        tell_flow_runs(connection, [(run, None) for run in runs if run.id in there])
    return len(there)
