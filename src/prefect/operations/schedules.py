"""Planning: the runs that schedules make ahead of their time.

A run has its place by its deployment, its schedule and its time, which are its idempotency key: however many
plan at once, and however often, there is one run for each place. The deployment is locked while its runs are
planned, so that who pauses it meanwhile finds all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, cast, column, func, literal, or_, select

from prefect.operations.planned_rows import PlannedRows, Scheduled, Source, place_of
from prefect.operations.registry import operation
from prefect.rules.planning import Horizon, Planned, is_planned, times_to_plan
from prefect.schemas.base import whole
from prefect.schemas.schedules import AnySchedule, read_schedule
from prefect.store.base import Connection, Store
from prefect.store.conditions.base import among
from prefect.store.functions import Items, Member
from prefect.store.reading import reads
from prefect.store.tables import deployment_schedules, deployments, flow_runs, work_pools, work_queues
from prefect.store.tables.kinds import Json
from prefect.store.values import Row, id_or_none, json_text, read_id, read_time
from prefect.store.work_pools import IS_SCHEDULED
from prefect.types import format_utc

__all__ = ["find_times", "plan_runs", "plan_runs_of", "planned_query"]

BATCH = 100
AT_ONCE = 2
"""How many batches are planned at once, where the database writes for several."""

_DAY = timedelta(days=1)
_RULE = '"rrule"'

_log = logging.getLogger("prefect.operations")
_decode_schedule = msgspec.json.Decoder(whole(AnySchedule), strict=False).decode


@operation("POST", "/deployments/plan_runs", internal=True)
def plan_runs(
    store: Store,
    at: datetime,
    horizon: Horizon,
    changed_since: datetime | None = None,
    batch_size: int = BATCH,
) -> int:
    """Plan the runs of all schedules that are due to be planned.

    Args:
        store: The store.
        at: The current time.
        horizon: How far ahead to plan.
        changed_since: Only of deployments that changed since; None: of all.
        batch_size: Deployments in one transaction.

    Returns:
        How many runs were planned.
    """
    wanted = _deployments_to_plan(store, at, horizon, changed_since)

    def plan(batch: Sequence[UUID]) -> int:
        find_times(store, batch, at, horizon)
        with store.transaction() as connection:
            return plan_runs_of(connection, batch, at, horizon)

    batches = list(_batches(wanted, batch_size))
    if store.dialect == "sqlite" or len(batches) < 2:
        return sum(map(plan, batches))
    # While the database writes the runs of one batch, the next one is made.
    with ThreadPoolExecutor(AT_ONCE, "prefect-planner") as threads:
        return sum(threads.map(plan, batches))


def _batches(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for first in range(0, len(ids), size):
        yield ids[first : first + size]


def _deployments_to_plan(
    source: Store, at: datetime, horizon: Horizon, changed_since: datetime | None
) -> list[UUID]:
    """Return the deployments with a schedule of which too little is planned, without reading any schedule."""
    conditions: list[ColumnElement[bool]] = []
    if changed_since is not None:
        since = format_utc(changed_since)
        conditions = [or_(deployments.c.updated >= since, deployment_schedules.c.updated >= since)]
    # Asked for before what is planned: who plans meanwhile is not planned after.
    table = deployment_schedules.c
    rows = source.select(
        select(table.id, table.deployment_id, table.max_scheduled_runs, deployments.c.flow_id)
        .join(deployments, deployments.c.id == table.deployment_id)
        .where(deployments.c.paused.is_(False), table.active.is_(True), *conditions)
        .order_by(table.deployment_id)
    )
    if changed_since is None:
        planned = _planned(source, at)
    else:
        places = [(read_id(flow), read_id(deployment), read_id(one)) for one, deployment, _, flow in rows]
        planned = _planned_of(source, places, at)
    wanted: dict[UUID, None] = {}
    for schedule_id, deployment_id, most, _ in rows:
        done = planned.get(read_id(schedule_id), Planned(0, None))
        if not is_planned(done, at, horizon.bounded(most)):
            wanted[read_id(deployment_id)] = None
    return list(wanted)


def _counts(at: datetime) -> ColumnElement[bool]:
    """Whether a run is ahead of its schedule's time."""
    due = flow_runs.c.next_scheduled_start_time
    return and_(
        IS_SCHEDULED,
        due >= format_utc(at),
        # What waits for a retry, or was put off, stands for no time of the schedule but its first.
        due == flow_runs.c.expected_start_time,
        flow_runs.c.auto_scheduled.is_(True),
    )


