"""What the server tells of who is there: that pools, queues and deployments are ready, or are so no longer.

Nothing of this is kept but when workers were heard of, and when somebody asked for runs. So what has changed
is seen by whoever writes such a time, and by a service that looks for times which are too long ago. Several
may see the same: the id of an event is made of what it is about and since when, so that it is kept once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import func, or_, select

from prefect.operations.place_events import tell_deployment, tell_pool, tell_queue
from prefect.schemas.work_pools import Worker, WorkPool
from prefect.settings import get_current_settings
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import Condition, among
from prefect.store.tables import deployments, events, work_pools, work_queues, workers
from prefect.store.values import read_id, time_or_none
from prefect.store.work_pools import (
    AGENT,
    Patience,
    is_polled,
    is_staffed,
    mark_polled,
    pools,
    queues,
    worker_records,
)
from prefect.types import format_utc

__all__ = ["patience", "poll_queues", "tell_polled_deployments", "tell_staffed", "tell_who_is_gone"]

_LOOK_BACK = timedelta(hours=1)
"""What nobody told for so long, because no server was there, is not told any more."""
_NAMES = UUID("3f1b8f0e-6c0c-4c55-9d8e-0f6d1f7b2a61")


def patience() -> Patience:
    """Return how long workers and who asks queues may be silent, as the settings have it."""
    foreman = get_current_settings().server.services.foreman
    return Patience(
        foreman.inactivity_heartbeat_multiple,
        foreman.fallback_heartbeat_interval_seconds,
        foreman.work_queue_last_polled_timeout_seconds,
    )


def _event_id(kind: str, object_id: UUID, happened: str, since: datetime | None) -> UUID:
    return uuid5(_NAMES, f"{kind} {object_id} {happened} {None if since is None else format_utc(since)}")


# --- ready --------------------------------------------------------------------------------------------------


def tell_staffed(connection: Connection, pool: WorkPool, at: datetime) -> None:
    """Tell that a pool is ready, if the worker that is heard of now is its first.

    Args:
        connection: The connection that writes that it was heard of, and has not yet done so.
        pool: The pool.
        at: The current time.
    """
    if not connection.keeps_events or pool.is_paused or pool.type == AGENT:
        return
    if is_staffed(connection, pool.id, at, patience()):
        return
    last = func.max(workers.c.last_heartbeat_time)
    ((since,),) = connection.select(select(last).where(workers.c.work_pool_id == pool.id.hex))
    tell_pool(
        connection, "ready", pool, event_id=_event_id("work-pool", pool.id, "ready", time_or_none(since))
    )


def poll_queues(connection: Connection, ids: Collection[UUID], at: datetime) -> None:
    """Write down that somebody asks for the runs of queues, and tell which are ready now.

    Args:
        connection: A connection that may write.
        ids: The queues.
        at: The current time.
    """
    if connection.keeps_events:
        silent = []
        for queue in queues.all(connection, queues.select(among(work_queues.c.id, list(ids)))):
            if not queue.is_paused and not is_polled(queue, at, patience()):
                event_id = _event_id("work-queue", queue.id, "ready", queue.last_polled)
                tell_queue(connection, "ready", queue, event_id=event_id)
            if queue.last_polled is None or queue.last_polled < at - _deployment_patience():
                silent.append(queue.id)
        # A queue may have thousands of deployments, and is asked every few seconds.
        if silent:
            tell_polled_deployments(connection, at, among(deployments.c.work_queue_id, silent))
    mark_polled(connection, ids, at)


def tell_polled_deployments(connection: Connection, at: datetime, which: Condition) -> None:
    """Tell that deployments are ready for whose runs somebody asks now, and nobody has asked for long.

    Args:
        connection: The connection that writes that they were asked for, and has not yet done so.
        at: The current time.
        which: The deployments.
    """
    if not connection.keeps_events:
        return
    long_ago = at - _deployment_patience()
    for deployment_id, since in _polls(connection, which):
        if since is None or since < long_ago:
            event_id = _event_id("deployment", deployment_id, "ready", since)
            tell_deployment(connection, "ready", deployment_id, event_id=event_id)


def _deployment_patience() -> timedelta:
    foreman = get_current_settings().server.services.foreman
    return timedelta(seconds=foreman.deployment_last_polled_timeout_seconds)


def _polls(source: Connection, *which: Condition) -> list[tuple[UUID, datetime | None]]:
    """Return since when nobody has asked for the runs of deployments: of their own, or of their queues'."""
    joined = deployments.outerjoin(work_queues, work_queues.c.id == deployments.c.work_queue_id)
    query = select(deployments.c.id, deployments.c.last_polled, work_queues.c.last_polled)
    found = []
    for row_id, own, queues_own in source.select(query.select_from(joined).where(*which)):
        times = [time for time in (time_or_none(own), time_or_none(queues_own)) if time is not None]
        found.append((read_id(row_id), max(times, default=None)))
    return found


