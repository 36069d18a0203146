"""Filters of work pools and their queues."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Operator

__all__ = [
    "WorkPoolFilter",
    "WorkPoolFilterId",
    "WorkPoolFilterName",
    "WorkPoolFilterType",
    "WorkQueueFilter",
    "WorkQueueFilterId",
    "WorkQueueFilterName",
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
