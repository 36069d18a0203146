"""Operations on the workers of work pools."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.readiness import patience, tell_staffed
from prefect.operations.registry import operation
from prefect.operations.work_pools import create_work_pool, find_pool, read_work_pool
from prefect.schemas.filters import WorkerFilter
from prefect.schemas.pages import Page
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.schemas.work_pools import Worker, WorkPool, WorkPoolCreate
from prefect.schemas.worker_channel import ResolvedWorkQueue, WorkerHelloPayload
from prefect.store.base import Connection, Store
from prefect.store.conditions.work_pools import worker_condition
from prefect.store.pages import asked
from prefect.store.tables import work_queues, workers
from prefect.store.work_pools import queues, worker_records, workers_with_status
from prefect.types import now

__all__ = [
    "WorkerPage",
    "delete_worker",
    "hear_worker",
    "join_pool",
    "read_workers",
    "send_worker_heartbeat",
]


class WorkerPage(Page):
    """A query of workers."""

    workers: WorkerFilter | None = None


@operation("POST", "/work_pools/{work_pool_name}/workers/heartbeat")
def send_worker_heartbeat(
    store: Store, work_pool_name: str, name: str, heartbeat_interval_seconds: int | None = None
) -> None:
    """Say that a worker is there.

    Args:
        store: The store.
        work_pool_name: The pool whose runs it carries out.
        name: Its name, by which it is known within the pool.
        heartbeat_interval_seconds: When it will say so again, at the latest.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    with store.transaction() as connection:
        pool = find_pool(connection, work_pool_name)
        tell_staffed(connection, pool, now())
        hear_worker(connection, pool.id, name, heartbeat_interval_seconds, now())


def hear_worker(connection: Connection, pool_id: UUID, name: str, every: int | None, at: datetime) -> None:
    """Write down that a worker is there.

    Args:
        connection: A connection that may write.
        pool_id: Its pool.
        name: Its name.
        every: Seconds between its heartbeats; None: unknown.
        at: The current time.
    """
    worker = Worker(
        name=name,
        work_pool_id=pool_id,
        created=at,
        updated=at,
        last_heartbeat_time=at,
        heartbeat_interval_seconds=every,
    )
    added = insert(workers).values(worker_records.values_of(worker))
    heard = ("updated", "last_heartbeat_time", "heartbeat_interval_seconds")
    fresh: dict[str, Any] = {name: added.excluded[name] for name in heard}
    connection.execute(added.on_conflict_do_update(index_elements=["work_pool_id", "name"], set_=fresh))


def join_pool(
    store: Store, work_pool_name: str, hello: WorkerHelloPayload
) -> tuple[WorkPool, list[ResolvedWorkQueue]]:
    """Let a worker say that it is there and what it serves.

    Args:
        store: The store.
        work_pool_name: The pool whose runs it carries out.
        hello: Who it is.

    Returns:
        The pool, and the queues that the worker serves.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool, and none is to be made; or no such queue.
    """
    if hello.create_pool_if_not_found:
        try:
            find_pool(store, work_pool_name)
        except ObjectNotFound:
            wanted = WorkPoolCreate(
                name=work_pool_name,
                type=hello.worker_type,
                base_job_template=hello.default_base_job_template,
            )
            # Another worker may be faster.
            with suppress(ObjectAlreadyExists):
                create_work_pool(store, wanted)
    send_worker_heartbeat(store, work_pool_name, hello.worker_name, hello.heartbeat_interval_seconds)
    pool = read_work_pool(store, work_pool_name)
    mine = queues.select(work_queues.c.work_pool_id == pool.id.hex).order_by(work_queues.c.priority)
    by_name = {
        queue.name: ResolvedWorkQueue(id=queue.id, name=queue.name) for queue in queues.all(store, mine)
    }
    names = hello.work_queue_names or list(by_name)
    if missing := [name for name in names if name not in by_name]:
        raise ObjectNotFound(help_message=f"Work pool queue '{work_pool_name}/{missing[0]}' not found.")
    return pool, [by_name[name] for name in names]


@operation("POST", "/work_pools/{work_pool_name}/workers/filter")
def read_workers(store: Store, work_pool_name: str, query: WorkerPage) -> list[Worker]:
    """Return the workers of a pool that a query is about, those that were heard of last first.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    with store.reading() as connection:
        pool = find_pool(connection, work_pool_name)
        conditions = asked(worker_condition, query.workers)
        rows = worker_records.select(workers.c.work_pool_id == pool.id.hex, *conditions)
        found = worker_records.all(
            connection, rows.order_by(workers.c.last_heartbeat_time.desc(), workers.c.id)
        )
    told = workers_with_status(found, now(), patience())
    # How long a worker may be silent is its own, so its status is no condition.
    status = None if query.workers is None else query.workers.status
    if status is not None and status.any_ is not None:
        told = [worker for worker in told if worker.status in status.any_]
    if status is not None and status.not_any_ is not None:
        told = [worker for worker in told if worker.status not in status.not_any_]
    first = query.offset or 0
    return told[first : first + (DEFAULT_LIMIT if query.limit is None else query.limit)]


@operation("DELETE", "/work_pools/{work_pool_name}/workers/{name}")
def delete_worker(store: Store, work_pool_name: str, name: str) -> None:
    """Forget a worker; one that is there is known again by its next heartbeat.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool or worker.
    """
    with store.transaction() as connection:
        pool = find_pool(connection, work_pool_name)
        if not worker_records.delete(
            connection, workers.c.work_pool_id == pool.id.hex, workers.c.name == name
        ):
            raise ObjectNotFound(help_message="Worker not found.")
