"""Operations on the queues of work pools, by pool and name, and by id."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from sqlalchemy import ColumnElement, select

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.queue_changes import (
    NOT_FOUND,
    add_queue,
    change_queue,
    drop_queue,
    lock_pool,
    read_queue,
    read_queues,
)
from prefect.operations.readiness import poll_queues
from prefect.operations.registry import operation
from prefect.operations.work_pools import fetch_runs, pool_not_found, slot_summary
from prefect.schemas.filters import WorkQueueFilter
from prefect.schemas.objects import FlowRun
from prefect.schemas.pages import Page
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.schemas.work_pools import (
    WorkQueue,
    WorkQueueConcurrencyStatus,
    WorkQueueCreate,
    WorkQueueHealthPolicy,
    WorkQueueStatusDetail,
    WorkQueueUpdate,
)
from prefect.store.base import Store
from prefect.store.conditions.work_pools import work_queue_condition
from prefect.store.pages import Order, asked, on_page
from prefect.store.queues import DEFAULT_POOL, find_queue
from prefect.store.tables import flow_runs, work_pools, work_queues
from prefect.store.work_pools import (
    active_slots,
    late_runs,
    pools,
    queue_rows,
    queues,
    slot_holders,
)
from prefect.types import now

__all__ = [
    "WorkQueuePage",
    "create_work_queue",
    "create_work_queue_in_pool",
    "delete_work_queue",
    "delete_work_queue_in_pool",
    "read_work_queue",
    "read_work_queue_by_name",
    "read_work_queue_concurrency_status",
    "read_work_queue_in_pool",
    "read_work_queue_runs",
    "read_work_queue_status",
    "read_work_queues",
    "read_work_queues_in_pool",
    "update_work_queue",
    "update_work_queue_in_pool",
]

_BY_PRIORITY: Order = (work_queues.c.priority, work_queues.c.id)
_BY_NAME: Order = (work_queues.c.name, work_queues.c.id)


class WorkQueuePage(Page):
    """A query of work queues."""

    work_queues: WorkQueueFilter | None = None


# --- by pool and name ---------------------------------------------------------------------------------------


@operation("POST", "/work_pools/{work_pool_name}/queues", creates=True)
def create_work_queue_in_pool(store: Store, work_pool_name: str, data: WorkQueueCreate) -> WorkQueue:
    """Make a queue in a work pool; those whose priority it takes, come after it.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
        prefect.exceptions.ObjectAlreadyExists: The pool has a queue of that name.
    """
    at = now()
    with store.transaction() as connection:
        pool = lock_pool(connection, work_pools.c.name == work_pool_name)
        if pool is None:
            raise pool_not_found(work_pool_name)
        made = add_queue(connection, pool, data, at)
        if made is None:
            raise ObjectAlreadyExists(
                help_message=f"A work queue with this name already exists in work pool {work_pool_name!r}."
            )
    return read_queue(store, work_queues.c.id == made.id.hex)


@operation("GET", "/work_pools/{work_pool_name}/queues/{name}")
def read_work_queue_in_pool(store: Store, work_pool_name: str, name: str) -> WorkQueue:
    """Return the queue of a name in a work pool.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool or queue.
    """
    return read_queue(
        store,
        work_pools.c.name == work_pool_name,
        work_queues.c.name == name,
        missing=_missing(work_pool_name, name),
    )


@operation("POST", "/work_pools/{work_pool_name}/queues/filter")
def read_work_queues_in_pool(store: Store, work_pool_name: str, query: WorkQueuePage) -> list[WorkQueue]:
    """Return the queues of a work pool that a query is about, the first first.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    if not store.select(select(work_pools.c.id).where(work_pools.c.name == work_pool_name)):
        raise pool_not_found(work_pool_name)
    wanted = queue_rows(work_pools.c.name == work_pool_name, *asked(work_queue_condition, query.work_queues))
    return read_queues(store, on_page(wanted, query, _BY_PRIORITY))


@operation("PATCH", "/work_pools/{work_pool_name}/queues/{name}")
def update_work_queue_in_pool(store: Store, work_pool_name: str, name: str, data: WorkQueueUpdate) -> None:
    """Change what is set in `data` of a queue; those whose priority it takes, come after it.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool or queue.
        prefect.exceptions.ObjectAlreadyExists: The pool has a queue of the new name.
    """
    change_queue(store, _named(work_pool_name, name), data, _missing(work_pool_name, name))


@operation("DELETE", "/work_pools/{work_pool_name}/queues/{name}")
def delete_work_queue_in_pool(store: Store, work_pool_name: str, name: str) -> None:
    """Delete a queue; its deployments and the runs that wait in it are in none then.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool or queue.
        prefect.exceptions.ReservedNameError: It is its pool's default queue.
    """
    drop_queue(store, _named(work_pool_name, name), _missing(work_pool_name, name))


def _named(pool: str, name: str) -> ColumnElement[bool]:
    of_pool = work_queues.c.work_pool_id.in_(select(work_pools.c.id).where(work_pools.c.name == pool))
    return of_pool & (work_queues.c.name == name)


def _missing(pool: str, name: str) -> str:
    return f"Work pool queue '{pool}/{name}' not found."


# --- by id, and of the default pool -------------------------------------------------------------------------


