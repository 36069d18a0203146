"""Filters of logs."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Moment, Operator

__all__ = [
    "LogFilter",
    "LogFilterFlowRunId",
    "LogFilterLevel",
    "LogFilterTaskRunId",
    "LogFilterTextSearch",
    "LogFilterTimestamp",
]


class LogFilterLevel(Filter):
    """By level."""

    ge_: int | None = None
    le_: int | None = None


class LogFilterTimestamp(Filter):
    """By time."""

    before_: Moment | None = None
    after_: Moment | None = None


class LogFilterFlowRunId(Filter):
    """By flow run."""

    any_: list[UUID] | None = None


class LogFilterTaskRunId(Filter):
    """By task run."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None


class LogFilterTextSearch(Filter):
    """By words in the message."""

    query: str


class LogFilter(Filter):
    """Which log records."""

    operator: Operator = Operator.and_
    level: LogFilterLevel | None = None
    timestamp: LogFilterTimestamp | None = None
    flow_run_id: LogFilterFlowRunId | None = None
    task_run_id: LogFilterTaskRunId | None = None
    text: LogFilterTextSearch | None = None
