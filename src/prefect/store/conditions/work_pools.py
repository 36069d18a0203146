"""Filters of work pools and their queues as conditions."""

from __future__ import annotations

from prefect.store.conditions.base import Criterion, all_of, of
from prefect.store.tables.deployments import work_pools, work_queues

__all__ = ["work_pool_condition", "work_queue_condition"]

work_pool_condition: Criterion = all_of(
    {"id": of(work_pools.c.id), "name": of(work_pools.c.name), "type": of(work_pools.c.type)}
)
"""Which work pools a filter is about."""
work_queue_condition: Criterion = all_of({"id": of(work_queues.c.id), "name": of(work_queues.c.name)})
"""Which work queues a filter is about."""
