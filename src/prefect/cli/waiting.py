"""Finds out why a flow run waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from prefect.client.base import Caller
from prefect.exceptions import ObjectNotFound
from prefect.operations.deployments import read_deployment
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.work_pools import read_work_pool
from prefect.operations.work_queues import read_work_queue
from prefect.rules.waiting import Surroundings, why_waiting
from prefect.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
    WorkQueueFilter,
    WorkQueueFilterId,
)
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import StateType
from prefect.store.base import Store
from prefect.types import now

__all__ = ["reasons_to_wait"]

P = ParamSpec("P")
R = TypeVar("R")

_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


def reasons_to_wait(client: Caller, run: FlowRun) -> list[str]:
    """Return why a flow run has not started, though it is due; see `prefect.rules.waiting`.

    Args:
        client: Where it is kept.
        run: The run.
    """
    deployment = _found(client, read_deployment, run.deployment_id) if run.deployment_id else None
    pool = _found(client, read_work_pool, run.work_pool_name) if run.work_pool_name else None
    queue = _found(client, read_work_queue, run.work_queue_id) if run.work_queue_id else None
    holders: dict[str, list[str]] = {}
    if deployment is not None and deployment.global_concurrency_limit is not None:
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id]))
        holders["deployment"] = _under_way(client, FlowRunQuery(deployments=mine))
    if pool is not None and pool.concurrency_limit is not None:
        of_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool.name]))
        holders["pool"] = _under_way(client, FlowRunQuery(work_pools=of_pool))
    if queue is not None and queue.concurrency_limit is not None:
        of_queue = WorkQueueFilter(id=WorkQueueFilterId(any_=[queue.id]))
        holders["queue"] = _under_way(client, FlowRunQuery(work_pool_queues=of_queue))
    return why_waiting(run, Surroundings(deployment, pool, queue, holders), now())


def _found(
    client: Caller, operation: Callable[Concatenate[Store, P], R], *args: P.args, **kwargs: P.kwargs
) -> R | None:
    try:
        return client.call(operation, *args, **kwargs)
    except ObjectNotFound:
        return None


def _under_way(client: Caller, query: FlowRunQuery) -> list[str]:
    query.flow_runs = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_UNDER_WAY)))
    )
    return [run.name for run in client.call(read_flow_runs, query)]