@operation("POST", "/work_queues/", creates=True)
def create_work_queue(store: Store, data: WorkQueueCreate) -> WorkQueue:
    """Make a queue in the pool of queues that are named without one.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: There is one of that name.
    """
    at = now()
    with store.transaction() as connection:
        find_queue(connection, DEFAULT_POOL, None)
        pool = lock_pool(connection, work_pools.c.name == DEFAULT_POOL)
        made = None if pool is None else add_queue(connection, pool, data, at)
        if made is None:
            raise ObjectAlreadyExists(help_message="A work queue with this name already exists.")
    return read_queue(store, work_queues.c.id == made.id.hex)


@operation("POST", "/work_queues/filter")
def read_work_queues(store: Store, query: WorkQueuePage) -> list[WorkQueue]:
    """Return the queues of all work pools that a query is about, by name."""
    wanted = queue_rows(*asked(work_queue_condition, query.work_queues))
    return read_queues(store, on_page(wanted, query, _BY_NAME))


@operation("GET", "/work_queues/name/{name}")
def read_work_queue_by_name(store: Store, name: str) -> WorkQueue:
    """Return the queue of a name in the pool of queues that are named without one.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
    """
    return read_queue(store, work_pools.c.name == DEFAULT_POOL, work_queues.c.name == name)


@operation("GET", "/work_queues/{work_queue_id}")
def read_work_queue(store: Store, work_queue_id: UUID) -> WorkQueue:
    """Return a queue.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
    """
    return read_queue(store, work_queues.c.id == work_queue_id.hex)


@operation("PATCH", "/work_queues/{work_queue_id}")
def update_work_queue(store: Store, work_queue_id: UUID, data: WorkQueueUpdate) -> None:
    """Change what is set in `data` of a queue.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
        prefect.exceptions.ObjectAlreadyExists: Its pool has a queue of the new name.
    """
    change_queue(store, work_queues.c.id == work_queue_id.hex, data, NOT_FOUND)


@operation("DELETE", "/work_queues/{work_queue_id}")
def delete_work_queue(store: Store, work_queue_id: UUID) -> None:
    """Delete a queue.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
        prefect.exceptions.ReservedNameError: It is its pool's default queue.
    """
    drop_queue(store, work_queues.c.id == work_queue_id.hex, NOT_FOUND)


@operation("POST", "/work_queues/{work_queue_id}/get_runs")
def read_work_queue_runs(
    store: Store,
    work_queue_id: UUID,
    scheduled_before: datetime | None = None,
    limit: int | None = None,
) -> list[FlowRun]:
    """Return runs of a queue for who carries them out, what is due first first.

    Args:
        store: The store.
        work_queue_id: The queue.
        scheduled_before: The latest time that they may be due; None: any.
        limit: At most so many; None: `DEFAULT_LIMIT`.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
    """
    most = DEFAULT_LIMIT if limit is None else limit
    with store.transaction() as connection:
        poll_queues(connection, [work_queue_id], now())
    with store.reading() as connection:
        queue = queues.first(connection, work_queues.c.id == work_queue_id.hex)
        if queue is None or queue.work_pool_id is None:
            raise ObjectNotFound(help_message=NOT_FOUND)
        pool = pools.first(connection, work_pools.c.id == queue.work_pool_id.hex)
        assert pool is not None
        found = fetch_runs(connection, pool, [queue], most, (None, scheduled_before))
    return [each.flow_run for each in found]


@operation("GET", "/work_queues/{work_queue_id}/status")
def read_work_queue_status(store: Store, work_queue_id: UUID) -> WorkQueueStatusDetail:
    """Return how a queue fares: whether somebody asks for its runs, and they start in time.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
    """
    queue, policy = read_work_queue(store, work_queue_id), WorkQueueHealthPolicy()
    late = late_runs(store, work_queue_id)
    silent = None if queue.last_polled is None else (now() - queue.last_polled).total_seconds()
    return WorkQueueStatusDetail(
        healthy=late <= (policy.maximum_late_runs or 0)
        and silent is not None
        and silent <= (policy.maximum_seconds_since_last_polled or 0),
        late_runs_count=late,
        last_polled=queue.last_polled,
        health_check_policy=policy,
    )


@operation("POST", "/work_queues/{work_queue_id}/concurrency_status")
def read_work_queue_concurrency_status(
    store: Store, work_queue_id: UUID, page: Annotated[int, Meta(ge=1)] = 1, limit: int | None = None
) -> WorkQueueConcurrencyStatus:
    """Return which runs hold the slots of a queue.

    Args:
        store: The store.
        work_queue_id: The queue.
        page: Which page of the runs.
        limit: Runs on a page; None: `DEFAULT_LIMIT`.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such queue.
    """
    at, size = now(), DEFAULT_LIMIT if limit is None else limit
    queue, column = read_work_queue(store, work_queue_id), flow_runs.c.work_queue_id
    with store.reading() as connection:
        taken = active_slots(connection, column, [work_queue_id]).get(work_queue_id, 0)
        holders = slot_holders(connection, column, work_queue_id, size, (page - 1) * size)
    return WorkQueueConcurrencyStatus(
        active_slots=taken,
        concurrency_limit=queue.concurrency_limit,
        flow_runs=[slot_summary(row, at) for row in holders],
        count=taken,
        limit=size,
        pages=-(-taken // size) if size else 0,
        page=page,
    )
