"""Work pools, their queues, and the workers that serve them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import StateType
from prefect.types import uuid7

__all__ = [
    "FlowRunSlotSummary",
    "QueueFilter",
    "WorkPool",
    "WorkPoolConcurrencyStatus",
    "WorkPoolCreate",
    "WorkPoolStatus",
    "WorkPoolStorageConfiguration",
    "WorkPoolUpdate",
    "WorkQueue",
    "WorkQueueConcurrencyStatus",
    "WorkQueueConcurrencyStatusDetail",
    "WorkQueueCreate",
    "WorkQueueHealthPolicy",
    "WorkQueueStatus",
    "WorkQueueStatusDetail",
    "WorkQueueUpdate",
    "Worker",
    "WorkerFlowRunResponse",
    "WorkerStatus",
]

Name = Annotated[str, Meta(pattern=r"^[^/%&><]+$")]
Limit = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Priority = Annotated[int, Meta(gt=0, le=2**31 - 1)]

_PLACEHOLDER = re.compile(r"{{\s*([\w.\-\[\]$]+)\s*}}")
_NO_VARIABLE = ("prefect.", "$")
"""What placeholders start with that stand for blocks, variables of the server and the environment."""


class WorkPoolStatus(StrEnum):
    """Whether runs of a work pool are carried out."""

    READY = "READY"
    """A worker is online."""
    NOT_READY = "NOT_READY"
    """No worker is online."""
    PAUSED = "PAUSED"
    """Nobody is given its runs."""


class WorkQueueStatus(StrEnum):
    """Whether runs of a work queue are carried out."""

    READY = "READY"
    """Somebody asked for its runs lately."""
    NOT_READY = "NOT_READY"
    """Nobody did."""
    PAUSED = "PAUSED"
    """Nobody is given its runs."""


class WorkerStatus(StrEnum):
    """Whether a worker works."""

    ONLINE = "ONLINE"
    """It was heard of lately."""
    OFFLINE = "OFFLINE"


class WorkPoolStorageConfiguration(Schema, forbid_unknown_fields=True):
    """How code and results travel between users and a work pool."""

    bundle_upload_step: dict[str, Any] | None = None
    bundle_execution_step: dict[str, Any] | None = None
    default_result_storage_block_id: UUID | None = None


class WorkPool(Schema):
    """Where runs go that workers of one kind carry out."""

    name: str
    type: str
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    description: str | None = None
    base_job_template: dict[str, Any] = msgspec.field(default_factory=dict)
    is_paused: bool = False
    concurrency_limit: int | None = None
    """How many of its runs may be under way at a time."""
    status: WorkPoolStatus | None = None
    """None: its type has no workers."""
    default_queue_id: UUID | None = None
    storage_configuration: WorkPoolStorageConfiguration = msgspec.field(
        default_factory=WorkPoolStorageConfiguration
    )
    active_slots: int | None = None
    """How many of its runs are under way; None where there is no limit."""

    @property
    def is_push_pool(self) -> bool:
        """Whether its runs are sent out rather than fetched."""
        return self.type.endswith(":push")

    @property
    def is_managed_pool(self) -> bool:
        """Whether its runs are carried out by who keeps it."""
        return self.type.endswith(":managed")


def _check_name(name: str) -> None:
    # Messages are checked as they are read; here it is for those who call operations in this process.
    if re.search(r"[/%&><]", name):
        raise ValueError(f"The name {name!r} must not contain any of / % & > <: no address can have it.")


class WorkPoolCreate(Schema, forbid_unknown_fields=True):
    """A work pool to be made."""

    name: Name
    description: str | None = None
    type: str = "prefect-agent"
    base_job_template: dict[str, Any] = msgspec.field(default_factory=dict)
    is_paused: bool = False
    concurrency_limit: Limit | None = None
    storage_configuration: WorkPoolStorageConfiguration = msgspec.field(
        default_factory=WorkPoolStorageConfiguration
    )

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("The name of a work pool must not be empty, nor only blanks.")
        _check_name(self.name)
        check_job_template(self.base_job_template)


class WorkPoolUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a work pool; what is left out stays."""

    description: str | UnsetType | None = UNSET
    is_paused: bool | UnsetType | None = UNSET
    base_job_template: dict[str, Any] | UnsetType | None = UNSET
    concurrency_limit: Limit | UnsetType | None = UNSET
    storage_configuration: WorkPoolStorageConfiguration | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.base_job_template, dict):
            check_job_template(self.base_job_template)


class QueueFilter(Schema):
    """Which runs a queue takes; kept for code that names it."""

    tags: list[str] | None = None
    deployment_ids: list[UUID] | None = None


