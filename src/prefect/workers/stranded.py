"""Runs that a worker has taken which is gone, on a server that does not give them back itself."""

from __future__ import annotations

from datetime import timedelta

from prefect.client.base import Caller
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.workers import WorkerPage, read_workers
from prefect.rules.beginning import is_stranded
from prefect.runner.claims import knows_claims
from prefect.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import StateType
from prefect.schemas.work_pools import WorkerStatus
from prefect.types import now

__all__ = ["stranded_runs"]


def stranded_runs(caller: Caller, pool: str, settled: timedelta) -> list[FlowRun]:
    """Return the runs of a pool that were taken by workers which are gone, and are to be started by others.

    Only workers of ours that start processes of ours mark their runs so that this is safe: see
    `prefect.rules.beginning`.

    Args:
        caller: Where the runs are.
        pool: The name of the work pool.
        settled: How long ago they were taken and due, at least.
    """
    if knows_claims(caller):
        return []
    is_pending = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING]))
    query = FlowRunQuery(
        flow_runs=FlowRunFilter(state=is_pending),
        work_pools=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        limit=200,
    )
    taken = caller.call(read_flow_runs, query)
    if not taken:
        return []
    workers = caller.call(read_workers, pool, WorkerPage())
    gone = {worker.name for worker in workers if worker.status is WorkerStatus.OFFLINE}
    latest = now() - settled
    return [run for run in taken if is_stranded(run, gone, latest)]
