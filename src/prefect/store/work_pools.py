"""Work pools with their queues and workers: what is read of them, and how they fare."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select, update

from prefect.schemas.objects import FlowRun
from prefect.schemas.work_pools import (
    Worker,
    WorkerStatus,
    WorkPool,
    WorkPoolStatus,
    WorkQueue,
    WorkQueueStatus,
)
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_from_row
from prefect.store.conditions.base import among
from prefect.store.functions import Member
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_SOURCE
from prefect.store.records import Records
from prefect.store.tables import flow_runs, work_pools, work_queues, workers
from prefect.store.values import read_id
from prefect.types import format_utc

__all__ = [
    "AGENT",
    "DueRun",
    "HOLDS_SLOT",
    "IS_SCHEDULED",
    "Patience",
    "active_slots",
    "due_runs",
    "is_online",
    "is_polled",
    "is_staffed",
    "late_runs",
    "mark_polled",
    "pools",
    "queue_rows",
    "queues",
    "queues_from_rows",
    "runs_by_id",
    "slot_holders",
    "with_status",
    "worker_records",
    "workers_with_status",
]

AGENT = "prefect-agent"
"""The type of pools whose runs are fetched by agents, which leave no trace."""
HOLDS_SLOT = ("PENDING", "RUNNING", "CANCELLING")
"""The states of runs that are under way."""

# In the text of the statement, not beside it, so that SQLite sees that the index of such runs will do.
IS_SCHEDULED: ColumnElement[bool] = flow_runs.c.state_type == literal_column("'SCHEDULED'")
"""Whether a run waits for its time."""

pools: Records[WorkPool] = Records(work_pools, WorkPool)
queues: Records[WorkQueue] = Records(work_queues, WorkQueue)
worker_records: Records[Worker] = Records(workers, Worker)


class Patience(NamedTuple):
    """How long nothing may be heard of somebody who counts as there."""

    missed_heartbeats: int
    heartbeat_seconds: int
    """Of workers that do not say how often they send one."""
    poll_seconds: int
    """Of queues."""


def is_online(worker: Worker, at: datetime, patience: Patience) -> bool:
    """Return whether a worker was heard of lately."""
    if worker.last_heartbeat_time is None:
        return False
    every = worker.heartbeat_interval_seconds or patience.heartbeat_seconds
    return at - worker.last_heartbeat_time <= timedelta(seconds=every * patience.missed_heartbeats)


def is_staffed(source: Store | Connection, pool_id: UUID, at: datetime, patience: Patience) -> bool:
    """Return whether a pool has a worker that was heard of lately."""
    heard = worker_records.all(source, worker_records.select(workers.c.work_pool_id == pool_id.hex))
    return any(is_online(worker, at, patience) for worker in heard)


def with_status(
    source: Store | Connection, found: Sequence[WorkPool], at: datetime, patience: Patience
) -> list[WorkPool]:
    """Return pools with their status, and with their slots where these are limited.

    Args:
        source: Where their workers and runs are.
        found: The pools; they are changed.
        at: The current time.
        patience: How long workers may be silent.
    """
    ids = [pool.id for pool in found]
    heard = worker_records.all(source, worker_records.select(among(workers.c.work_pool_id, ids)))
    staffed = {worker.work_pool_id for worker in heard if is_online(worker, at, patience)}
    limited = [pool.id for pool in found if pool.concurrency_limit is not None]
    slots = active_slots(source, flow_runs.c.work_pool_id, limited)
    for pool in found:
        if pool.concurrency_limit is not None:
            pool.active_slots = slots.get(pool.id, 0)
        if pool.type == AGENT:
            pool.status = None
        elif pool.is_paused:
            pool.status = WorkPoolStatus.PAUSED
        else:
            pool.status = WorkPoolStatus.READY if pool.id in staffed else WorkPoolStatus.NOT_READY
    return list(found)


def workers_with_status(found: Iterable[Worker], at: datetime, patience: Patience) -> list[Worker]:
    """Return workers with their status."""
    told = list(found)
    for worker in told:
        worker.status = WorkerStatus.ONLINE if is_online(worker, at, patience) else WorkerStatus.OFFLINE
    return told


def is_polled(queue: WorkQueue, at: datetime, patience: Patience) -> bool:
    """Return whether somebody has asked for a queue's runs lately."""
    return queue.last_polled is not None and at - queue.last_polled <= timedelta(
        seconds=patience.poll_seconds
    )


