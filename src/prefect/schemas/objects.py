"""Flows, their runs, task runs and logs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import Finite, FrozenSchema, Schema
from prefect.schemas.states import State, StateType
from prefect.types import KeyValueLabels, uuid7

__all__ = [
    "Constant",
    "CreatedBy",
    "Flow",
    "FlowRun",
    "FlowRunPolicy",
    "FlowRunResult",
    "Log",
    "Parameter",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunRecord",
    "TaskRunResult",
]


class Flow(Schema):
    """A flow as the store knows it: a name that runs refer to."""

    name: str
    tags: list[str] = msgspec.field(default_factory=list)
    labels: KeyValueLabels = msgspec.field(default_factory=dict)
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None


class FlowRunPolicy(Schema):
    """How a flow run is retried, and what it remembers of pauses."""

    max_retries: int = 0
    retry_delay_seconds: Finite = 0
    retries: int | None = None
    retry_delay: int | Finite | None = None
    """Seconds."""
    pause_keys: list[str] | None = msgspec.field(default_factory=list)
    resuming: bool | None = False
    retry_type: str | None = None


class TaskRunPolicy(Schema):
    """How a task run is retried."""

    max_retries: int = 0
    retry_delay_seconds: Finite = 0
    retries: int | None = None
    retry_delay: int | Finite | list[int | Finite] | None = None
    """Seconds; a list has one for each retry."""
    retry_jitter_factor: Finite | None = None


class CreatedBy(Schema):
    """What made a run: a deployment, a schedule, an automation."""

    id: UUID | None = None
    type: str | None = None
    display_value: str | None = None


class FlowRun(Schema, weakref=True):
    """One run of a flow."""

    flow_id: UUID
    name: str = ""
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    state_id: UUID | None = None
    deployment_id: UUID | None = None
    deployment_version: str | None = None
    work_queue_id: UUID | None = None
    work_queue_name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    idempotency_key: str | None = None
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    empirical_policy: FlowRunPolicy = msgspec.field(default_factory=FlowRunPolicy)
    tags: list[str] = msgspec.field(default_factory=list)
    labels: KeyValueLabels = msgspec.field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: float = 0.0
    """Seconds in RUNNING states, closed ones only."""
    estimated_run_time: float = 0.0
    estimated_start_time_delta: float = 0.0
    auto_scheduled: bool = False
    infrastructure_document_id: UUID | None = None
    infrastructure_pid: str | None = None
    created_by: CreatedBy | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    state: State[Any] | None = None
    job_variables: dict[str, Any] | None = None


class TaskRunResult(FrozenSchema, tag_field="input_type", tag="task_run", frozen=True):
    """An input of a task run that another task run made."""

    id: UUID


class FlowRunResult(FrozenSchema, tag_field="input_type", tag="flow_run", frozen=True):
    """An input of a task run that a flow run made."""

    id: UUID


class Parameter(FrozenSchema, tag_field="input_type", tag="parameter", frozen=True):
    """An input of a task run that is a parameter of its flow."""

    name: str


class Constant(FrozenSchema, tag_field="input_type", tag="constant", frozen=True):
    """An input of a task run that is a constant."""

    type: str


class TaskRun(Schema, weakref=True):
    """One run of a task."""

    task_key: str
    dynamic_key: str
    flow_run_id: UUID | None = None
    name: str = ""
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = msgspec.field(default_factory=TaskRunPolicy)
    tags: list[str] = msgspec.field(default_factory=list)
    labels: KeyValueLabels = msgspec.field(default_factory=dict)
    state_id: UUID | None = None
    task_inputs: dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]] = msgspec.field(
        default_factory=dict
    )
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    flow_run_run_count: int = 0
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: float = 0.0
    """Seconds in RUNNING states, closed ones only."""
    estimated_run_time: float = 0.0
    estimated_start_time_delta: float = 0.0
    state: State[Any] | None = None


class TaskRunRecord(Schema):
    """A task run with its whole history, as it is written down in one row."""

    run: TaskRun
    states: list[State[Any]]
    """Oldest first; the last is the run's own."""
    follows: dict[UUID, UUID] = msgspec.field(default_factory=dict)
    """For states that were told by events: the state before, as the event says."""


class Holder(Schema):
    """The process that carries out a flow run."""

    host: str
    """See `prefect.types.processes.host_id`."""
    pid: int
    process_started: str
    """See `prefect.types.processes.started`."""


class Log(Schema):
    """One log record of a run."""

    name: str
    """The logger."""
    level: int
    message: str
    timestamp: datetime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
