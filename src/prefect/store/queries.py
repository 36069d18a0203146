"""Queries, composed with SQLAlchemy Core; imported where one is made, and nowhere on the way to a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, func, literal_column, select

from prefect.schemas.queries import (
    DEFAULT_LIMIT,
    DeploymentPage,
    DeploymentQuery,
    FlowPage,
    FlowQuery,
    FlowRunPage,
    FlowRunQuery,
    LogQuery,
    PageQuery,
    RunFilters,
    RunQuery,
    TaskRunPage,
    TaskRunQuery,
)
from prefect.schemas.sorting import DeploymentSort, FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.store.conditions import Condition, among, log_condition
from prefect.store.deployments import deployment_rows
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_SOURCE
from prefect.store.relations import CRITERIA, conditions_of
from prefect.store.tables import deployments, flow_runs, flows, logs, task_runs
from prefect.store.tables.runs import BEGUN

__all__ = [
    "conditions_on",
    "count_deployments",
    "count_flow_runs",
    "count_flows",
    "count_task_runs",
    "select_deployments",
    "select_flow_runs",
    "select_flows",
    "select_logs",
    "select_scheduled_runs",
    "select_task_runs",
]

Query = Select[Any]
Order = tuple[ColumnElement[Any], ...]
Windowed = RunQuery | PageQuery | LogQuery

FLOW_ORDERS: dict[FlowSort, Order] = {
    FlowSort.CREATED_DESC: (flows.c.created.desc(), flows.c.id.desc()),
    FlowSort.UPDATED_DESC: (flows.c.updated.desc(), flows.c.id.desc()),
    FlowSort.NAME_ASC: (flows.c.name,),
    FlowSort.NAME_DESC: (flows.c.name.desc(),),
}
# Where the databases differ, what has no time comes last.
FLOW_RUN_ORDERS: dict[FlowRunSort, Order] = {
    FlowRunSort.ID_DESC: (flow_runs.c.id.desc(),),
    # Every flow run has these times since it entered its first state. The databases read an index in this
    # order, but would sort all runs to put those without one last.
    FlowRunSort.START_TIME_ASC: (BEGUN.asc(), flow_runs.c.id),
    FlowRunSort.START_TIME_DESC: (BEGUN.desc(), flow_runs.c.id.desc()),
    FlowRunSort.EXPECTED_START_TIME_ASC: (flow_runs.c.expected_start_time.asc(), flow_runs.c.id),
    FlowRunSort.EXPECTED_START_TIME_DESC: (flow_runs.c.expected_start_time.desc(), flow_runs.c.id.desc()),
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
DEPLOYMENT_ORDERS: dict[DeploymentSort, Order] = {
    DeploymentSort.CREATED_DESC: (deployments.c.created.desc(), deployments.c.id.desc()),
    DeploymentSort.UPDATED_DESC: (deployments.c.updated.desc(), deployments.c.id.desc()),
    DeploymentSort.NAME_ASC: (deployments.c.name, deployments.c.id),
    DeploymentSort.NAME_DESC: (deployments.c.name.desc(), deployments.c.id.desc()),
}
LOG_ORDERS: dict[LogSort, Order] = {
    LogSort.TIMESTAMP_ASC: (logs.c.timestamp, logs.c.id),
    LogSort.TIMESTAMP_DESC: (logs.c.timestamp.desc(), logs.c.id.desc()),
}


def select_flows(query: FlowQuery | FlowPage) -> Query:
    """Compose a query of flows; rows are those of the table."""
    return _window(select(flows), flows, conditions_on("flows", query), query, FLOW_ORDERS[query.sort])


def count_flows(query: RunFilters) -> Query:
    """Compose a query that counts flows, whatever the window."""
    return _count(flows, conditions_on("flows", query))


def select_flow_runs(query: FlowRunQuery | FlowRunPage) -> Query:
    """Compose a query of flow runs; rows are those of the table with those of their states."""
    chosen = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)
    return _window(chosen, flow_runs, conditions_on("flow_runs", query), query, FLOW_RUN_ORDERS[query.sort])


def count_flow_runs(query: RunFilters) -> Query:
    """Compose a query that counts flow runs, whatever the window."""
    return _count(flow_runs, conditions_on("flow_runs", query))


def select_scheduled_runs(
    deployment_ids: Sequence[UUID], before: datetime | None, limit: int | None
) -> Query:
    """Compose a query of flow runs of deployments that wait; rows are those of `select_flow_runs`."""
    order = (flow_runs.c.next_scheduled_start_time.nulls_last(), flow_runs.c.id)
    conditions = [
        among(flow_runs.c.deployment_id, deployment_ids),
        flow_runs.c.state_type == literal_column("'SCHEDULED'"),
    ]
    if before is not None:
        conditions.append(flow_runs.c.next_scheduled_start_time <= before)
    chosen = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)
    return chosen.where(*conditions).order_by(*order).limit(DEFAULT_LIMIT if limit is None else limit)


def select_task_runs(query: TaskRunQuery | TaskRunPage) -> Query:
    """Compose a query of task runs; rows are those of the table."""
    conditions = conditions_on("task_runs", query)
    return _window(select(task_runs), task_runs, conditions, query, TASK_RUN_ORDERS[query.sort])


def count_task_runs(query: RunFilters) -> Query:
    """Compose a query that counts task runs, whatever the window."""
    return _count(task_runs, conditions_on("task_runs", query))


def select_deployments(query: DeploymentQuery | DeploymentPage) -> Query:
    """Compose a query of deployments; rows are what `prefect.store.deployments` reads."""
    conditions = conditions_on("deployments", query)
    return _window(deployment_rows(), deployments, conditions, query, DEPLOYMENT_ORDERS[query.sort])


def count_deployments(query: RunFilters) -> Query:
    """Compose a query that counts deployments, whatever the window."""
    return _count(deployments, conditions_on("deployments", query))


def select_logs(query: LogQuery) -> Query:
    """Compose a query of log records; rows are those of the table."""
    condition = None if query.logs is None else log_condition(query.logs)
    conditions = [] if condition is None else [condition]
    return _window(select(logs), logs, conditions, query, LOG_ORDERS[query.sort])


def conditions_on(kind: str, query: RunFilters) -> list[Condition]:
    """Return what the filters of a query ask of one kind of objects: see `prefect.store.relations`."""
    return conditions_of(kind, {name: getattr(query, name) for name in CRITERIA}) or []


def _count(table: Table, conditions: list[Condition]) -> Query:
    return select(func.count()).select_from(table).where(*conditions)


def _window(rows: Query, table: Table, conditions: list[Condition], asked: Windowed, order: Order) -> Query:
    """Choose ids first: what is sorted is small then, and often an index alone gives the answer."""
    limit = DEFAULT_LIMIT if asked.limit is None else asked.limit
    ids = select(table.c.id).where(*conditions).order_by(*order).limit(limit).offset(asked.offset)
    return rows.where(table.c.id.in_(ids)).order_by(*order)
