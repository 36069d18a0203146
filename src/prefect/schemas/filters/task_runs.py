"""Filters of task runs."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Moment, Operator
from prefect.schemas.states import StateType

__all__ = [
    "TaskRunFilter",
    "TaskRunFilterEndTime",
    "TaskRunFilterExpectedStartTime",
    "TaskRunFilterFlowRunId",
    "TaskRunFilterId",
    "TaskRunFilterName",
    "TaskRunFilterStartTime",
    "TaskRunFilterState",
    "TaskRunFilterStateName",
    "TaskRunFilterStateType",
    "TaskRunFilterSubFlowRuns",
    "TaskRunFilterTags",
]


class TaskRunFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class TaskRunFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class TaskRunFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    is_null_: bool | None = None


class TaskRunFilterStateType(Filter):
    """By the kind of the state."""

    any_: list[StateType] | None = None


class TaskRunFilterStateName(Filter):
    """By the name of the state."""

    any_: list[str] | None = None


class TaskRunFilterState(Filter):
    """By the current state."""

    operator: Operator = Operator.and_
    type: TaskRunFilterStateType | None = None
    name: TaskRunFilterStateName | None = None


class TaskRunFilterStartTime(Filter):
    """By when the run started."""

    before_: Moment | None = None
    after_: Moment | None = None
    is_null_: bool | None = None


class TaskRunFilterEndTime(Filter):
    """By when the run ended."""

    before_: Moment | None = None
    after_: Moment | None = None
    is_null_: bool | None = None


class TaskRunFilterExpectedStartTime(Filter):
    """By when the run was first due."""

    before_: Moment | None = None
    after_: Moment | None = None


class TaskRunFilterSubFlowRuns(Filter):
    """By whether the task run stands for a flow run."""

    exists_: bool | None = None


class TaskRunFilterFlowRunId(Filter):
    """By flow run."""

    operator: Operator = Operator.and_
    any_: list[UUID] | None = None
    is_null_: bool | None = False


class TaskRunFilter(Filter):
    """Which task runs."""

    operator: Operator = Operator.and_
    id: TaskRunFilterId | None = None
    name: TaskRunFilterName | None = None
    tags: TaskRunFilterTags | None = None
    state: TaskRunFilterState | None = None
    start_time: TaskRunFilterStartTime | None = None
    end_time: TaskRunFilterEndTime | None = None
    expected_start_time: TaskRunFilterExpectedStartTime | None = None
    subflow_runs: TaskRunFilterSubFlowRuns | None = None
    flow_run_id: TaskRunFilterFlowRunId | None = None
