"""Figures about runs: how many, how long, how late."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema
from prefect.schemas.filters import TaskRunFilter, WorkQueueFilter
from prefect.schemas.objects import TaskRun
from prefect.schemas.queries import FlowRunQuery, RunFilters
from prefect.schemas.sorting import FlowRunSort
from prefect.schemas.states import StateType

__all__ = [
    "CountByState",
    "DashboardQuery",
    "FlowIds",
    "FlowRunIds",
    "HistoryResponse",
    "HistoryResponseState",
    "SchemaValues",
    "SchemaValuesValidationResponse",
    "SimpleFlowRun",
    "SimpleFlowRunQuery",
    "SimpleNextFlowRun",
    "TaskRunCount",
    "UITaskRun",
]


class HistoryResponseState(Schema):
    """The runs of an interval that are in one state."""

    state_type: StateType
    state_name: str
    count_runs: int
    sum_estimated_run_time: float
    sum_estimated_lateness: float


class HistoryResponse(Schema):
    """The runs that were due in an interval."""

    interval_start: datetime
    interval_end: datetime
    states: list[HistoryResponseState]


class FlowRunIds(Schema):
    """Which flow runs."""

    flow_run_ids: list[UUID]


class FlowIds(Schema):
    """Which flows."""

    flow_ids: list[UUID]


class SimpleFlowRunQuery(FlowRunQuery):
    """A query of what a chart shows of flow runs."""

    most: ClassVar[int] = 1000
    """How many a chart shows."""

    sort: FlowRunSort = FlowRunSort.EXPECTED_START_TIME_DESC
    limit: int | None = 1000


class SimpleFlowRun(Schema):
    """What a chart shows of a flow run."""

    id: UUID
    state_type: StateType
    timestamp: datetime
    """When it started; before that, when it is due."""
    duration: float
    lateness: float


class SimpleNextFlowRun(Schema):
    """The run of a flow that is due next."""

    id: UUID
    flow_id: UUID
    name: str
    state_name: str
    state_type: StateType
    next_scheduled_start_time: datetime


class CountByState(Schema):
    """How many runs are in each kind of state."""

    COMPLETED: int = 0
    PENDING: int = 0
    RUNNING: int = 0
    FAILED: int = 0
    CANCELLED: int = 0
    CRASHED: int = 0
    PAUSED: int = 0
    CANCELLING: int = 0
    SCHEDULED: int = 0


class DashboardQuery(RunFilters, kw_only=True):
    """A query of how many task runs completed and failed in each part of a time."""

    task_runs: TaskRunFilter
    work_pool_queues: WorkQueueFilter | None = msgspec.field(name="work_queues", default=None)


class TaskRunCount(Schema):
    """How many task runs of a part of a time completed and failed."""

    completed: int = 0
    failed: int = 0


class UITaskRun(TaskRun, kw_only=True):
    """A task run with the name of its flow run."""

    flow_run_name: str | None = None


class SchemaValues(Schema, forbid_unknown_fields=True):
    """Values, and the JSON schema that they should fit."""

    schema: dict[str, Any]
    values: dict[str, Any]


class SchemaValuesValidationResponse(Schema):
    """What is wrong with values."""

    errors: list[Any]
    """Texts, and for members: `property` or `index` with `errors` of their own."""
    valid: bool
