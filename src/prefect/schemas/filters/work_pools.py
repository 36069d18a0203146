"""Filters of work pools, their queues and workers."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from prefect.schemas.filters.base import Filter, Moment, Operator

__all__ = [
    "WorkPoolFilter",
    "WorkPoolFilterId",
    "WorkPoolFilterName",
    "WorkPoolFilterType",
    "WorkQueueFilter",
    "WorkQueueFilterId",
    "WorkQueueFilterName",
    "WorkerFilter",
    "WorkerFilterLastHeartbeatTime",
    "WorkerFilterStatus",
]


class WorkPoolFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class WorkPoolFilterName(Filter):
    """By name."""

    any_: list[str] | None = None


class WorkPoolFilterType(Filter):
    """By type."""

    any_: list[str] | None = None


class WorkPoolFilter(Filter):
    """Which work pools."""

    operator: Operator = Operator.and_
    id: WorkPoolFilterId | None = None
    name: WorkPoolFilterName | None = None
    type: WorkPoolFilterType | None = None


class WorkQueueFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class WorkQueueFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    startswith_: list[str] | None = None


class WorkQueueFilter(Filter):
    """Which work queues."""

    operator: Operator = Operator.and_
    id: WorkQueueFilterId | None = None
    name: WorkQueueFilterName | None = None


class WorkerFilterLastHeartbeatTime(Filter):
    """By when a worker was last heard of."""

    before_: Moment | None = None
    after_: Moment | None = None


class WorkerFilterStatus(Filter):
    """By whether a worker is there."""

    any_: list[Literal["ONLINE", "OFFLINE"]] | None = None
    not_any_: list[Literal["ONLINE", "OFFLINE"]] | None = None


class WorkerFilter(Filter):
    """Which workers."""

    operator: Operator = Operator.and_
    last_heartbeat_time: WorkerFilterLastHeartbeatTime | None = None
    status: WorkerFilterStatus | None = None
