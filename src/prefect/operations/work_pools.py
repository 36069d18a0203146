"""Operations on work pools, and the runs that workers fetch from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import update

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, ReservedNameError
from prefect.operations.job_defaults import check_defaults
from prefect.operations.place_events import tell_pool, tell_pool_changed, tell_queue
from prefect.operations.readiness import patience, poll_queues
from prefect.operations.registry import operation
from prefect.rules.bookkeeping import estimate
from prefect.schemas.base import whole
from prefect.schemas.filters import WorkPoolFilter
from prefect.schemas.pages import Page, set_fields
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.schemas.work_pools import (
    FlowRunSlotSummary,
    WorkerFlowRunResponse,
    WorkPool,
    WorkPoolConcurrencyStatus,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
    WorkQueueConcurrencyStatusDetail,
)
from prefect.store.base import Connection, Store
from prefect.store.conditions.work_pools import work_pool_condition
from prefect.store.pages import asked, on_page
from prefect.store.tables import flow_runs, work_pools, work_queues
from prefect.store.values import Row, read_id, time_or_none
from prefect.store.work_pools import (
    AGENT,
    active_slots,
    due_runs,
    is_staffed,
    pools,
    queues,
    runs_by_id,
    slot_holders,
    with_status,
)
from prefect.types import now

__all__ = [
    "WorkPoolPage",
    "count_work_pools",
    "create_work_pool",
    "delete_work_pool",
    "find_pool",
    "fetch_runs",
    "get_scheduled_flow_runs",
    "leave",
    "pool_not_found",
    "read_work_pool",
    "read_work_pool_concurrency_status",
    "read_work_pools",
    "slot_summary",
    "update_work_pool",
]

RESERVED = "prefect"
"""What no pool's name may start with."""
MOST_HOLDERS = 200
Number = Annotated[int, Meta(ge=1)]


class WorkPoolPage(Page):
    """A query of work pools, by name."""

    work_pools: WorkPoolFilter | None = None


@operation("POST", "/work_pools/", creates=True)
def create_work_pool(store: Store, data: WorkPoolCreate) -> WorkPool:
    """Make a work pool, with a default queue.

    Args:
        store: The store.
        data: The pool.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: There is one of that name.
        prefect.exceptions.ReservedNameError: The name starts with that of what is built in.
        prefect.exceptions.RequestRefused: A default in its job template is not what its own schema says.
    """
    _refuse_reserved(data.name)
    check_defaults(data.base_job_template)
    at = now()
    queue = WorkQueue(name="default", description="The work pool's default queue.", created=at, updated=at)
    pool = WorkPool(
        created=at,
        updated=at,
        default_queue_id=queue.id,
        **{name: getattr(data, name) for name in data.__struct_fields__},
    )
    queue.work_pool_id = pool.id
    with store.transaction() as connection:
        if not pools.insert(connection, pool):
            raise ObjectAlreadyExists(help_message="A work pool with this name already exists.")
        queues.insert(connection, queue)
        tell_queue(connection, "created", queue)
        tell_pool(connection, "created", pool)
        if pool.type != AGENT:
            tell_pool(connection, "paused" if pool.is_paused else "not-ready", pool)
    return with_status(store, [pool], at, patience())[0]


