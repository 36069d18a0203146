"""Filters of deployments as conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from prefect.store.conditions.base import (
    TAG_TESTS,
    TESTS,
    Condition,
    Criterion,
    all_of,
    is_null,
    joined,
    of,
)
from prefect.store.tables.deployments import deployments
from prefect.store.tables.limits import concurrency_limits
from prefect.store.tables.runs import flows

__all__ = ["deployment_condition"]


def _either_name(filter_: Any) -> Condition | None:
    named, of_flow = of(deployments.c.name)(filter_), of(flows.c.name)(filter_)
    if named is None or of_flow is None:
        return None
    return or_(named, deployments.c.flow_id.in_(select(flows.c.id).where(of_flow)))


def _limited(filter_: Any) -> Condition | None:
    # The number is the limit's own, which is changed by itself and may be shared.
    own = deployments.c.global_concurrency_limit_id
    parts = [] if filter_.is_null_ is None else [is_null(own, filter_.is_null_)]
    between = {name: test for name, test in TESTS.items() if name in ("ge_", "le_")}
    inside = of(concurrency_limits.c.limit, between)(filter_)
    if inside is not None:
        parts.append(own.in_(select(concurrency_limits.c.id).where(inside)))
    return joined(filter_, parts)


deployment_condition: Criterion = all_of(
    {
        "id": of(deployments.c.id),
        "name": of(deployments.c.name),
        "flow_or_deployment_name": _either_name,
        "paused": of(deployments.c.paused),
        "tags": of(deployments.c.tags, TAG_TESTS),
        "work_queue_name": of(deployments.c.work_queue_name),
        "concurrency_limit": _limited,
    }
)
"""Which deployments a filter is about."""
