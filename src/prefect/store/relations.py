"""How flows, their runs, deployments, work pools and queues belong together.

A query of one kind of object may be filtered by all others: what is asked for must have somebody related,
by the way that `RELATED` shows, who meets the filter. Where the way goes on, it is the same somebody: flows
with a deployment that sends its runs to a pool, not flows with a deployment and a pool of anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, select

from prefect.schemas.filters import Filter
from prefect.store.conditions import (
    Condition,
    Criterion,
    deployment_condition,
    flow_condition,
    flow_run_condition,
    task_run_condition,
    work_pool_condition,
    work_queue_condition,
)
from prefect.store.tables import deployments, flow_runs, flows, task_runs, work_pools, work_queues

__all__ = ["CRITERIA", "conditions_of"]

CRITERIA: dict[str, Criterion] = {
    "flows": flow_condition,
    "flow_runs": flow_run_condition,
    "task_runs": task_run_condition,
    "deployments": deployment_condition,
    "work_pools": work_pool_condition,
    "work_pool_queues": work_queue_condition,
}
"""What each filter of a query asks of its own kind of objects."""


@dataclass(frozen=True)
class Related:
    """Another kind of objects, and how to get to them."""

    kind: str
    here: Column[Any]
    """The column that is equal on this side."""
    there: Column[Any]
    """And on the other."""
    further: tuple[Related, ...] = field(default=())
    """Who is found by way of them."""

    @property
    def is_always_there(self) -> bool:
        """Whether nobody is on this side without one on the other."""
        return not self.here.nullable and bool(self.here.foreign_keys)


_TASK_RUNS = Related("task_runs", flow_runs.c.id, task_runs.c.flow_run_id)
_POOLS = Related("work_pools", work_queues.c.work_pool_id, work_pools.c.id)
_QUEUES = Related("work_pool_queues", deployments.c.work_queue_id, work_queues.c.id, (_POOLS,))
_OF_FLOW_RUNS = (
    Related("flows", flow_runs.c.flow_id, flows.c.id),
    Related("deployments", flow_runs.c.deployment_id, deployments.c.id),
    # A run keeps the queue that it was sent to, whatever its deployment says by now.
    Related("work_pool_queues", flow_runs.c.work_queue_id, work_queues.c.id, (_POOLS,)),
)
RELATED: dict[str, tuple[Related, ...]] = {
    "flows": (
        Related("flow_runs", flows.c.id, flow_runs.c.flow_id, (_TASK_RUNS,)),
        Related("deployments", flows.c.id, deployments.c.flow_id, (_QUEUES,)),
    ),
    "flow_runs": (_TASK_RUNS, *_OF_FLOW_RUNS),
    "task_runs": (Related("flow_runs", task_runs.c.flow_run_id, flow_runs.c.id, _OF_FLOW_RUNS),),
    "deployments": (
        Related("flows", deployments.c.flow_id, flows.c.id),
        Related("flow_runs", deployments.c.id, flow_runs.c.deployment_id, (_TASK_RUNS,)),
        _QUEUES,
    ),
}
"""Who is related to each kind of objects, from there on."""


def conditions_of(kind: str, filters: Mapping[str, Filter | None]) -> list[Condition] | None:
    """Return what filters ask of one kind of objects.

    Args:
        kind: What is asked for: `flows`, `flow_runs`, `task_runs` or `deployments`.
        filters: The filters, by what they filter; what is None does not count.

    Returns:
        The conditions; None where nothing is asked. That there are none says that any will do.
    """
    return _conditions(kind, RELATED[kind], filters)


def _conditions(
    kind: str, related: tuple[Related, ...], filters: Mapping[str, Filter | None]
) -> list[Condition] | None:
    given = filters.get(kind)
    condition = None if given is None else CRITERIA[kind](given)
    conditions = [] if condition is None else [condition]
    is_asked = given is not None
    for other in related:
        inside = _conditions(other.kind, other.further, filters)
        if inside is None:
            continue
        is_asked = True
        # A filter that asks for nothing still asks for somebody who is related.
        if inside or not other.is_always_there:
            conditions.append(other.here.in_(select(other.there).where(*inside)))
    return conditions if is_asked else None
