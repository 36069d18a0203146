"""Queries, composed with SQLAlchemy Core; imported where one is made, and nowhere on the way to a run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from prefect.schemas.filters import Filter
from prefect.schemas.queries import DEFAULT_LIMIT, FlowQuery, FlowRunQuery, LogQuery, RunQuery, TaskRunQuery
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.store.conditions import (
    Condition,
    Criterion,
    deployment_condition,
    flow_condition,
    flow_run_condition,
    log_condition,
    task_run_condition,
    work_pool_condition,
    work_queue_condition,
)
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_SOURCE
from prefect.store.tables import flow_runs, flows, logs, task_runs

__all__ = [
    "count_of",
    "select_flow_runs",
    "select_flows",
    "select_logs",
    "select_task_runs",
]

Query = Select[Any]
Order = tuple[ColumnElement[Any], ...]

_begun = func.coalesce(flow_runs.c.start_time, flow_runs.c.expected_start_time)

FLOW_ORDERS: dict[FlowSort, Order] = {
    FlowSort.CREATED_DESC: (flows.c.created.desc(), flows.c.id.desc()),
    FlowSort.UPDATED_DESC: (flows.c.updated.desc(), flows.c.id.desc()),
    FlowSort.NAME_ASC: (flows.c.name,),
    FlowSort.NAME_DESC: (flows.c.name.desc(),),
}
# Where the databases differ, what has no time comes last.
FLOW_RUN_ORDERS: dict[FlowRunSort, Order] = {
    FlowRunSort.ID_DESC: (flow_runs.c.id.desc(),),
    FlowRunSort.START_TIME_ASC: (_begun.asc().nulls_last(), flow_runs.c.id),
    FlowRunSort.START_TIME_DESC: (_begun.desc().nulls_last(), flow_runs.c.id.desc()),
    FlowRunSort.EXPECTED_START_TIME_ASC: (flow_runs.c.expected_start_time.nulls_last(), flow_runs.c.id),
    FlowRunSort.EXPECTED_START_TIME_DESC: (
        flow_runs.c.expected_start_time.desc().nulls_last(),
        flow_runs.c.id.desc(),
    ),
    FlowRunSort.NAME_ASC: (flow_runs.c.name, flow_runs.c.id),
    FlowRunSort.NAME_DESC: (flow_runs.c.name.desc(), flow_runs.c.id.desc()),
    FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC: (
        flow_runs.c.next_scheduled_start_time.nulls_last(),
        flow_runs.c.id,
    ),
    FlowRunSort.END_TIME_DESC: (flow_runs.c.end_time.desc().nulls_last(), flow_runs.c.id.desc()),
}
TASK_RUN_ORDERS: dict[TaskRunSort, Order] = {
    TaskRunSort.ID_DESC: (task_runs.c.id.desc(),),
    TaskRunSort.EXPECTED_START_TIME_ASC: (task_runs.c.expected_start_time.nulls_last(), task_runs.c.id),
    TaskRunSort.EXPECTED_START_TIME_DESC: (
        task_runs.c.expected_start_time.desc().nulls_last(),
        task_runs.c.id.desc(),
    ),
    TaskRunSort.NAME_ASC: (task_runs.c.name, task_runs.c.id),
    TaskRunSort.NAME_DESC: (task_runs.c.name.desc(), task_runs.c.id.desc()),
    TaskRunSort.NEXT_SCHEDULED_START_TIME_ASC: (
        task_runs.c.next_scheduled_start_time.nulls_last(),
        task_runs.c.id,
    ),
    TaskRunSort.END_TIME_DESC: (task_runs.c.end_time.desc().nulls_last(), task_runs.c.id.desc()),
}
LOG_ORDERS: dict[LogSort, Order] = {
    LogSort.TIMESTAMP_ASC: (logs.c.timestamp, logs.c.id),
    LogSort.TIMESTAMP_DESC: (logs.c.timestamp.desc(), logs.c.id.desc()),
}


def select_flows(query: FlowQuery) -> Query:
    """Compose a query of flows; rows are those of the table."""
    chosen = _where(select(flows), (flow_condition, query.flows))
    if (inside := _flow_runs_of(query, but="flows")) is not None:
        chosen = chosen.where(flows.c.id.in_(select(flow_runs.c.flow_id).where(inside)))
    return _window(chosen, query, FLOW_ORDERS[query.sort])


def select_flow_runs(query: FlowRunQuery) -> Query:
    """Compose a query of flow runs; rows are those of the table with those of their states."""
    chosen = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)
    if (inside := _flow_runs_of(query)) is not None:
        chosen = chosen.where(inside)
    return _window(chosen, query, FLOW_RUN_ORDERS[query.sort])


def select_task_runs(query: TaskRunQuery) -> Query:
    """Compose a query of task runs; rows are those of the table."""
    chosen = _where(select(task_runs), (task_run_condition, query.task_runs))
    if (inside := _flow_runs_of(query, but="task_runs")) is not None:
        chosen = chosen.where(task_runs.c.flow_run_id.in_(select(flow_runs.c.id).where(inside)))
    return _window(chosen, query, TASK_RUN_ORDERS[query.sort])


def select_logs(query: LogQuery) -> Query:
    """Compose a query of log records; rows are those of the table."""
    chosen = _where(select(logs), (log_condition, query.logs))
    return _window(chosen, query, LOG_ORDERS[query.sort])


def count_of(query: Query) -> Query:
    """Compose a query that counts what another would give without its window."""
    return select(func.count()).select_from(query.order_by(None).limit(None).offset(None).subquery())


def _flow_runs_of(query: RunQuery, but: str | None = None) -> Condition | None:
    """Return what a query's filters, `but` one of them, ask of flow runs; None: nothing."""
    parts: list[Condition] = []
    if but != "flows" and (inside := _condition(flow_condition, query.flows)) is not None:
        parts.append(flow_runs.c.flow_id.in_(select(flows.c.id).where(inside)))
    if but != "task_runs" and (inside := _condition(task_run_condition, query.task_runs)) is not None:
        parts.append(flow_runs.c.id.in_(select(task_runs.c.flow_run_id).where(inside)))
    own: list[tuple[Criterion, Filter | None]] = [
        (flow_run_condition, query.flow_runs),
        (deployment_condition, query.deployments),
        (work_pool_condition, query.work_pools),
        (work_queue_condition, query.work_pool_queues),
    ]
    parts += [inside for each, given in own if (inside := _condition(each, given)) is not None]
    return and_(*parts) if parts else None


def _condition(criterion: Criterion, given: Filter | None) -> Condition | None:
    return None if given is None else criterion(given)


def _where(query: Query, *filters: tuple[Criterion, Filter | None]) -> Query:
    conditions = [_condition(criterion, given) for criterion, given in filters]
    return query.where(*(one for one in conditions if one is not None))


def _window(query: Query, asked: RunQuery | LogQuery, order: Order) -> Query:
    limit = DEFAULT_LIMIT if asked.limit is None else asked.limit
    return query.order_by(*order).limit(limit).offset(asked.offset)