# --- not ready ----------------------------------------------------------------------------------------------


def tell_who_is_gone(store: Store, at: datetime) -> int:
    """Tell which pools, queues and deployments are ready no longer, because nobody was heard of for too long.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many events were told.
    """
    if not store.keeps_events:
        return 0
    with store.reading() as connection:
        gone = [*_left_pools(connection, at), *_left_queues(connection, at)]
        gone += _left_deployments(connection, at)
        ids = [event_id.hex for _, _, event_id in gone]
        told = {
            read_id(row[0]) for row in connection.select(select(events.c.id).where(among(events.c.id, ids)))
        }
    missing = [each for each in gone if each[2] not in told]
    for kind, object_id, event_id in missing:
        with store.transaction() as connection:
            _tell_gone(connection, kind, object_id, event_id)
    return len(missing)


_Gone = tuple[str, UUID, UUID]


def _tell_gone(connection: Connection, kind: str, object_id: UUID, event_id: UUID) -> None:
    if kind == "work-pool":
        pool = pools.first(connection, work_pools.c.id == object_id.hex)
        if pool is not None:
            tell_pool(connection, "not-ready", pool, event_id=event_id)
    elif kind == "work-queue":
        queue = queues.first(connection, work_queues.c.id == object_id.hex)
        if queue is not None:
            tell_queue(connection, "not-ready", queue, event_id=event_id)
    else:
        tell_deployment(connection, "not-ready", object_id, event_id=event_id)


def _left_pools(connection: Connection, at: datetime) -> list[_Gone]:
    staffed: dict[UUID, list[Worker]] = {}
    recent = worker_records.select(workers.c.last_heartbeat_time > format_utc(at - _LOOK_BACK))
    for worker in worker_records.all(connection, recent):
        staffed.setdefault(worker.work_pool_id, []).append(worker)
    wanted = pools.select(
        among(work_pools.c.id, list(staffed)), work_pools.c.is_paused.is_(False), work_pools.c.type != AGENT
    )
    return [
        ("work-pool", pool.id, _event_id("work-pool", pool.id, "not-ready", _last_heard(staffed[pool.id])))
        for pool in pools.all(connection, wanted)
        if not is_staffed(connection, pool.id, at, patience())
    ]


def _last_heard(heard: Sequence[Worker]) -> datetime | None:
    return max((each.last_heartbeat_time for each in heard if each.last_heartbeat_time), default=None)


def _left_queues(connection: Connection, at: datetime) -> list[_Gone]:
    polled = work_queues.c.last_polled
    too_long = at - timedelta(seconds=patience().poll_seconds)
    silent = queues.select(
        work_queues.c.is_paused.is_(False),
        polled < format_utc(too_long),
        polled > format_utc(at - _LOOK_BACK),
    )
    return [
        ("work-queue", queue.id, _event_id("work-queue", queue.id, "not-ready", queue.last_polled))
        for queue in queues.all(connection, silent)
    ]


def _left_deployments(connection: Connection, at: datetime) -> list[_Gone]:
    since = format_utc(at - _LOOK_BACK)
    lately = or_(deployments.c.last_polled > since, work_queues.c.last_polled > since)
    too_long = at - _deployment_patience()
    return [
        ("deployment", deployment_id, _event_id("deployment", deployment_id, "not-ready", polled))
        for deployment_id, polled in _polls(connection, lately)
        if polled is not None and polled < too_long
    ]
