"""The frames that workers and servers exchange over the socket of a work pool."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from prefect.schemas.base import FrozenSchema
from prefect.schemas.work_pools import WorkPool
from prefect.types import now, uuid7

__all__ = [
    "CLEANUP_DELIVERY_CAPABILITY",
    "REQUIRED_WORKER_CHANNEL_CAPABILITIES",
    "WORKER_HEARTBEAT_CAPABILITY",
    "WORK_POOL_SNAPSHOT_CAPABILITY",
    "WORK_POOL_WORKER_CHANNEL_VERSION",
    "ResolvedWorkQueue",
    "WorkPoolSnapshotFrame",
    "WorkPoolSnapshotPayload",
    "WorkerHeartbeatFrame",
    "WorkerHeartbeatPayload",
    "WorkerHelloFrame",
    "WorkerHelloPayload",
    "WorkerReadyFrame",
    "WorkerReadyPayload",
]

WORK_POOL_WORKER_CHANNEL_VERSION = "work_pool_worker_channel.v1"
WORKER_HEARTBEAT_CAPABILITY = "worker_heartbeat.v1"
WORK_POOL_SNAPSHOT_CAPABILITY = "work_pool_snapshot.v1"
CLEANUP_DELIVERY_CAPABILITY = "cleanup_delivery.v1"
REQUIRED_WORKER_CHANNEL_CAPABILITIES = (WORKER_HEARTBEAT_CAPABILITY, WORK_POOL_SNAPSHOT_CAPABILITY)

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[int, Meta(gt=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0)]


class WorkerHelloPayload(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """Who a worker is, and what it can do."""

    consumer_id: UUID
    worker_name: Text
    worker_type: Text
    heartbeat_interval_seconds: Seconds
    supported_channel_versions: Annotated[list[Text], Meta(min_length=1)]
    requested_capabilities: Annotated[list[Text], Meta(min_length=1)]
    work_queue_names: list[Text] = msgspec.field(default_factory=list)
    """The queues that it serves; none: all."""
    handled_cleanup_kinds: list[Text] = msgspec.field(default_factory=list)
    max_cleanup_concurrency: Count = 0
    create_pool_if_not_found: bool = False
    default_base_job_template: dict[str, Any] = msgspec.field(default_factory=dict)
    worker_metadata: dict[str, Any] | None = None


class WorkerHelloFrame(
    FrozenSchema, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="worker.hello.v1"
):
    """What a worker sends first."""

    payload: WorkerHelloPayload
    id: UUID
    sent_at: datetime


class WorkerHeartbeatPayload(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """That a worker is there."""

    consumer_id: UUID
    worker_name: Text
    heartbeat_interval_seconds: Seconds


class WorkerHeartbeatFrame(
    FrozenSchema, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="worker.heartbeat.v1"
):
    """What a worker sends again and again."""

    payload: WorkerHeartbeatPayload
    id: UUID
    sent_at: datetime


class WorkPoolSnapshotPayload(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """A work pool as it is."""

    snapshot_sequence: int
    """Counts up from 1."""
    reason: str
    work_pool: WorkPool


class WorkPoolSnapshotFrame(
    FrozenSchema, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="work_pool.snapshot.v1"
):
    """What a server sends when a work pool has changed."""

    payload: WorkPoolSnapshotPayload
    id: UUID = msgspec.field(default_factory=uuid7)
    sent_at: datetime = msgspec.field(default_factory=now)


class ResolvedWorkQueue(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """A queue that a worker serves."""

    id: UUID
    name: str


class WorkerReadyPayload(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """What was agreed on."""

    consumer_id: UUID
    effective_heartbeat_interval_seconds: int
    accepted_capabilities: list[str]
    initial_snapshot: WorkPoolSnapshotPayload
    worker_id: UUID | None = None
    selected_channel_version: str = WORK_POOL_WORKER_CHANNEL_VERSION
    rejected_capabilities: list[str] = msgspec.field(default_factory=list)
    effective_max_cleanup_concurrency: int = 0
    resolved_work_queues: list[ResolvedWorkQueue] = msgspec.field(default_factory=list)


class WorkerReadyFrame(
    FrozenSchema, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="worker.ready.v1"
):
    """What a server answers."""

    payload: WorkerReadyPayload
    id: UUID = msgspec.field(default_factory=uuid7)
    sent_at: datetime = msgspec.field(default_factory=now)
