"""What operations on work queues have in common, however they name the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, select, update

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, ReservedNameError
from prefect.operations.place_events import tell_queue, tell_queue_changed
from prefect.operations.readiness import patience
from prefect.operations.work_pools import leave
from prefect.schemas.pages import set_fields
from prefect.schemas.work_pools import WorkPool, WorkQueue, WorkQueueCreate, WorkQueueUpdate
from prefect.store.base import Connection, Store
from prefect.store.queues import free_priority
from prefect.store.tables import deployments, flow_runs, work_pools, work_queues
from prefect.store.work_pools import is_polled, pools, queue_rows, queues, queues_from_rows
from prefect.types import now

__all__ = [
    "NOT_FOUND",
    "add_queue",
    "change_queue",
    "drop_queue",
    "lock_pool",
    "read_queue",
    "read_queues",
]

NOT_FOUND = "work queue not found"


def read_queues(store: Store, query: Select[Any]) -> list[WorkQueue]:
    """Return the queues that a query of `queue_rows` finds, with their status."""
    with store.reading() as connection:
        return queues_from_rows(connection, query, now(), patience())


def read_queue(store: Store, *conditions: ColumnElement[bool], missing: str = NOT_FOUND) -> WorkQueue:
    """Return the queue that meets conditions.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none; `missing` says so.
    """
    found = read_queues(store, queue_rows(*conditions).limit(1))
    if not found:
        raise ObjectNotFound(help_message=missing)
    return found[0]


def lock_pool(connection: Connection, condition: ColumnElement[bool]) -> WorkPool | None:
    """Return a pool and lock it: priorities are those of all its queues, so who changes them has the pool."""
    return pools.to_change(connection, condition)


def add_queue(
    connection: Connection, pool: WorkPool, data: WorkQueueCreate, at: datetime
) -> WorkQueue | None:
    """Make a queue in a pool that is locked; None where it has one of that name."""
    taken = _priorities(connection, pool.id)
    priority = free_priority(taken.values()) if data.priority is None else data.priority
    made = WorkQueue(
        name=data.name,
        description=data.description,
        is_paused=data.is_paused,
        concurrency_limit=data.concurrency_limit,
        priority=priority,
        work_pool_id=pool.id,
        created=at,
        updated=at,
    )
    if not queues.insert(connection, made):
        return None
    _make_way(connection, taken, priority, at)
    tell_queue(connection, "created", made)
    return made


def change_queue(store: Store, which: ColumnElement[bool], data: WorkQueueUpdate, missing: str) -> None:
    """Change what is set in `data` of a queue; others make way for its priority.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none; `missing` says so.
        prefect.exceptions.ObjectAlreadyExists: Its pool has a queue of the new name.
    """
    changes = {name: value for name, value in set_fields(data).items() if name != "filter"}
    for name in ("name", "priority"):
        if changes.get(name, name) is None:
            del changes[name]
    at = now()
    with store.transaction() as connection:
        queue = _found(connection, which, missing)
        name, priority = changes.get("name", queue.name), changes.get("priority", queue.priority)
        if name != queue.name:
            _rename(connection, queue, name)
        if priority != queue.priority:
            others = _priorities(connection, queue.work_pool_id)
            del others[queue.id]
            _make_way(connection, others, priority, at)
        queues.update(connection, {**changes, "updated": at}, work_queues.c.id == queue.id.hex)
        changed = msgspec.structs.replace(queue, **changes)
        tell_queue_changed(connection, queue, changed, is_polled=is_polled(queue, at, patience()))


def _rename(connection: Connection, queue: WorkQueue, name: str) -> None:
    assert queue.work_pool_id is not None
    if queues.count(
        connection,
        work_queues.c.work_pool_id == queue.work_pool_id.hex,
        work_queues.c.name == name,
    ):
        raise ObjectAlreadyExists(help_message=f"The work pool has a queue of the name {name!r} already.")
    waiting = (flow_runs.c.work_queue_id == queue.id.hex) & (flow_runs.c.state_type == "SCHEDULED")
    connection.execute(update(flow_runs).where(waiting).values(work_queue_name=name))
    connection.execute(
        update(deployments).where(deployments.c.work_queue_id == queue.id.hex).values(work_queue_name=name)
    )


def drop_queue(store: Store, which: ColumnElement[bool], missing: str) -> None:
    """Delete a queue; runs that wait in it are in none then.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none; `missing` says so.
        prefect.exceptions.ReservedNameError: It is its pool's default queue.
    """
    with store.transaction() as connection:
        queue = _found(connection, which, missing)
        if pools.count(connection, work_pools.c.default_queue_id == queue.id.hex):
            raise ReservedNameError("The default queue of a work pool cannot be deleted.")
        leave(connection, flow_runs.c.work_queue_id == queue.id.hex)
        tell_queue(connection, "deleted", queue)
        queues.delete(connection, work_queues.c.id == queue.id.hex)


def _found(connection: Connection, which: ColumnElement[bool], missing: str) -> WorkQueue:
    """Return a queue to be changed, and lock its pool before it, as all do who change priorities."""
    of_it = work_pools.c.id.in_(select(work_queues.c.work_pool_id).where(which))
    pool = lock_pool(connection, of_it)
    queue = None if pool is None else queues.to_change(connection, which)
    if queue is None:
        raise ObjectNotFound(help_message=missing)
    return queue


def _priorities(connection: Connection, pool_id: UUID | None) -> dict[UUID, int]:
    assert pool_id is not None
    found = queues.all(connection, queues.select(work_queues.c.work_pool_id == pool_id.hex))
    return {queue.id: queue.priority for queue in found}


def _make_way(connection: Connection, others: dict[UUID, int], priority: int, at: datetime) -> None:
    """Put off the queue that has a priority, and those right behind it: as many as it takes."""
    by_priority = {number: queue_id for queue_id, number in others.items()}
    moved: list[tuple[UUID, int]] = []
    while priority in by_priority:
        moved.append((by_priority[priority], priority + 1))
        priority += 1
    for queue_id, later in moved:
        queues.update(connection, {"priority": later, "updated": at}, work_queues.c.id == queue_id.hex)
