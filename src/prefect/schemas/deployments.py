"""Deployments: flows that are run from elsewhere, with their schedules and defaults."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.concurrency import GlobalConcurrencyLimitResponse
from prefect.schemas.objects import CreatedBy, FlowRunPolicy
from prefect.schemas.schedules import AnySchedule, read_schedule
from prefect.schemas.states import State
from prefect.types import GivenLabels, KeyValueLabels

__all__ = [
    "BulkDeleted",
    "ConcurrencyLimitConfig",
    "ConcurrencyLimitStrategy",
    "ConcurrencyOptions",
    "Deployment",
    "DeploymentCreate",
    "DeploymentFlowRunCreate",
    "DeploymentResponse",
    "DeploymentSchedule",
    "DeploymentScheduleCreate",
    "DeploymentScheduleUpdate",
    "DeploymentStatus",
    "DeploymentUpdate",
    "FlowRunBulkCreateResponse",
    "FlowRunCreateResult",
    "VersionInfo",
]

Name = Annotated[str, Meta(pattern=r"^[^/%&><]*$")]
Positive = Annotated[int, Meta(gt=0, le=2**31 - 1)]
Slug = Annotated[str, Meta(max_length=255)]


class DeploymentStatus(StrEnum):
    """Whether somebody starts a deployment's runs."""

    READY = "READY"
    """A worker or a runner asked for its runs lately."""
    NOT_READY = "NOT_READY"
    """Nobody did."""


class ConcurrencyLimitStrategy(StrEnum):
    """What becomes of a run that a deployment's limit has no slot for."""

    ENQUEUE = "ENQUEUE"
    """It waits."""
    CANCEL_NEW = "CANCEL_NEW"
    """It is cancelled."""


class ConcurrencyOptions(Schema):
    """How a deployment's limit of runs at a time is kept."""

    collision_strategy: ConcurrencyLimitStrategy
    grace_period_seconds: Annotated[int, Meta(ge=60, le=86_400)] | None = None
    """How long a run that was given a slot may take until it starts; None: as the server has it."""


class ConcurrencyLimitConfig(Schema):
    """A deployment's limit of runs at a time, as users write it."""

    limit: int
    collision_strategy: ConcurrencyLimitStrategy = ConcurrencyLimitStrategy.ENQUEUE
    grace_period_seconds: int | None = None


class VersionInfo(Schema):
    """What a deployment's version is a version of; what else is said of it is kept elsewhere."""

    type: str
    version: str


class DeploymentSchedule(Schema):
    """When a deployment's runs start."""

    schedule: AnySchedule
    id: UUID
    created: datetime | None = None
    updated: datetime | None = None
    deployment_id: UUID | None = None
    active: bool = True
    max_scheduled_runs: Positive | None = None
    """How many runs are planned ahead, at most; None: as the server has it."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """What this schedule's runs get beside the deployment's parameters."""
    slug: str | None = None
    """A name of the user's own, by which a later deployment finds the schedule again."""

    def __post_init__(self) -> None:
        self.schedule = read_schedule(self.schedule)


class DeploymentScheduleCreate(Schema, forbid_unknown_fields=True):
    """A schedule to be made."""

    schedule: AnySchedule
    active: bool = True
    max_scheduled_runs: Positive | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    slug: Slug | None = None
    replaces: str | None = None
    """The slug of an older schedule, whose place this one takes."""

    def __post_init__(self) -> None:
        self.schedule = read_schedule(self.schedule)


class DeploymentScheduleUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a schedule; what is left out stays."""

    schedule: AnySchedule | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    max_scheduled_runs: Positive | UnsetType | None = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    slug: Slug | UnsetType | None = UNSET
    replaces: str | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.schedule is not UNSET and self.schedule is not None:
            self.schedule = read_schedule(self.schedule)


class Deployment(Schema):
    """A flow with what it takes to run it from elsewhere."""

    name: str
    flow_id: UUID
    id: UUID
    created: datetime | None = None
    updated: datetime | None = None
    version: str | None = None
    description: str | None = None
    paused: bool = False
    """Whether its schedules rest."""
    schedules: list[DeploymentSchedule] = msgspec.field(default_factory=list)
    concurrency_limit: int | None = None
    """None: `global_concurrency_limit` has it."""
    global_concurrency_limit: GlobalConcurrencyLimitResponse | None = None
    """How many of its runs are let run at a time."""
    concurrency_options: ConcurrencyOptions | None = None
    job_variables: dict[str, Any] = msgspec.field(default_factory=dict)
    """What its runs put in the place of the work pool's defaults."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    tags: list[str] = msgspec.field(default_factory=list)
    labels: KeyValueLabels = msgspec.field(default_factory=dict)
    work_queue_name: str | None = None
    work_queue_id: UUID | None = None
    last_polled: datetime | None = None
    """When somebody last asked for its runs."""
    parameter_openapi_schema: dict[str, Any] | None = None
    path: str | None = None
    """The directory that the entrypoint counts from."""
    pull_steps: list[dict[str, Any]] | None = None
    """What is done to get the code."""
    entrypoint: str | None = None
    storage_document_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    created_by: CreatedBy | None = None
    updated_by: CreatedBy | None = None