def _planned(source: Store, at: datetime) -> dict[UUID, Planned]:
    """Return what is planned from now on, by schedule."""
    due = flow_runs.c.next_scheduled_start_time
    # Grouped by a column of an inner query: PostgreSQL takes two equal expressions with parameters for two.
    schedule = Member(flow_runs.c.created_by, "id").label("schedule_id")
    runs = select(schedule, due.label("due")).where(_counts(at)).subquery()
    query = select(runs.c.schedule_id, func.count(), func.max(runs.c.due)).group_by(runs.c.schedule_id)
    return {
        UUID(row[0]): Planned(int(row[1]), read_time(row[2]))
        for row in source.select(query)
        if row[0] is not None
    }


def _planned_of(
    source: Store | Connection, places: Iterable[tuple[UUID, UUID, UUID]], at: datetime
) -> dict[UUID, Planned]:
    """Return what is planned from now on of some schedules.

    Args:
        source: Where the runs are.
        places: The flow, the deployment and the id of each schedule.
        at: The current time.
    """
    # A day more, because the order of signs is the database's own; that of days is the same in all.
    since = f"{at - _DAY:%Y-%m-%d}"
    listed = [
        {"id": schedule, "flow": flow.hex, "first": f"{key}{since}", "last": f"{key}9999-13"}
        for flow, deployment, schedule in places
        for key in (place_of(deployment, schedule),)
    ]
    rows = source.select(planned_query(json_text(listed), at)) if listed else ()
    return {UUID(row[0]): Planned(int(row[1]), read_time(row[2])) for row in rows if row[1]}


def planned_query(listed: str, at: datetime) -> Select[tuple[str, int, str]]:
    """Compose a query of how many runs are planned of some schedules, and of when the last one is due.

    They are found by their keys, which have the times in them. Other indexes would lead through all that is
    planned, or all that a deployment has ever run.

    Args:
        listed: A JSON list of schedules: `id`, `flow`, and between which keys their runs are, `first` and
            `last`.
        at: The current time.
    """
    item = Items(literal(listed, Json())).table_valued(column("value", Json()), name="item").c.value
    key = flow_runs.c.idempotency_key
    due = case((_counts(at), flow_runs.c.next_scheduled_start_time))
    # Nothing but the key is a condition, so that no index but that of keys can be thought of.
    found = (
        flow_runs.c.flow_id == cast(Member(item, "flow"), flow_runs.c.flow_id.type),
        key >= Member(item, "first"),
        key <= Member(item, "last"),
    )
    count, last = (
        select(value).where(*found).scalar_subquery() for value in (func.count(due), func.max(due))
    )
    return select(Member(item, "id"), count, last)


def find_times(store: Store, ids: Sequence[UUID], at: datetime, horizon: Horizon) -> None:
    """Find the times of recurrence rules, which may take long, before anybody waits for who plans them.

    They are remembered for `plan_runs_of` with the same arguments.

    Args:
        store: The store.
        ids: The deployments.
        at: The current time.
        horizon: How far ahead to plan.
    """
    table = deployment_schedules.c
    active = (
        select(table.id, table.schedule, table.max_scheduled_runs, table.deployment_id, deployments.c.flow_id)
        .join(deployments, deployments.c.id == table.deployment_id)
        .where(among(table.deployment_id, [one.hex for one in ids]), table.active.is_(True))
    )
    rules = [row for row in store.select(active) if _RULE in row[1]]
    places = ((read_id(flow), read_id(deployment), read_id(one)) for one, _, _, deployment, flow in rules)
    planned = _planned_of(store, places, at)
    for one, text, most, _, _ in rules:
        with suppress(Exception):  # it is told where the schedule is planned
            _times(text, planned.get(read_id(one), Planned(0, None)), at, horizon.bounded(most))


