"""The statements that every run needs, as SQLAlchemy composes them.

`python -m prefect.store.compile` writes their texts to `prefect.store.statements`, so that a script that
runs a flow never imports SQLAlchemy. The order of a statement's parameters is the order in which
`prefect.store.codec` makes rows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import ClauseElement

from prefect.store.functions import Among, AnyOf
from prefect.store.tables import (
    Json,
    automation_actions,
    automation_buckets,
    concurrency_limits,
    deployments,
    events,
    flow_run_states,
    flow_runs,
    flows,
    leases,
    logs,
    task_runs,
)

__all__ = ["FLOW_RUN_COLUMNS", "HOT", "TASK_RUN_COLUMNS"]

FLOW_RUN_COLUMNS = [
    *(
        flow_run_states.c.timestamp.label("joined_timestamp") if column.name == "state_timestamp" else column
        for column in flow_runs.c
    ),
    *(flow_run_states.c[name].label(f"state_{name}_") for name in ("message", "data", "state_details")),
]
"""What the codec reads a flow run from; `FLOW_RUN_SOURCE` is where they come from.

What a run and its state both say, comes once: each value costs as much as reading it from the disk's cache.
The time of the state is the state's own, which is missing where the state is.
"""
FLOW_RUN_SOURCE = flow_runs.outerjoin(flow_run_states, flow_run_states.c.id == flow_runs.c.state_id)
TASK_RUN_COLUMNS = list(task_runs.c)

FLOW_RUN_PROGRESS = (
    "updated",
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "run_count",
    "expected_start_time",
    "next_scheduled_start_time",
    "start_time",
    "end_time",
    "total_run_time",
    "empirical_policy",
)
FLOW_RUN_EDITS = (
    "updated",
    "name",
    "flow_version",
    "parameters",
    "empirical_policy",
    "tags",
    "infrastructure_pid",
    "job_variables",
)
_FINAL: list[ColumnElement[Any]] = [
    literal_column(f"'{kind}'") for kind in ("COMPLETED", "CANCELLED", "FAILED", "CRASHED")
]


def _update(table: Table, names: tuple[str, ...], key: str) -> Update:
    return (
        update(table)
        .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names})
        .where(table.c[key] == bindparam(f"the_{key}", type_=table.c[key].type))
    )


def _upsert(table: Table, key: str, *, newer: str | None = None) -> ClauseElement:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=[key],
        set_={
            column.name: statement.excluded[column.name]
            for column in table.c
            if column.name not in {key, "created"}
        },
        where=None if newer is None else statement.excluded[newer] >= table.c[newer],
    )


def _by(table: Table, *keys: str) -> list[Any]:
    return [table.c[key] == bindparam(f"the_{key}", type_=table.c[key].type) for key in keys]


def _page(query: Select[Any], *order: ColumnElement[Any]) -> ClauseElement:
    return (
        query.order_by(*order)
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
    )


def _ids_between(table: Table) -> Select[Any]:
    first, last = (bindparam(name, type_=table.c.id.type) for name in ("first", "last"))
    return select(table.c.id).where(table.c.id >= first, table.c.id <= last)


def _names(table: Table, key: str = "id") -> ClauseElement:
    return select(table.c.id, table.c.name).where(Among(table.c[key], bindparam(f"{key}s", type_=Json)))


_flow_runs = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)
_SOME_BUCKETS = (
    *_by(automation_buckets, "automation_id", "trigger_id"),
    AnyOf(automation_buckets.c.key, bindparam("keys", type_=Json)),
)

HOT: dict[str, ClauseElement] = {
    "FLOW_BY_ID": select(flows).where(*_by(flows, "id")),
    "FLOW_BY_NAME": select(flows).where(*_by(flows, "name")),
    "UPDATE_FLOW": _update(flows, ("updated", "tags", "labels"), "id"),
    "INSERT_FLOW": insert(flows).on_conflict_do_nothing(),
    "FLOW_RUN_BY_ID": _flow_runs.where(*_by(flow_runs, "id")),
    # Locked until the transaction ends; SQLite, where a writer is alone, has no such clause and needs none.
    "FLOW_RUN_TO_CHANGE": _flow_runs.where(*_by(flow_runs, "id")).with_for_update(of=flow_runs),
    "FLOW_RUN_BY_KEY": _flow_runs.where(*_by(flow_runs, "flow_id", "idempotency_key")),
    "INSERT_FLOW_RUN": insert(flow_runs).on_conflict_do_nothing(),
    "INSERT_FLOW_RUN_STATE": insert(flow_run_states).on_conflict_do_nothing(),
    "FLOW_RUN_STATES": select(flow_run_states)
    .where(*_by(flow_run_states, "flow_run_id"))
    .order_by(flow_run_states.c.timestamp, flow_run_states.c.id),
    "UPDATE_FLOW_RUN_PROGRESS": _update(flow_runs, FLOW_RUN_PROGRESS, "id"),
    "UPDATE_FLOW_RUN": _update(flow_runs, FLOW_RUN_EDITS, "id"),
    "TASK_RUN_BY_ID": select(task_runs).where(*_by(task_runs, "id")),
    "UNFINISHED_TASK_RUNS": select(task_runs).where(
        *_by(task_runs, "flow_run_id"),
        task_runs.c.state_type.not_in(_FINAL) | task_runs.c.state_type.is_(None),
    ),
    "TASK_RUN_TO_CHANGE": select(task_runs).where(*_by(task_runs, "id")).with_for_update(),
    "TASK_RUN_BY_KEY": select(task_runs).where(*_by(task_runs, "flow_run_id", "task_key", "dynamic_key")),
    "CACHED_TASK_RUNS": _page(
        select(task_runs).where(
            *_by(task_runs, "cache_key"),
            task_runs.c.state_type == literal_column("'COMPLETED'"),
            task_runs.c.state_name != literal_column("'Cached'"),
            task_runs.c.cache_expiration.is_(None)
            | (task_runs.c.cache_expiration > bindparam("now", type_=task_runs.c.cache_expiration.type)),
        ),
        task_runs.c.id.desc(),
    ),
    "INSERT_TASK_RUN": insert(task_runs).on_conflict_do_nothing(),
    "UPSERT_TASK_RUN": _upsert(task_runs, "id", newer="state_count"),
    "TASK_RUNS_TO_CHANGE": select(task_runs)
    .where(Among(task_runs.c.id, bindparam("ids", type_=Json)))
    .order_by(task_runs.c.id)
    .with_for_update(),
    # Its `position` is the database's to give.
    "INSERT_EVENT": insert(events)
    .values(
        {
            column.name: bindparam(column.name, type_=column.type)
            for column in events.c
            if column.name != "position"
        }
    )
    .on_conflict_do_nothing()
    .inline(),
    # What automations remember, all of a trigger at once: there may be a bucket for each of many events.
    "BUCKETS": select(automation_buckets.c.key, automation_buckets.c.bucket).where(*_SOME_BUCKETS),
    "DROP_BUCKETS": delete(automation_buckets).where(*_SOME_BUCKETS),
    "INSERT_BUCKET": insert(automation_buckets).on_conflict_do_nothing(),
    "INSERT_ACTION": insert(automation_actions).on_conflict_do_nothing(),
    "INSERT_LOG": insert(logs).on_conflict_do_nothing(),
    "LEASES": select(leases),
    "LEASE_OF": select(leases).where(*_by(leases, "flow_run_id")).with_for_update(),
    "HOLD_LEASE": _upsert(leases, "flow_run_id"),
    # Who is heard of again is late no more: see `prefect.operations.leases`.
    "RENEW_LEASE": _update(leases, ("expires",), "flow_run_id").values(
        host=func.replace(leases.c.host, literal_column("'late:'"), literal_column("''"))
    ),
    "LIMITS_OF_NAMES": _names(concurrency_limits, "name"),
    "DROP_LEASE": delete(leases).where(*_by(leases, "flow_run_id")),
    # What people list all the time, in which they must not wait for SQLAlchemy.
    "RECENT_FLOWS": _page(select(flows), flows.c.created.desc(), flows.c.id.desc()),
    "FLOW_NAMES": _names(flows),
    "DEPLOYMENT_NAMES": _names(deployments),
    "TASK_RUN_NAMES": _names(task_runs),
    "FLOW_RUN_IDS_BETWEEN": _page(_ids_between(flow_runs), flow_runs.c.id),
    "TASK_RUN_IDS_BETWEEN": _page(_ids_between(task_runs), task_runs.c.id),
}
