"""The queue of a work pool that runs are sent to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from prefect.exceptions import ObjectNotFound
from prefect.store.base import Connection, Store
from prefect.store.tables import work_pools, work_queues
from prefect.store.values import read_id
from prefect.types import format_utc, now, uuid7

__all__ = ["DEFAULT_POOL", "Queue", "find_queue", "free_priority", "read_queue"]

DEFAULT_POOL = "default-agent-pool"
"""The pool of queues that are named without one; it is made when it is first needed."""


class Queue(NamedTuple):
    """A queue and its pool, as runs remember them."""

    id: UUID
    name: str
    pool_id: UUID
    pool_name: str


def read_queue(source: Store | Connection, queue_id: UUID) -> Queue | None:
    """Return a queue by its id; None where there is none."""
    return _first(source, work_queues.c.id == queue_id.hex)


def free_priority(taken: Iterable[int]) -> int:
    """Return the first priority that no queue of a pool has: that of a new queue."""
    used = set(taken)
    return next(number for number in count(1) if number not in used)


def find_queue(connection: Connection, pool: str | None, queue: str | None) -> Queue:
    """Return the queue of a name; one that is not there is made.

    Args:
        connection: A connection that may write.
        pool: The name of its work pool; None: `DEFAULT_POOL`.
        queue: The name of the queue; None: the pool's default.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    pool_name = DEFAULT_POOL if pool is None else pool
    by_pool = work_pools.c.name == pool_name
    if pool_name == DEFAULT_POOL:
        _make_default_pool(connection)
    found = _first(connection, by_pool, _is_wanted(queue))
    if found is not None:
        return found
    # Locked, so that two who make queues at once give them different priorities.
    rows = connection.select(select(work_pools.c.id).where(by_pool).with_for_update())
    if not rows:
        raise ObjectNotFound(help_message=f'Work pool "{pool_name}" not found.')
    name = "default" if queue is None else queue
    _add_queue(connection, rows[0][0], uuid7(), name, "")
    made = _first(connection, by_pool, work_queues.c.name == name)
    assert made is not None
    return made


def _is_wanted(queue: str | None) -> ColumnElement[bool]:
    if queue is None:
        return work_queues.c.id == work_pools.c.default_queue_id
    return work_queues.c.name == queue


def _first(source: Store | Connection, *conditions: ColumnElement[bool]) -> Queue | None:
    query = select(work_queues.c.id, work_queues.c.name, work_pools.c.id, work_pools.c.name).where(
        work_queues.c.work_pool_id == work_pools.c.id, *conditions
    )
    rows = source.select(query.limit(1))
    if not rows:
        return None
    queue_id, name, pool_id, pool_name = rows[0]
    return Queue(read_id(queue_id), name, read_id(pool_id), pool_name)


def _add_queue(connection: Connection, pool_id: str, queue_id: UUID, name: str, description: str) -> None:
    mine = work_queues.c.work_pool_id == pool_id
    taken = (row[0] for row in connection.select(select(work_queues.c.priority).where(mine)))
    at = format_utc(now())
    connection.execute(
        insert_unless_there(work_queues)
        .values(
            id=queue_id.hex,
            created=at,
            updated=at,
            work_pool_id=pool_id,
            name=name,
            description=description,
            is_paused=False,
            priority=free_priority(taken),
        )
        .on_conflict_do_nothing()
    )


def _make_default_pool(connection: Connection) -> None:
    if connection.select(select(work_pools.c.id).where(work_pools.c.name == DEFAULT_POOL)):
        return
    at, pool_id, queue_id = format_utc(now()), uuid7(), uuid7()
    made = connection.execute(
        insert_unless_there(work_pools)
        .values(
            id=pool_id.hex,
            created=at,
            updated=at,
            name=DEFAULT_POOL,
            type="prefect-agent",
            base_job_template="{}",
            is_paused=False,
            default_queue_id=queue_id.hex,
            storage_configuration="{}",
        )
        .on_conflict_do_nothing()
    )
    if made:
        _add_queue(connection, pool_id.hex, queue_id, "default", "The work pool's default queue.")