class WorkQueue(Schema):
    """A line of runs within a work pool, that goes before others or after them."""

    name: str
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    description: str | None = ""
    is_paused: bool = False
    concurrency_limit: int | None = None
    priority: int = 1
    """1 comes first."""
    work_pool_id: UUID | None = None
    filter: QueueFilter | None = None
    last_polled: datetime | None = None
    work_pool_name: str | None = None
    status: WorkQueueStatus | None = None
    active_slots: int | None = None
    """How many of its runs are under way; None where there is no limit."""


class WorkQueueCreate(Schema, forbid_unknown_fields=True):
    """A work queue to be made."""

    name: Name
    description: str | None = ""
    is_paused: bool = False
    concurrency_limit: Limit | None = None
    priority: Priority | None = None
    """None: the first that is free."""
    filter: QueueFilter | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)


class WorkQueueUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a work queue; what is left out stays."""

    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    is_paused: bool | UnsetType = UNSET
    concurrency_limit: Limit | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    last_polled: datetime | UnsetType | None = UNSET
    filter: QueueFilter | UnsetType | None = UNSET


class Worker(Schema):
    """A process that fetches a work pool's runs and has them carried out."""

    name: str
    work_pool_id: UUID
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    last_heartbeat_time: datetime | None = None
    heartbeat_interval_seconds: int | None = None
    status: WorkerStatus = WorkerStatus.OFFLINE


class WorkerFlowRunResponse(Schema):
    """A run for a worker."""

    work_pool_id: UUID
    work_queue_id: UUID
    flow_run: FlowRun


class WorkQueueHealthPolicy(Schema):
    """When a queue is taken for healthy."""

    maximum_late_runs: int | None = 0
    maximum_seconds_since_last_polled: int | None = 60


class WorkQueueStatusDetail(Schema):
    """How a queue fares."""

    healthy: bool
    late_runs_count: int = 0
    last_polled: datetime | None = None
    health_check_policy: WorkQueueHealthPolicy = msgspec.field(default_factory=WorkQueueHealthPolicy)


class FlowRunSlotSummary(Schema):
    """A run that holds a slot."""

    id: UUID
    name: str
    state_type: StateType | None = None
    state_name: str | None = None
    start_time: datetime | None = None
    state_timestamp: datetime | None = None
    time_in_current_state: float | None = None
    """Seconds."""


class WorkQueueConcurrencyStatus(Schema):
    """Which runs hold the slots of a queue, a page of them."""

    active_slots: int
    count: int
    limit: int
    pages: int
    page: int
    concurrency_limit: int | None = None
    flow_runs: list[FlowRunSlotSummary] = msgspec.field(default_factory=list)


class WorkQueueConcurrencyStatusDetail(Schema):
    """Which runs hold the slots of one of a pool's queues."""

    queue_id: UUID
    queue_name: str
    active_slots: int
    concurrency_limit: int | None = None
    flow_runs: list[FlowRunSlotSummary] = msgspec.field(default_factory=list)
    flow_run_count: int | None = None


class WorkPoolConcurrencyStatus(Schema):
    """Which runs hold the slots of a pool, by queue, a page of these."""

    active_slots: int
    count: int
    limit: int
    pages: int
    page: int
    concurrency_limit: int | None = None
    queues: list[WorkQueueConcurrencyStatusDetail] = msgspec.field(default_factory=list)


def check_job_template(template: dict[str, Any]) -> None:
    """Refuse a job template that workers could not fill in; an empty one is none.

    Args:
        template: What a pool's jobs are made from: `job_configuration`, with placeholders for `variables`.

    Raises:
        ValueError: A part is missing, or a placeholder stands for no variable.
    """
    if not template:
        return
    configuration, variables = template.get("job_configuration"), template.get("variables")
    if not (configuration and isinstance(configuration, dict) and variables and isinstance(variables, dict)):
        raise ValueError(
            "The `base_job_template` must contain both a `job_configuration` key and a `variables` key."
        )
    named = {name.split(".")[0] for name in _placeholders(configuration)}
    if missing := sorted(named - set(variables.get("properties") or {})):
        raise ValueError(
            "The variables specified in the job configuration template must be present as properties in the "
            "variables schema. Your job configuration uses the following undeclared variable(s): "
            f"{', '.join(missing)}."
        )


def _placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (name for name in _PLACEHOLDER.findall(value) if not name.startswith(_NO_VARIABLE))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _placeholders(item)
    elif isinstance(value, list):
        for item in value:
            yield from _placeholders(item)
