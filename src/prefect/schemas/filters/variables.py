"""Filters of variables."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Operator

__all__ = ["VariableFilter", "VariableFilterId", "VariableFilterName", "VariableFilterTags"]


class VariableFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class VariableFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class VariableFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    is_null_: bool | None = None


class VariableFilter(Filter):
    """Which variables."""

    operator: Operator = Operator.and_
    id: VariableFilterId | None = None
    name: VariableFilterName | None = None
    tags: VariableFilterTags | None = None
