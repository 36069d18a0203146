"""Filters of automations."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Moment, Operator

__all__ = [
    "AutomationFilter",
    "AutomationFilterCreated",
    "AutomationFilterId",
    "AutomationFilterName",
    "AutomationFilterTags",
]


class AutomationFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class AutomationFilterName(Filter):
    """By name."""

    any_: list[str] | None = None


class AutomationFilterCreated(Filter):
    """By when it was made."""

    before_: Moment | None = None


class AutomationFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class AutomationFilter(Filter):
    """Which automations."""

    operator: Operator = Operator.and_
    id: AutomationFilterId | None = None
    name: AutomationFilterName | None = None
    created: AutomationFilterCreated | None = None
    tags: AutomationFilterTags | None = None
