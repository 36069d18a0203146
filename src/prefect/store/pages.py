"""Listings of objects that `prefect.store.records` keeps: what is asked for, in which order, which part."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select

from prefect.schemas.filters.base import Filter
from prefect.schemas.pages import Page
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.store.conditions.base import Condition, Criterion

__all__ = ["Order", "asked", "on_page"]

Order = tuple[ColumnElement[Any], ...]
"""What rows are ordered by. It should leave no two rows equal, or pages overlap."""


def asked(criterion: Criterion, given: Filter | None) -> list[Condition]:
    """Return what a filter asks for; nothing, where there is none or it is empty.

    Args:
        criterion: How the filter becomes a condition.
        given: The filter.
    """
    condition = None if given is None else criterion(given)
    return [] if condition is None else [condition]


def on_page(rows: Select[Any], page: Page, order: Order) -> Select[Any]:
    """Return a query of a part of what another finds.

    Args:
        rows: The query.
        page: Which part.
        order: The order of the rows.
    """
    limit = DEFAULT_LIMIT if page.limit is None else page.limit
    return rows.order_by(*order).limit(limit).offset(page.offset or 0)
