"""Filters of deployments as conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from prefect.store.conditions.base import TAG_TESTS, Condition, Criterion, all_of, of
from prefect.store.tables.deployments import deployments
from prefect.store.tables.runs import flows

__all__ = ["deployment_condition"]


def _either_name(filter_: Any) -> Condition | None:
    named, of_flow = of(deployments.c.name)(filter_), of(flows.c.name)(filter_)
    if named is None or of_flow is None:
        return None
    return or_(named, deployments.c.flow_id.in_(select(flows.c.id).where(of_flow)))


deployment_condition: Criterion = all_of(
    {
        "id": of(deployments.c.id),
        "name": of(deployments.c.name),
        "flow_or_deployment_name": _either_name,
        "paused": of(deployments.c.paused),
        "tags": of(deployments.c.tags, TAG_TESTS),
        "work_queue_name": of(deployments.c.work_queue_name),
        "concurrency_limit": of(deployments.c.concurrency_limit),
    }
)
"""Which deployments a filter is about."""