class DeploymentResponse(Deployment):
    """A deployment, as it is read and listed."""

    work_pool_name: str | None = None
    status: DeploymentStatus | None = DeploymentStatus.NOT_READY
    enforce_parameter_schema: bool = True
    """Whether parameters that do not fit the schema are refused."""


class DeploymentCreate(Schema, forbid_unknown_fields=True):
    """A deployment to be made. Of one that is there, what is left out stays, but for what has a default."""

    name: Name
    flow_id: UUID
    paused: bool | UnsetType = UNSET
    schedules: list[DeploymentScheduleCreate] = msgspec.field(default_factory=list)
    concurrency_limit: Positive | UnsetType | None = UNSET
    concurrency_options: ConcurrencyOptions | UnsetType | None = UNSET
    global_concurrency_limit_id: UUID | UnsetType | None = UNSET
    """A limit that others keep too."""
    enforce_parameter_schema: bool | UnsetType = UNSET
    parameter_openapi_schema: dict[str, Any] | UnsetType | None = UNSET
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    tags: list[str] | UnsetType = UNSET
    labels: GivenLabels | None = msgspec.field(default_factory=dict)
    pull_steps: list[dict[str, Any]] | UnsetType | None = UNSET
    work_queue_name: str | UnsetType | None = UNSET
    work_pool_name: str | UnsetType | None = UNSET
    storage_document_id: UUID | UnsetType | None = UNSET
    infrastructure_document_id: UUID | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    path: str | UnsetType | None = UNSET
    version: str | UnsetType | None = UNSET
    entrypoint: str | UnsetType | None = UNSET
    job_variables: dict[str, Any] | UnsetType = UNSET
    version_info: VersionInfo | UnsetType | None = UNSET


class DeploymentUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a deployment; what is left out stays."""

    version: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    paused: bool | UnsetType = UNSET
    schedules: list[DeploymentScheduleUpdate] | UnsetType = UNSET
    """In the place of all that it had."""
    concurrency_limit: Positive | UnsetType | None = UNSET
    concurrency_options: ConcurrencyOptions | UnsetType | None = UNSET
    global_concurrency_limit_id: UUID | UnsetType | None = UNSET
    parameters: dict[str, Any] | UnsetType | None = UNSET
    parameter_openapi_schema: dict[str, Any] | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    work_queue_name: str | UnsetType | None = UNSET
    work_pool_name: str | UnsetType | None = UNSET
    path: str | UnsetType | None = UNSET
    job_variables: dict[str, Any] | UnsetType | None = UNSET
    pull_steps: list[dict[str, Any]] | UnsetType | None = UNSET
    entrypoint: str | UnsetType | None = UNSET
    storage_document_id: UUID | UnsetType | None = UNSET
    infrastructure_document_id: UUID | UnsetType | None = UNSET
    enforce_parameter_schema: bool | UnsetType | None = UNSET
    version_info: VersionInfo | UnsetType | None = UNSET


class DeploymentFlowRunCreate(Schema, forbid_unknown_fields=True):
    """A run of a deployment to be made."""

    state: State[Any] | None = None
    """None: Scheduled, for now."""
    name: str | None = None
    """None: a generated one."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """In the place of the deployment's, each by its name."""
    enforce_parameter_schema: bool | None = None
    """None: as the deployment has it."""
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = msgspec.field(default_factory=FlowRunPolicy)
    tags: list[str] = msgspec.field(default_factory=list)
    """Beside the deployment's."""
    idempotency_key: str | None = None
    """A second run of the flow with the same key is not made: the first is given in its place."""
    labels: GivenLabels | None = msgspec.field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    work_queue_name: str | None = None
    """A queue of the deployment's work pool; None: the deployment's own."""
    job_variables: dict[str, Any] | None = msgspec.field(default_factory=dict)


class FlowRunCreateResult(Schema):
    """What became of one of several runs to be made."""

    flow_run_id: UUID | None = None
    status: Literal["CREATED", "FAILED"] = "CREATED"
    error: str | None = None


class FlowRunBulkCreateResponse(Schema):
    """What became of several runs to be made, in their order."""

    results: list[FlowRunCreateResult] = msgspec.field(default_factory=list)


class BulkDeleted(Schema):
    """What was deleted."""

    deleted: list[UUID] = msgspec.field(default_factory=list)
