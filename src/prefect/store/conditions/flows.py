"""Filters of flows as conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import not_, select

from prefect.store.conditions.base import TAG_TESTS, Condition, Criterion, all_of, of
from prefect.store.tables.deployments import deployments
from prefect.store.tables.runs import flows

__all__ = ["flow_condition"]


def _is_deployed(filter_: Any) -> Condition | None:
    if filter_.is_null_ is None:
        return None
    deployed = flows.c.id.in_(select(deployments.c.flow_id))
    return not_(deployed) if filter_.is_null_ else deployed


flow_condition: Criterion = all_of(
    {
        "id": of(flows.c.id),
        "name": of(flows.c.name),
        "tags": of(flows.c.tags, TAG_TESTS),
        "deployment": _is_deployed,
    }
)
"""Which flows a filter is about."""
