"""What is sent to create or change objects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.objects import (
    Constant,
    FlowRunPolicy,
    FlowRunResult,
    Parameter,
    TaskRunPolicy,
    TaskRunResult,
)
from prefect.schemas.states import NO_DETAILS, State, StateDetails, StateType
from prefect.types import GivenLabels

__all__ = [
    "FlowCreate",
    "FlowRunCreate",
    "FlowRunResume",
    "FlowRunUpdate",
    "FlowUpdate",
    "LogCreate",
    "StateCreate",
    "TaskRunCreate",
    "TaskRunUpdate",
]


FlowName = Annotated[str, Meta(pattern=r"^[^/%&><]+$")]
"""The characters that are left out have a meaning in addresses."""


class FlowCreate(Schema, forbid_unknown_fields=True):
    """A flow to be made, unless one of its name is there."""

    name: FlowName
    tags: list[str] = msgspec.field(default_factory=list)
    labels: GivenLabels | None = msgspec.field(default_factory=dict)


class FlowUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a flow."""

    tags: list[str] | UnsetType = UNSET


class FlowRunCreate(Schema, forbid_unknown_fields=True):
    """A flow run to be made."""

    flow_id: UUID
    state: State[Any] | None = None
    """None: Pending."""
    name: str | None = None
    """None: a generated one."""
    flow_version: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = msgspec.field(default_factory=FlowRunPolicy)
    tags: list[str] = msgspec.field(default_factory=list)
    labels: GivenLabels | None = msgspec.field(default_factory=dict)
    idempotency_key: str | None = None
    """A second run of the flow with the same key is not made: the first is given in its place."""
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = msgspec.field(default_factory=dict)
    deployment_id: UUID | None = None
    id: UUID | None = None
    """An id of the caller's own; None: a new one."""


class FlowRunUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a flow run; what is left out stays."""

    name: str | UnsetType | None = UNSET
    flow_version: str | UnsetType | None = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    empirical_policy: FlowRunPolicy | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    infrastructure_pid: str | UnsetType | None = UNSET
    job_variables: dict[str, Any] | UnsetType | None = UNSET


class FlowRunResume(Schema, forbid_unknown_fields=True):
    """What a paused flow run is resumed with."""

    run_input: dict[str, Any] | None = None


class TaskRunCreate(Schema, forbid_unknown_fields=True):
    """A task run to be made."""

    task_key: str
    dynamic_key: str
    id: UUID | None = None
    """An id of the caller's own; None: a new one."""
    state: State[Any] | None = None
    """None: Pending."""
    name: str | None = None
    """None: a generated one."""
    flow_run_id: UUID | None = None
    cache_key: Annotated[str, Meta(max_length=2000)] | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = msgspec.field(default_factory=TaskRunPolicy)
    tags: list[str] = msgspec.field(default_factory=list)
    labels: GivenLabels | None = msgspec.field(default_factory=dict)
    task_inputs: dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]] = msgspec.field(
        default_factory=dict
    )


class TaskRunUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a task run."""

    name: str | UnsetType = UNSET


class LogCreate(Schema, forbid_unknown_fields=True):
    """A log record to be written."""

    name: str
    level: int
    message: str
    timestamp: datetime
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class StateCreate(Schema, forbid_unknown_fields=True):
    """A state for a run to enter."""

    type: StateType
    name: str | None = None
    message: str | None = None
    data: Any = None
    state_details: StateDetails = NO_DETAILS