def plan_runs_of(connection: Connection, ids: Sequence[UUID], at: datetime, horizon: Horizon) -> int:
    """Plan the runs of some deployments, but for those that somebody else has locked or that are paused.

    Args:
        connection: A connection that may write.
        ids: The deployments.
        at: The current time.
        horizon: How far ahead to plan.

    Returns:
        How many runs were planned.
    """
    found = _locked(connection, ids)
    if not found:
        return 0
    keys = [one.hex for one in found]
    table = deployment_schedules.c
    active = (
        select(table.id, table.deployment_id, table.schedule, table.max_scheduled_runs, table.parameters)
        .add_columns(table.slug)
        .where(among(table.deployment_id, keys), table.active.is_(True))
    )
    schedules = [(found[read_id(row[1])], row) for row in connection.select(active)]
    places = ((deployment.flow_id, deployment.id, read_id(row[0])) for deployment, row in schedules)
    planned = _planned_of(connection, places, at)
    rows = PlannedRows(connection, at)
    for deployment, row in schedules:
        try:
            _plan(rows, deployment, row, planned, at, horizon)
        except Exception as error:  # noqa: BLE001 - one schedule must not keep all others from being planned
            _log.error(
                "No runs are planned for a schedule of deployment %s, whose times cannot be found. "
                "Change or delete the schedule. %s: %s",
                deployment.id,
                type(error).__name__,
                error,
            )
    return rows.write()


def _locked(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Source]:
    """Return deployments with the queues that their runs go to, each of which nobody else changes now."""
    table = deployments.c
    # Who has a deployment locked is planning its runs, or changing it; in both cases another look is due.
    locked = (
        select(
            *(table.id, table.name, table.flow_id, table.version, table.parameters, table.tags, table.labels),
            table.work_queue_id,
        )
        .where(among(table.id, [one.hex for one in ids]), table.paused.is_(False))
        .order_by(table.id)
        .with_for_update(skip_locked=True)
    )
    rows = connection.select(locked)
    queues = _queues(connection, {row[7] for row in rows if row[7] is not None})
    found: dict[UUID, Source] = {}
    for row in rows:
        deployment_id, name, flow_id, version, parameters, tags, labels, queue_id = row
        queue_name, pool_id, pool_name = queues.get(id_or_none(queue_id), (None, None, None))
        found[read_id(deployment_id)] = Source(
            id=read_id(deployment_id),
            name=name,
            flow_id=read_id(flow_id),
            version=version,
            parameters=parameters,
            tags=tags,
            labels=labels,
            queue_id=id_or_none(queue_id),
            queue_name=queue_name,
            pool_id=pool_id,
            pool_name=pool_name,
        )
    return found


def _queues(connection: Connection, ids: Collection[str]) -> dict[UUID | None, tuple[str, UUID, str]]:
    """Return the name of each queue, and its pool's id and name."""
    if not ids:
        return {}
    rows = connection.select(
        select(work_queues.c.id, work_queues.c.name, work_pools.c.id, work_pools.c.name)
        .select_from(work_queues.join(work_pools, work_pools.c.id == work_queues.c.work_pool_id))
        .where(among(work_queues.c.id, sorted(ids)))
    )
    return {read_id(row[0]): (row[1], read_id(row[2]), row[3]) for row in rows}


@reads("deployment_schedules")
def _schedule_from_row(row: Row) -> AnySchedule:
    return _schedule(row[2])


@lru_cache(maxsize=500)
def _schedule(text: str) -> AnySchedule:
    return read_schedule(_decode_schedule(text))


@lru_cache(maxsize=500)
def _times(schedule: str, planned: Planned, at: datetime, horizon: Horizon) -> tuple[datetime, ...]:
    """Find the times once for all deployments with the same schedule."""
    return tuple(times_to_plan(_schedule(schedule), planned, at, horizon))


def _plan(
    rows: PlannedRows,
    deployment: Source,
    row: Row,
    planned: Mapping[UUID, Planned],
    at: datetime,
    horizon: Horizon,
) -> None:
    schedule = _schedule_from_row(row)
    schedule_id, _, text, most, parameters, slug = row
    made_by = Scheduled(read_id(schedule_id), parameters, slug or type(schedule).__name__)
    done = planned.get(made_by.id, Planned(0, None))
    times = _times(text, done, at, horizon.bounded(most))
    if times:
        rows.add(deployment, made_by, times)