def queue_rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Compose a query of queues, whose rows are what `queues_from_rows` takes."""
    return (
        select(*work_queues.c, work_pools.c.name)
        .select_from(work_queues.join(work_pools, work_pools.c.id == work_queues.c.work_pool_id))
        .where(*conditions)
    )


def queues_from_rows(
    source: Store | Connection, query: Select[Any], at: datetime, patience: Patience
) -> list[WorkQueue]:
    """Return the queues that a query finds, with their status.

    Args:
        source: Where they are.
        query: As `queue_rows` composes it.
        at: The current time.
        patience: How long nobody may ask for their runs.
    """
    found = []
    for row in source.select(query):
        queue = queues.read(row)
        queue.work_pool_name = row[-1]
        if queue.is_paused:
            queue.status = WorkQueueStatus.PAUSED
        else:
            is_ready = is_polled(queue, at, patience)
            queue.status = WorkQueueStatus.READY if is_ready else WorkQueueStatus.NOT_READY
        found.append(queue)
    limited = [queue.id for queue in found if queue.concurrency_limit is not None]
    slots = active_slots(source, flow_runs.c.work_queue_id, limited)
    for queue in found:
        if queue.concurrency_limit is not None:
            queue.active_slots = slots.get(queue.id, 0)
    return found


# --- slots --------------------------------------------------------------------------------------------------


def active_slots(source: Store | Connection, column: Any, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many runs of pools or queues are under way, by id; those without any are left out.

    Args:
        source: Where the runs are.
        column: The column of `flow_runs` that the ids are of.
        ids: The ids.
    """
    if not ids:
        return {}
    rows = source.select(
        select(column, func.count())
        .where(flow_runs.c.state_type.in_(HOLDS_SLOT), among(column, ids))
        .group_by(column)
    )
    return {read_id(row[0]): int(row[1]) for row in rows}


def slot_holders(
    source: Store | Connection, column: Any, owner: UUID, limit: int, offset: int = 0
) -> list[tuple[Any, ...]]:
    """Return the runs of a pool or queue that are under way, those that have been so for longest first.

    Returns:
        Rows of id, name, state type, state name, start time and the time of the state.
    """
    return source.select(
        select(
            flow_runs.c.id,
            flow_runs.c.name,
            flow_runs.c.state_type,
            flow_runs.c.state_name,
            flow_runs.c.start_time,
            flow_runs.c.state_timestamp,
        )
        .where(flow_runs.c.state_type.in_(HOLDS_SLOT), column == owner.hex)
        .order_by(flow_runs.c.state_timestamp, flow_runs.c.id)
        .limit(limit)
        .offset(offset)
    )


# --- runs for workers ---------------------------------------------------------------------------------------


class DueRun(NamedTuple):
    """A run that somebody may carry out, and its queue."""

    run_id: str
    queue_id: UUID


def due_runs(
    source: Store | Connection,
    room: Mapping[UUID, int],
    before: datetime | None,
    after: datetime | None,
) -> list[DueRun]:
    """Return the runs of queues that are due, those that are due first first.

    Args:
        source: Where they are.
        room: How many to return of each queue, at most.
        before: The latest time that they may be due; None: any.
        after: The earliest; None: any.
    """
    wanted = {queue_id: most for queue_id, most in room.items() if most > 0}
    if not wanted:
        return []
    due = flow_runs.c.next_scheduled_start_time
    # A process waits with the others for its next attempt.
    is_free = or_(
        flow_runs.c.state_name != "AwaitingRetry",
        Member(flow_runs.c.empirical_policy, "retry_type").is_distinct_from("in_process"),
    )
    conditions = [
        IS_SCHEDULED,
        among(flow_runs.c.work_queue_id, list(wanted)),
        due.is_not(None),
        is_free,
    ]
    if before is not None:
        conditions.append(due <= format_utc(before))
    if after is not None:
        conditions.append(due >= format_utc(after))
    place = func.row_number().over(partition_by=flow_runs.c.work_queue_id, order_by=(due, flow_runs.c.id))
    lined_up = (
        select(flow_runs.c.id, flow_runs.c.work_queue_id, place.label("place"), due.label("due"))
        .where(*conditions)
        .subquery()
    )
    rows = source.select(
        select(lined_up.c.id, lined_up.c.work_queue_id, lined_up.c.place)
        .where(lined_up.c.place <= max(wanted.values()))
        .order_by(lined_up.c.due, lined_up.c.id)
    )
    found = [(read_id(row[1]), row) for row in rows]
    return [DueRun(row[0], queue_id) for queue_id, row in found if row[2] <= wanted[queue_id]]


def runs_by_id(source: Store | Connection, ids: Sequence[str]) -> dict[UUID, FlowRun]:
    """Return flow runs by their ids; those that are gone are left out."""
    if not ids:
        return {}
    query = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)
    found = [flow_run_from_row(row) for row in source.select(query.where(among(flow_runs.c.id, list(ids))))]
    return {run.id: run for run in found}


def mark_polled(connection: Connection, ids: Collection[UUID], at: datetime) -> None:
    """Write down that somebody asks for the runs of queues.

    A queue that somebody else changes meanwhile is passed over: nobody waits, and a mark comes again with the
    next question.

    Args:
        connection: A connection that may write.
        ids: The queues.
        at: The current time.
    """
    free = (
        select(work_queues.c.id)
        .where(work_queues.c.id.in_([one.hex for one in ids]))
        .order_by(work_queues.c.id)
        .with_for_update(skip_locked=True)
    )
    marked = [row[0] for row in connection.select(free)]
    if marked:
        connection.execute(
            update(work_queues).where(work_queues.c.id.in_(marked)).values(last_polled=format_utc(at))
        )


def late_runs(source: Store | Connection, queue_id: UUID) -> int:
    """Return how many runs of a queue did not start in time and still wait."""
    query = select(func.count()).where(
        IS_SCHEDULED,
        flow_runs.c.state_name == "Late",
        flow_runs.c.work_queue_id == queue_id.hex,
    )
    return int(source.select(query)[0][0])
