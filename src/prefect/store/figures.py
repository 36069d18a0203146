"""Figures about runs: counted, summed and averaged by the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Select, Table, case, func, literal, select

from prefect.schemas.queries import RunFilters
from prefect.schemas.states import StateType
from prefect.store.conditions import Condition, among
from prefect.store.functions import Bucket, Epoch
from prefect.store.queries import conditions_on
from prefect.store.tables import deployments, flow_runs, task_runs

__all__ = [
    "average_lateness",
    "count_deployments_by_flow",
    "count_task_runs_by_flow_run",
    "count_task_runs_by_state",
    "finished_by_bucket",
    "history",
    "lateness",
    "next_runs_by_flow",
    "run_time",
]

Query = Select[Any]


def run_time(runs: Table, at: datetime) -> ColumnElement[float]:
    """Return how long a run has run until a time, in seconds: `prefect.rules.bookkeeping.estimate` as SQL."""
    running = at.timestamp() - Epoch(runs.c.state_timestamp)
    open_part = case((runs.c.state_type == StateType.RUNNING.value, _not_negative(running)), else_=0.0)
    return runs.c.total_run_time + open_part


def lateness(runs: Table, at: datetime) -> ColumnElement[float]:
    """Return how much later than due a run started, or is by a time, in seconds."""
    started = func.coalesce(Epoch(runs.c.start_time), literal(at.timestamp(), Float()))
    return _not_negative(func.coalesce(started - Epoch(runs.c.expected_start_time), 0.0))


def _not_negative(seconds: Any) -> ColumnElement[float]:
    return case((seconds > 0, seconds), else_=0.0)


def history(
    runs: Table, query: RunFilters, start: datetime, end: datetime, seconds: float, at: datetime
) -> Query:
    """Compose a query of how many runs were due in each of some intervals, by state.

    Args:
        runs: Flow runs or task runs.
        query: Which.
        start: When the first interval starts.
        end: When the last one ends.
        seconds: How long one is.
        at: The current time.

    Returns:
        A query of rows: the number of the interval, from 0; type and name of the state; how many runs; the
        sum of their run times; the sum of their lateness.
    """
    due = runs.c.expected_start_time
    bucket = Bucket(due, literal(start.timestamp(), Float()), literal(seconds, Float()))
    return (
        select(
            bucket.label("bucket"),
            runs.c.state_type,
            runs.c.state_name,
            func.count(),
            func.sum(run_time(runs, at)),
            func.sum(lateness(runs, at)),
        )
        .where(*conditions_on(runs.name, query), due >= start, due < end, runs.c.state_type.is_not(None))
        .group_by("bucket", runs.c.state_type, runs.c.state_name)
        .order_by("bucket", runs.c.state_type, runs.c.state_name)
    )


def average_lateness(query: RunFilters, at: datetime) -> Query:
    """Compose a query of how late flow runs are on average, in seconds; NULL where there are none."""
    return select(func.avg(lateness(flow_runs, at))).where(*conditions_on("flow_runs", query))


def count_task_runs_by_flow_run(ids: Sequence[UUID]) -> Query:
    """Compose a query of how many task runs flow runs have, without those that stand for subflows."""
    children = select(flow_runs.c.id).where(flow_runs.c.parent_task_run_id == task_runs.c.id)
    return _count_by(task_runs.c.flow_run_id, among(task_runs.c.flow_run_id, ids), ~children.exists())


def count_deployments_by_flow(ids: Sequence[UUID]) -> Query:
    """Compose a query of how many deployments each of some flows has."""
    return _count_by(deployments.c.flow_id, among(deployments.c.flow_id, ids))


def count_task_runs_by_state(query: RunFilters) -> Query:
    """Compose a query of how many task runs are in each kind of state."""
    return _count_by(
        task_runs.c.state_type, *conditions_on("task_runs", query), task_runs.c.state_type.is_not(None)
    )


def _count_by(column: ColumnElement[Any], *conditions: Condition) -> Query:
    return select(column, func.count()).where(*conditions).group_by(column)


def finished_by_bucket(query: RunFilters, start: datetime, seconds: float) -> Query:
    """Compose a query of how the task runs that started in each of some intervals ended."""
    bucket = Bucket(task_runs.c.start_time, literal(start.timestamp(), Float()), literal(seconds, Float()))
    return (
        select(bucket.label("bucket"), task_runs.c.state_type, func.count())
        .where(*conditions_on("task_runs", query), task_runs.c.end_time.is_not(None))
        .group_by("bucket", task_runs.c.state_type)
    )


def next_runs_by_flow(ids: Sequence[UUID]) -> Query:
    """Compose a query of the run of each of some flows that is due next: flow, run, name, state, time."""
    order = (flow_runs.c.next_scheduled_start_time, flow_runs.c.id)
    ranked = (
        select(
            flow_runs.c.flow_id,
            flow_runs.c.id,
            flow_runs.c.name,
            flow_runs.c.state_name,
            flow_runs.c.state_type,
            flow_runs.c.next_scheduled_start_time,
            func.row_number().over(partition_by=flow_runs.c.flow_id, order_by=order).label("place"),
        )
        .where(
            among(flow_runs.c.flow_id, ids),
            flow_runs.c.state_type == StateType.SCHEDULED.value,
            flow_runs.c.next_scheduled_start_time.is_not(None),
        )
        .subquery()
    )
    columns = [column for column in ranked.c if column.name != "place"]
    return select(*columns).where(ranked.c.place == 1)
