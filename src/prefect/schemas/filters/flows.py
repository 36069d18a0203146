"""Filters of flows."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Operator

__all__ = ["FlowFilter", "FlowFilterDeployment", "FlowFilterId", "FlowFilterName", "FlowFilterTags"]


class FlowFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class FlowFilterDeployment(Filter):
    """By whether a flow has deployments."""

    operator: Operator = Operator.and_
    is_null_: bool | None = None


class FlowFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class FlowFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    is_null_: bool | None = None


class FlowFilter(Filter):
    """Which flows."""

    operator: Operator = Operator.and_
    id: FlowFilterId | None = None
    deployment: FlowFilterDeployment | None = None
    name: FlowFilterName | None = None
    tags: FlowFilterTags | None = None
