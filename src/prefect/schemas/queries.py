"""Queries: filters, an order and a window; the bodies of the API's `filter` and `count` requests."""

from __future__ import annotations

from typing import Annotated

import msgspec

from prefect.schemas.base import Finite, Schema
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.filters.base import Moment, read_moment
from prefect.schemas.sorting import DeploymentSort, FlowRunSort, FlowSort, LogSort, TaskRunSort

__all__ = [
    "DEFAULT_LIMIT",
    "BulkLimit",
    "DeploymentPage",
    "DeploymentQuery",
    "FlowPage",
    "FlowQuery",
    "FlowRunPage",
    "FlowRunQuery",
    "HistoryQuery",
    "LogQuery",
    "PageQuery",
    "RunFilters",
    "RunQuery",
    "TaskRunPage",
    "TaskRunQuery",
]

DEFAULT_LIMIT = 200
"""How many objects a query gives when it does not say."""


BulkLimit = Annotated[int, msgspec.Meta(ge=1, le=50)]
"""How many objects one request changes, at most."""


class RunFilters(Schema):
    """The filters that queries of flows, runs and deployments share: each is about what belongs together."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_pool_queues: WorkQueueFilter | None = None


class RunQuery(RunFilters):
    """A query of a part of what is found."""

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


class DeploymentQuery(RunQuery):
    """A query of deployments."""

    sort: DeploymentSort = DeploymentSort.NAME_ASC


class PageQuery(RunFilters, kw_only=True):
    """A query of one page of what is found."""

    limit: int | None = None
    """How many are on a page; None: `DEFAULT_LIMIT`."""
    page: Annotated[int, msgspec.Meta(ge=1, le=2**31)] = 1

    @property
    def offset(self) -> int:
        """How many are on the pages before."""
        return (self.page - 1) * (DEFAULT_LIMIT if self.limit is None else self.limit)


class FlowPage(PageQuery):
    """A query of a page of flows."""

    sort: FlowSort = FlowSort.NAME_ASC


class FlowRunPage(PageQuery):
    """A query of a page of flow runs."""

    sort: FlowRunSort = FlowRunSort.ID_DESC


class TaskRunPage(PageQuery):
    """A query of a page of task runs."""

    sort: TaskRunSort = TaskRunSort.ID_DESC


class DeploymentPage(PageQuery):
    """A query of a page of deployments."""

    sort: DeploymentSort = DeploymentSort.NAME_ASC


class HistoryQuery(RunFilters, kw_only=True):
    """A query of how many runs there were, interval by interval."""

    history_start: Moment
    history_end: Moment
    history_interval_seconds: Finite
    work_pool_queues: WorkQueueFilter | None = msgspec.field(name="work_queues", default=None)

    def __post_init__(self) -> None:
        self.history_start = read_moment(self.history_start)
        self.history_end = read_moment(self.history_end)


class LogQuery(Schema):
    """A query of log records."""

    logs: LogFilter | None = None
    sort: LogSort = LogSort.TIMESTAMP_ASC
    limit: int | None = None
    """At most so many; None: `DEFAULT_LIMIT`."""
    offset: int = 0
    """Leave out so many of the first."""
