"""Filters of work pools, their queues and workers as conditions."""

from __future__ import annotations

from prefect.store.conditions.base import Criterion, all_of, of
from prefect.store.tables.deployments import work_pools, work_queues, workers

__all__ = ["work_pool_condition", "work_queue_condition", "worker_condition"]

work_pool_condition: Criterion = all_of(
    {"id": of(work_pools.c.id), "name": of(work_pools.c.name), "type": of(work_pools.c.type)}
)
"""Which work pools a filter is about."""
work_queue_condition: Criterion = all_of({"id": of(work_queues.c.id), "name": of(work_queues.c.name)})
"""Which work queues a filter is about."""
worker_condition: Criterion = all_of({"last_heartbeat_time": of(workers.c.last_heartbeat_time)})
"""Which workers a filter is about, but for their status, which time alone changes."""
