"""Listings that are asked for all the time, whose statements are known ahead.

Composing a query takes SQLAlchemy, and importing that takes longer than all the rest of a command that lists
runs. A query that none of these fits is composed.
"""

from __future__ import annotations

from typing import TypeVar

from prefect.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTaskRunId,
    TaskRunFilter,
    TaskRunFilterName,
)
from prefect.schemas.queries import DEFAULT_LIMIT, FlowQuery, FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.sorting import FlowSort, LogSort
from prefect.store import statements
from prefect.store.statement import Statement
from prefect.store.values import Row

__all__ = ["Known", "known_flow_runs", "known_flows", "known_logs", "known_task_runs"]

T = TypeVar("T")
Known = tuple[Statement, Row] | None
"""A statement with its parameters, or None for a query that must be composed."""


def known_flows(query: FlowQuery) -> Known:
    """Find the statement of a query of the newest flows."""
    window = _window(query)
    plain = FlowQuery(sort=FlowSort.CREATED_DESC, limit=query.limit, offset=query.offset)
    return (statements.RECENT_FLOWS, window) if query == plain else None


def known_flow_runs(query: FlowRunQuery) -> Known:
    """Find the statement of a query of the newest flow runs, or of those of a name."""
    plain = FlowRunQuery(limit=query.limit, offset=query.offset)
    if query == plain:
        return statements.RECENT_FLOW_RUNS, _window(query)
    named = query.flow_runs.name if query.flow_runs else None
    if named and (name := _only(named.any_)) is not None:
        plain.flow_runs = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
        if query == plain:
            return statements.FLOW_RUNS_BY_NAME, (name, *_window(query))
    return None


def known_task_runs(query: TaskRunQuery) -> Known:
    """Find the statement of a query of the newest task runs, or of those of a name."""
    plain = TaskRunQuery(limit=query.limit, offset=query.offset)
    if query == plain:
        return statements.RECENT_TASK_RUNS, _window(query)
    named = query.task_runs.name if query.task_runs else None
    if named and (name := _only(named.any_)) is not None:
        plain.task_runs = TaskRunFilter(name=TaskRunFilterName(any_=[name]))
        if query == plain:
            return statements.TASK_RUNS_BY_NAME, (name, *_window(query))
    return None


def known_logs(query: LogQuery) -> Known:
    """Find the statement of a query of all logs of one run."""
    asked, oldest_first = query.logs, query.sort is LogSort.TIMESTAMP_ASC
    if asked is None:
        return None
    run_id = _only(asked.flow_run_id.any_ if asked.flow_run_id else None)
    if run_id is not None and asked == LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id])):
        oldest, latest = statements.LOGS_OF_FLOW_RUN, statements.LATEST_LOGS_OF_FLOW_RUN
        return (oldest if oldest_first else latest), (run_id.hex, *_window(query))
    run_id = _only(asked.task_run_id.any_ if asked.task_run_id else None)
    if run_id is not None and asked == LogFilter(task_run_id=LogFilterTaskRunId(any_=[run_id])):
        oldest, latest = statements.LOGS_OF_TASK_RUN, statements.LATEST_LOGS_OF_TASK_RUN
        return (oldest if oldest_first else latest), (run_id.hex, *_window(query))
    return None


def _only(values: list[T] | None) -> T | None:
    return values[0] if values and len(values) == 1 else None


def _window(query: FlowQuery | FlowRunQuery | TaskRunQuery | LogQuery) -> tuple[int, int]:
    return DEFAULT_LIMIT if query.limit is None else query.limit, query.offset
