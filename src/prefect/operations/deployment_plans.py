"""Operations on what is ahead of a deployment: the runs that are planned, and the queues they would go to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from prefect.exceptions import ObjectNotFound
from prefect.operations.registry import operation
from prefect.operations.schedules import find_times, plan_runs_of
from prefect.rules.planning import Horizon
from prefect.schemas.base import Finite
from prefect.schemas.work_pools import WorkQueue
from prefect.settings import get_current_settings
from prefect.store.base import Connection, Store
from prefect.store.deployments import drop_planned_runs
from prefect.store.tables import deployments, work_queues
from prefect.store.values import read_id
from prefect.store.work_pools import queues
from prefect.types import aware, now

__all__ = ["check_work_queues", "plan_anew", "schedule_deployment"]


@operation("POST", "/deployments/{deployment_id}/schedule", status=200)
def schedule_deployment(
    store: Store,
    deployment_id: UUID,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    min_time: Finite | None = None,
    min_runs: int | None = None,
    max_runs: int | None = None,
) -> None:
    """Plan runs of a deployment's schedules at once, where a server would do so in its own time.

    Args:
        store: The store.
        deployment_id: The deployment; where there is none, nothing is planned.
        start_time: What to plan from; None: now.
        end_time: What to plan until, at most; None: as a server does.
        min_time: How far ahead to plan at least, in seconds; None: as a server does.
        min_runs: How many runs of a schedule to plan at least; None: as a server does.
        max_runs: How many to plan at most; None: as a server does.
    """
    usual = get_current_settings().server.services.scheduler
    at = now()
    # All up to a start counts as well: what is planned has no holes.
    until_start = max(timedelta(), aware(start_time) - at) if start_time is not None else timedelta()
    least = usual.min_scheduled_time if min_time is None else timedelta(seconds=min_time)
    horizon = Horizon(
        min_runs=usual.min_runs if min_runs is None else min_runs,
        max_runs=usual.max_runs if max_runs is None else max_runs,
        min_time=until_start + least,
        max_time=usual.max_scheduled_time if end_time is None else aware(end_time) - at,
    )
    find_times(store, [deployment_id], at, horizon)
    with store.transaction() as connection:
        plan_runs_of(connection, [deployment_id], at, horizon)


def plan_anew(
    connection: Connection, deployment_id: UUID, at: datetime, schedule_ids: Sequence[UUID] | None = None
) -> None:
    """Plan once more what is planned of a deployment, since it has changed; what is due or late stays.

    It is done at once and together with the change: a time that comes before the next look of a server would
    have no run.

    Args:
        connection: A connection that may write, and has the deployment locked.
        deployment_id: The deployment, as it is now.
        at: The current time.
        schedule_ids: Only what these schedules planned; None: all.
    """
    if drop_planned_runs(connection, deployment_id, at, schedule_ids):
        usual = get_current_settings().server.services.scheduler
        horizon = Horizon(usual.min_runs, usual.max_runs, usual.min_scheduled_time, usual.max_scheduled_time)
        plan_runs_of(connection, [deployment_id], at, horizon)


@operation("GET", "/deployments/{deployment_id}/work_queue_check")
def check_work_queues(store: Store, deployment_id: UUID) -> list[WorkQueue]:
    """Return the queues that a deployment's runs are sent to: one, or none.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    found = store.select(select(deployments.c.work_queue_id).where(deployments.c.id == deployment_id.hex))
    if not found:
        raise ObjectNotFound(help_message="Deployment not found")
    (queue_id,) = found[0]
    return (
        []
        if queue_id is None
        else queues.all(store, queues.select(work_queues.c.id == read_id(queue_id).hex))
    )
