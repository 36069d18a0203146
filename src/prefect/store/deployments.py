"""Deployments with their schedules, limits and queues, and the runs that are planned of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select

from prefect.schemas.concurrency import GlobalConcurrencyLimitResponse
from prefect.schemas.deployments import DeploymentResponse, DeploymentSchedule, DeploymentStatus
from prefect.settings import get_current_settings
from prefect.store.base import Connection, Store
from prefect.store.functions import Member
from prefect.store.limits import leased_slots, limits
from prefect.store.records import Records
from prefect.store.tables import (
    concurrency_limits,
    deployment_schedules,
    deployments,
    flow_runs,
    work_pools,
    work_queues,
)
from prefect.store.values import Row, id_or_none, time_or_none
from prefect.types import format_utc

__all__ = [
    "deployment_rows",
    "drop_planned_runs",
    "objects",
    "deployments_from_rows",
    "schedules",
    "schedules_of",
]

objects: Records[DeploymentResponse] = Records(deployments, DeploymentResponse)
schedules: Records[DeploymentSchedule] = Records(deployment_schedules, DeploymentSchedule)

_SOURCE = deployments.outerjoin(work_queues, work_queues.c.id == deployments.c.work_queue_id).outerjoin(
    work_pools, work_pools.c.id == work_queues.c.work_pool_id
)
_EXTRA = (work_queues.c.name, work_queues.c.last_polled, work_pools.c.name)


def deployment_rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Compose a query of deployments, whose rows are what `deployments_from_rows` takes."""
    return select(*deployments.c, *_EXTRA).select_from(_SOURCE).where(*conditions)


def deployments_from_rows(
    source: Store | Connection, rows: Iterable[Row], at: datetime
) -> list[DeploymentResponse]:
    """Return the deployments that rows hold, with their schedules and limits.

    Args:
        source: Where their schedules and limits are.
        rows: What `deployment_rows` gives.
        at: The current time, which tells whether they are ready.
    """
    foreman = get_current_settings().server.services.foreman
    lately = timedelta(seconds=foreman.deployment_last_polled_timeout_seconds)
    found, limit_ids = [], {}
    position = list(deployments.c.keys()).index("global_concurrency_limit_id")
    for row in rows:
        deployment = objects.read(row)
        queue_name, queue_polled, pool_name = row[-len(_EXTRA) :]
        limit_ids[deployment.id] = id_or_none(row[position])
        deployment.work_pool_name = pool_name
        deployment.work_queue_name = queue_name
        # Who asks for the runs of a queue, asks for those of its deployments.
        polled = [time for time in (deployment.last_polled, time_or_none(queue_polled)) if time is not None]
        deployment.last_polled = max(polled, default=None)
        is_ready = bool(polled) and at - max(polled) <= lately
        deployment.status = DeploymentStatus.READY if is_ready else DeploymentStatus.NOT_READY
        found.append(deployment)
    limits_by_id = _limits(source, [one for one in limit_ids.values() if one is not None], at)
    schedules_by_id = schedules_of(source, [one.id for one in found])
    for deployment in found:
        deployment.schedules = schedules_by_id.get(deployment.id, [])
        limit_id = limit_ids[deployment.id]
        deployment.global_concurrency_limit = None if limit_id is None else limits_by_id.get(limit_id)
    return found


def _limits(
    source: Store | Connection, ids: Sequence[UUID], at: datetime
) -> dict[UUID, GlobalConcurrencyLimitResponse]:
    if not ids:
        return {}
    leased = leased_slots(source, ids, at)
    found = limits.all(source, limits.select(concurrency_limits.c.id.in_([one.hex for one in ids])))
    return {
        each.id: GlobalConcurrencyLimitResponse(
            id=each.id,
            created=each.created,
            updated=each.updated,
            active=each.active,
            name=each.name,
            limit=each.limit,
            active_slots=each.active_slots(leased.get(each.id, 0), at),
            slot_decay_per_second=each.slot_decay_per_second,
        )
        for each in found
    }


def schedules_of(source: Store | Connection, ids: Sequence[UUID]) -> dict[UUID, list[DeploymentSchedule]]:
    """Return the schedules of some deployments, newest first."""
    if not ids:
        return {}
    table = deployment_schedules.c
    query = schedules.select(table.deployment_id.in_([one.hex for one in ids]))
    found: dict[UUID, list[DeploymentSchedule]] = {}
    for schedule in schedules.all(source, query.order_by(table.id.desc())):
        if schedule.deployment_id is not None:
            found.setdefault(schedule.deployment_id, []).append(schedule)
    return found


def drop_planned_runs(
    connection: Connection, deployment_id: UUID, at: datetime, schedule_ids: Sequence[UUID] | None = None
) -> int:
    """Delete the runs of a deployment that are planned for later; what is due, late or taken up, stays.

    Args:
        connection: A connection that may write.
        deployment_id: The deployment.
        at: The current time.
        schedule_ids: Only those that these schedules planned; None: all.

    Returns:
        How many were deleted.
    """
    planned = delete(flow_runs).where(
        flow_runs.c.deployment_id == deployment_id.hex,
        flow_runs.c.auto_scheduled.is_(True),
        flow_runs.c.state_type == "SCHEDULED",
        flow_runs.c.state_name == "Scheduled",
        flow_runs.c.next_scheduled_start_time > format_utc(at),
    )
    if schedule_ids is not None:
        schedule = Member(flow_runs.c.created_by, "id")
        planned = planned.where(schedule.in_([str(one) for one in schedule_ids]))
    return connection.execute(planned)