@operation("GET", "/work_pools/{work_pool_name}")
def read_work_pool(store: Store, work_pool_name: str) -> WorkPool:
    """Return a work pool.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    with store.reading() as connection:
        return with_status(connection, [find_pool(connection, work_pool_name)], now(), patience())[0]


@operation("POST", "/work_pools/filter")
def read_work_pools(store: Store, query: WorkPoolPage) -> list[WorkPool]:
    """Return the work pools that a query is about, by name."""
    wanted = pools.select(*asked(work_pool_condition, query.work_pools))
    with store.reading() as connection:
        found = pools.all(connection, on_page(wanted, query, (work_pools.c.name,)))
        return with_status(connection, found, now(), patience())


@operation("POST", "/work_pools/count")
def count_work_pools(store: Store, query: WorkPoolPage) -> int:
    """Return how many work pools a query is about."""
    return pools.count(store, *asked(work_pool_condition, query.work_pools))


@operation("PATCH", "/work_pools/{work_pool_name}")
def update_work_pool(store: Store, work_pool_name: str, data: WorkPoolUpdate) -> None:
    """Change what is set in `data` of a work pool.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
        prefect.exceptions.ReservedNameError: It may not be changed.
    """
    changes = set_fields(data)
    for name in ("is_paused", "base_job_template", "storage_configuration"):
        if changes.get(name, name) is None:
            del changes[name]
    with store.transaction() as connection:
        pool = find_pool(connection, work_pool_name)
        if work_pool_name.lower().startswith(RESERVED):
            # What is built in may be paused or limited, but not made another.
            changes.pop("base_job_template", None)
        at = now()
        pools.update(connection, {**changes, "updated": at}, work_pools.c.id == pool.id.hex)
        if connection.keeps_events:
            changed = msgspec.structs.replace(pool, **changes)
            tell_pool_changed(
                connection, pool, changed, is_staffed=is_staffed(connection, pool.id, at, patience())
            )


@operation("DELETE", "/work_pools/{work_pool_name}")
def delete_work_pool(store: Store, work_pool_name: str) -> None:
    """Delete a work pool with its queues and workers; runs that wait in it wait for nobody then.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
        prefect.exceptions.ReservedNameError: It may not be deleted.
    """
    _refuse_reserved(work_pool_name)
    with store.transaction() as connection:
        pool = find_pool(connection, work_pool_name)
        leave(connection, flow_runs.c.work_pool_id == pool.id.hex)
        if connection.keeps_events:
            for queue in queues.all(connection, queues.select(work_queues.c.work_pool_id == pool.id.hex)):
                tell_queue(connection, "deleted", queue)
        pools.delete(connection, work_pools.c.id == pool.id.hex)
        tell_pool(connection, "deleted", pool)


def leave(connection: Connection, condition: Any) -> None:
    """Take scheduled runs out of the queue that they are in."""
    connection.execute(
        update(flow_runs)
        .where(flow_runs.c.state_type == "SCHEDULED", condition)
        .values(work_queue_id=None, work_queue_name=None, work_pool_id=None, work_pool_name=None)
    )


def find_pool(source: Store | Connection, name: str) -> WorkPool:
    """Return the work pool of a name, without its status.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    found = pools.first(source, work_pools.c.name == name)
    if found is None:
        raise pool_not_found(name)
    return found


def pool_not_found(name: str) -> ObjectNotFound:
    """Return the error of a pool that is not there."""
    return ObjectNotFound(help_message=f'Work pool "{name}" not found.')


def _refuse_reserved(name: str) -> None:
    if name.lower().startswith(RESERVED):
        raise ReservedNameError("Work pools starting with 'Prefect' are reserved for internal use.")


# --- runs for workers ---------------------------------------------------------------------------------------


@operation("POST", "/work_pools/{work_pool_name}/get_scheduled_flow_runs")
def get_scheduled_flow_runs(
    store: Store,
    work_pool_name: str,
    work_queue_names: list[str] | None = None,
    scheduled_before: datetime | None = None,
    scheduled_after: datetime | None = None,
    limit: int | None = None,
) -> list[WorkerFlowRunResponse]:
    """Return runs for a worker: those of the first queues first, and of these what is due first.

    Nothing is locked and nothing reserved: the worker that first has a run enter Pending carries it out.

    Args:
        store: The store.
        work_pool_name: The pool.
        work_queue_names: Only of these queues; None or none: of all.
        scheduled_before: The latest time that they may be due; None: any.
        scheduled_after: The earliest; None: any.
        limit: At most so many; None: `DEFAULT_LIMIT`.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool, or no such queue.
    """
    at = now()
    pool = find_pool(store, work_pool_name)
    asked_of = queues.all(store, queues.select(work_queues.c.work_pool_id == pool.id.hex))
    if work_queue_names:
        by_name = {queue.name: queue for queue in asked_of}
        for name in work_queue_names:
            if name not in by_name:
                raise ObjectNotFound(help_message=f"Work pool queue '{work_pool_name}/{name}' not found.")
        asked_of = [by_name[name] for name in dict.fromkeys(work_queue_names)]
    if asked_of:
        with store.transaction() as connection:
            poll_queues(connection, [queue.id for queue in asked_of], at)
    most = DEFAULT_LIMIT if limit is None else limit
    with store.reading() as connection:
        return fetch_runs(connection, pool, asked_of, most, (scheduled_after, scheduled_before))


