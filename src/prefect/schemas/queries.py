"""Queries: filters, an order and a window; the bodies of the API's `filter` and `count` requests."""

from __future__ import annotations

from prefect.schemas.base import Schema
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort, TaskRunSort

__all__ = ["DEFAULT_LIMIT", "FlowQuery", "FlowRunQuery", "LogQuery", "TaskRunQuery"]

DEFAULT_LIMIT = 200
"""How many objects a query gives when it does not say."""


class RunQuery(Schema):
    """The filters that queries of flows and runs share; each filters by the objects that belong together."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_pool_queues: WorkQueueFilter | None = None
    limit: int | None = None
    """At most so many; None: `DEFAULT_LIMIT`."""
    offset: int = 0
    """Leave out so many of the first."""


class FlowQuery(RunQuery):
    """A query of flows."""

    sort: FlowSort = FlowSort.NAME_ASC


class FlowRunQuery(RunQuery):
    """A query of flow runs."""

    sort: FlowRunSort = FlowRunSort.ID_DESC


class TaskRunQuery(RunQuery):
    """A query of task runs."""

    sort: TaskRunSort = TaskRunSort.ID_DESC


class LogQuery(Schema):
    """A query of log records."""

    logs: LogFilter | None = None
    sort: LogSort = LogSort.TIMESTAMP_ASC
    limit: int | None = None
    """At most so many; None: `DEFAULT_LIMIT`."""
    offset: int = 0
    """Leave out so many of the first."""
