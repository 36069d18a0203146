"""The frames of the workers' socket, under the path that existing code imports them from."""

from prefect.schemas.worker_channel import (
    CLEANUP_DELIVERY_CAPABILITY,
    REQUIRED_WORKER_CHANNEL_CAPABILITIES,
    WORK_POOL_SNAPSHOT_CAPABILITY,
    WORK_POOL_WORKER_CHANNEL_VERSION,
    WORKER_HEARTBEAT_CAPABILITY,
    ResolvedWorkQueue,
    WorkerHeartbeatFrame,
    WorkerHeartbeatPayload,
    WorkerHelloFrame,
    WorkerHelloPayload,
    WorkerReadyFrame,
    WorkerReadyPayload,
    WorkPoolSnapshotFrame,
    WorkPoolSnapshotPayload,
)

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