def fetch_runs(
    source: Store | Connection,
    pool: WorkPool,
    asked_of: Sequence[WorkQueue],
    most: int,
    window: tuple[datetime | None, datetime | None],
) -> list[WorkerFlowRunResponse]:
    """Return runs that a worker may carry out, as far as there are slots.

    Args:
        source: Where they are.
        pool: The pool.
        asked_of: Those of its queues that the runs may be of.
        most: At most so many.
        window: When they may be due: from, and to; None: any time.
    """
    if pool.concurrency_limit is not None:
        taken = active_slots(source, flow_runs.c.work_pool_id, [pool.id]).get(pool.id, 0)
        most = min(most, pool.concurrency_limit - taken)
    if pool.is_paused or most <= 0:
        return []
    open_queues = {queue.id: queue for queue in asked_of if not queue.is_paused}
    limited = [queue.id for queue in open_queues.values() if queue.concurrency_limit is not None]
    taken_by = active_slots(source, flow_runs.c.work_queue_id, limited)
    room = {
        queue.id: most
        if queue.concurrency_limit is None
        else min(most, queue.concurrency_limit - taken_by.get(queue.id, 0))
        for queue in open_queues.values()
    }
    after, before = window
    due = due_runs(source, room, before, after)
    due.sort(key=lambda one: open_queues[one.queue_id].priority)
    chosen = due[:most]
    runs = runs_by_id(source, [one.run_id for one in chosen])
    at, given = now(), []
    for one in chosen:
        run = runs.get(read_id(one.run_id))
        # It may have been taken up meanwhile.
        if run is not None and run.state_type is not None and run.state_type.value == "SCHEDULED":
            estimate(run, at)
            given.append(
                WorkerFlowRunResponse(work_pool_id=pool.id, work_queue_id=one.queue_id, flow_run=run)
            )
    return given


@operation("POST", "/work_pools/{work_pool_name}/concurrency_status")
def read_work_pool_concurrency_status(
    store: Store,
    work_pool_name: str,
    page: Number = 1,
    flow_run_limit: Annotated[int, Meta(ge=0, le=MOST_HOLDERS)] = 10,
    limit: int | None = None,
) -> WorkPoolConcurrencyStatus:
    """Return which runs hold the slots of a pool, by queue.

    Args:
        store: The store.
        work_pool_name: The pool.
        page: Which page of its queues.
        flow_run_limit: Runs of a queue to tell of, at most.
        limit: Queues on a page; None: `DEFAULT_LIMIT`.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such pool.
    """
    at, size = now(), DEFAULT_LIMIT if limit is None else limit
    with store.reading() as connection:
        pool = pools.first(connection, work_pools.c.name == work_pool_name)
        if pool is None:
            raise ObjectNotFound(help_message=f"Work pool {work_pool_name!r} not found.")
        mine = work_queues.c.work_pool_id == pool.id.hex
        count = queues.count(connection, mine)
        window = Page(limit=size, offset=(page - 1) * size)
        found = queues.all(
            connection, on_page(queues.select(mine), window, (work_queues.c.priority, work_queues.c.id))
        )
        slots = active_slots(connection, flow_runs.c.work_queue_id, [queue.id for queue in found])
        details = [
            WorkQueueConcurrencyStatusDetail(
                queue_id=queue.id,
                queue_name=queue.name,
                active_slots=slots.get(queue.id, 0),
                concurrency_limit=queue.concurrency_limit,
                flow_runs=[
                    slot_summary(row, at)
                    for row in slot_holders(connection, flow_runs.c.work_queue_id, queue.id, flow_run_limit)
                ]
                if slots.get(queue.id)
                else [],
                flow_run_count=slots.get(queue.id, 0),
            )
            for queue in found
        ]
        taken = active_slots(connection, flow_runs.c.work_pool_id, [pool.id]).get(pool.id, 0)
    return WorkPoolConcurrencyStatus(
        active_slots=taken,
        concurrency_limit=pool.concurrency_limit,
        queues=details,
        count=count,
        limit=size,
        pages=-(-count // size) if size else 0,
        page=page,
    )


def slot_summary(row: Row, at: datetime) -> FlowRunSlotSummary:
    """Return a run that holds a slot, as `prefect.store.work_pools.slot_holders` reads it."""
    run_id, name, state_type, state_name, start_time, state_timestamp = row
    since = time_or_none(state_timestamp)
    return msgspec.convert(
        {
            "id": read_id(run_id),
            "name": name,
            "state_type": state_type,
            "state_name": state_name,
            "start_time": time_or_none(start_time),
            "state_timestamp": since,
            "time_in_current_state": None if since is None else (at - since).total_seconds(),
        },
        whole(FlowRunSlotSummary),
    )
