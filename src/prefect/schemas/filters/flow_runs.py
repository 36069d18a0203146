"""Filters of flow runs."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Moment, Operator
from prefect.schemas.states import StateType

__all__ = [
    "FlowRunFilter",
    "FlowRunFilterCreatedBy",
    "FlowRunFilterDeploymentId",
    "FlowRunFilterEndTime",
    "FlowRunFilterExpectedStartTime",
    "FlowRunFilterFlowVersion",
    "FlowRunFilterId",
    "FlowRunFilterIdempotencyKey",
    "FlowRunFilterName",
    "FlowRunFilterNextScheduledStartTime",
    "FlowRunFilterParentFlowRunId",
    "FlowRunFilterParentTaskRunId",
    "FlowRunFilterStartTime",
    "FlowRunFilterState",
    "FlowRunFilterStateName",
    "FlowRunFilterStateType",
    "FlowRunFilterTags",
    "FlowRunFilterWorkQueueName",
]


class FlowRunFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class FlowRunFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class FlowRunFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilterDeploymentId(Filter):
    """By deployment."""

    operator: Operator = Operator.and_
    any_: list[UUID] | None = None
    is_null_: bool | None = None


class FlowRunFilterWorkQueueName(Filter):
    """By the name of the work queue."""

    operator: Operator = Operator.and_
    any_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilterStateType(Filter):
    """By the kind of the state."""

    any_: list[StateType] | None = None
    not_any_: list[StateType] | None = None


class FlowRunFilterStateName(Filter):
    """By the name of the state."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class FlowRunFilterState(Filter):
    """By the current state."""

    operator: Operator = Operator.and_
    type: FlowRunFilterStateType | None = None
    name: FlowRunFilterStateName | None = None


class FlowRunFilterFlowVersion(Filter):
    """By the flow's version."""

    any_: list[str] | None = None


class FlowRunFilterStartTime(Filter):
    """By when the run started."""

    before_: Moment | None = None
    after_: Moment | None = None
    is_null_: bool | None = None


class FlowRunFilterEndTime(Filter):
    """By when the run ended."""

    before_: Moment | None = None
    after_: Moment | None = None
    is_null_: bool | None = None


class FlowRunFilterExpectedStartTime(Filter):
    """By when the run was first due."""

    before_: Moment | None = None
    after_: Moment | None = None


class FlowRunFilterNextScheduledStartTime(Filter):
    """By when the run is due next."""

    before_: Moment | None = None
    after_: Moment | None = None


class FlowRunFilterParentFlowRunId(Filter):
    """By the flow run that called this one."""

    operator: Operator = Operator.and_
    any_: list[UUID] | None = None


class FlowRunFilterParentTaskRunId(Filter):
    """By the task run that stands for this one in its parent."""

    operator: Operator = Operator.and_
    any_: list[UUID] | None = None
    is_null_: bool | None = None


class FlowRunFilterIdempotencyKey(Filter):
    """By idempotency key."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class FlowRunFilterCreatedBy(Filter):
    """By what made the run."""

    operator: Operator = Operator.and_
    id_: list[UUID] | None = None
    type_: list[str] | None = None
    is_null_: bool | None = None


class FlowRunFilter(Filter):
    """Which flow runs."""

    operator: Operator = Operator.and_
    id: FlowRunFilterId | None = None
    name: FlowRunFilterName | None = None
    tags: FlowRunFilterTags | None = None
    deployment_id: FlowRunFilterDeploymentId | None = None
    work_queue_name: FlowRunFilterWorkQueueName | None = None
    state: FlowRunFilterState | None = None
    flow_version: FlowRunFilterFlowVersion | None = None
    start_time: FlowRunFilterStartTime | None = None
    end_time: FlowRunFilterEndTime | None = None
    expected_start_time: FlowRunFilterExpectedStartTime | None = None
    next_scheduled_start_time: FlowRunFilterNextScheduledStartTime | None = None
    parent_flow_run_id: FlowRunFilterParentFlowRunId | None = None
    parent_task_run_id: FlowRunFilterParentTaskRunId | None = None
    idempotency_key: FlowRunFilterIdempotencyKey | None = None
    created_by: FlowRunFilterCreatedBy | None = None
