"""What the server tells of where runs are sent: work pools, their queues, and deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from prefect.operations.object_events import Labels, changes_between, named, tell_of_object
from prefect.schemas.deployments import DeploymentResponse
from prefect.schemas.work_pools import WorkPool, WorkQueue
from prefect.store.base import Connection
from prefect.store.queues import read_queue
from prefect.store.tables import deployments, flows, work_pools
from prefect.store.work_pools import AGENT, pools

__all__ = [
    "tell_deployment",
    "tell_deployment_changed",
    "tell_pool",
    "tell_pool_changed",
    "tell_queue",
    "tell_queue_changed",
]

_OF_POOLS = ("description", "base_job_template", "concurrency_limit", "storage_configuration")
_OF_QUEUES = ("name", "description", "concurrency_limit", "priority")
_OF_DEPLOYMENTS = (
    "version",
    "tags",
    "description",
    "paused",
    "parameters",
    "parameter_openapi_schema",
    "enforce_parameter_schema",
    "job_variables",
    "concurrency_options",
    "entrypoint",
    "path",
    "pull_steps",
    "work_queue_id",
    "work_queue_name",
)
_STATUS = frozenset(("ready", "not-ready", "paused"))


def tell_pool(
    connection: Connection,
    happened: str,
    pool: WorkPool,
    said: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Write the event of what happened to a work pool.

    Args:
        connection: The connection that makes the change.
        happened: What happened to it.
        pool: The pool.
        said: What is to be known of it.
        event_id: See `tell_of_object`.
    """
    labels = {"prefect.work-pool.type": pool.type}
    if happened not in _STATUS:
        labels["prefect.resource.role"] = "work-pool"
    related = []
    if happened in ("created", "deleted"):
        related = [named("work-queue", pool.default_queue_id, role="default-queue")]
    tell_of_object(connection, f"work-pool.{happened}", pool.id, pool.name, said, related, labels, event_id)


def tell_pool_changed(connection: Connection, before: WorkPool, after: WorkPool, *, is_staffed: bool) -> None:
    """Write the events of changes of a work pool.

    Args:
        connection: The connection that makes the change.
        before: The pool as it was.
        after: The pool as it is.
        is_staffed: Whether it has a worker that is there.
    """
    said = changes_between(before, after, _OF_POOLS)
    if said is not None:
        tell_pool(connection, "updated", after, said)
    if before.is_paused != after.is_paused and after.type != AGENT:
        tell_pool(connection, _status(after.is_paused, is_staffed), after)


def _status(is_paused: bool, is_ready: bool) -> str:
    if is_paused:
        return "paused"
    return "ready" if is_ready else "not-ready"


def tell_queue(
    connection: Connection,
    happened: str,
    queue: WorkQueue,
    said: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Write the event of what happened to a work queue.

    Args:
        connection: The connection that makes the change.
        happened: What happened to it.
        queue: The queue.
        said: What is to be known of it.
        event_id: See `tell_of_object`.
    """
    if not connection.keeps_events or queue.work_pool_id is None:
        return
    pool = pools.first(connection, work_pools.c.id == queue.work_pool_id.hex)
    related = [] if pool is None else [_of_pool(pool.id, pool.name, pool.type)]
    labels = {"prefect.resource.role": "work-queue"}
    tell_of_object(
        connection, f"work-queue.{happened}", queue.id, queue.name, said, related, labels, event_id
    )


def tell_queue_changed(
    connection: Connection, before: WorkQueue, after: WorkQueue, *, is_polled: bool
) -> None:
    """Write the events of changes of a work queue.

    Args:
        connection: The connection that makes the change.
        before: The queue as it was.
        after: The queue as it is.
        is_polled: Whether somebody asks for its runs.
    """
    said = changes_between(before, after, _OF_QUEUES)
    if said is not None:
        tell_queue(connection, "updated", after, said)
    if before.is_paused != after.is_paused:
        tell_queue(connection, _status(after.is_paused, is_polled), after)


def tell_deployment(
    connection: Connection,
    happened: str,
    deployment_id: UUID,
    said: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Write the event of what happened to a deployment, which is still or already there.

    Args:
        connection: The connection that makes the change.
        happened: What happened to it.
        deployment_id: The deployment.
        said: What is to be known of it.
        event_id: See `tell_of_object`.
    """
    if not connection.keeps_events:
        return
    column = deployments.c
    query = select(
        column.name, column.work_queue_id, column.global_concurrency_limit_id, flows.c.id, flows.c.name
    ).where(column.flow_id == flows.c.id, column.id == deployment_id.hex)
    for name, queue_id, limit_id, flow_id, flow_name in connection.select(query):
        related = [named("flow", UUID(str(flow_id)), flow_name), *_place(connection, queue_id)]
        if limit_id is not None:
            related.append(named("concurrency-limit", UUID(str(limit_id))))
        tell_of_object(
            connection, f"deployment.{happened}", deployment_id, name, said, related, event_id=event_id
        )


def tell_deployment_changed(
    connection: Connection, before: DeploymentResponse, after: DeploymentResponse
) -> None:
    """Write the event of changes of a deployment, if there are any.

    Args:
        connection: The connection that makes the change.
        before: The deployment as it was.
        after: The deployment as it is.
    """
    said = changes_between(before, after, _OF_DEPLOYMENTS)
    if said is not None:
        tell_deployment(connection, "updated", after.id, said)


def _place(connection: Connection, queue_id: Any) -> list[Labels]:
    queue = None if queue_id is None else read_queue(connection, UUID(str(queue_id)))
    if queue is None:
        return []
    kind = connection.select(select(work_pools.c.type).where(work_pools.c.id == queue.pool_id.hex))
    return [
        named("work-queue", queue.id, queue.name),
        _of_pool(queue.pool_id, queue.pool_name, kind[0][0] if kind else ""),
    ]


def _of_pool(pool_id: UUID, name: str, kind: str) -> Labels:
    return {**named("work-pool", pool_id, name), "prefect.work-pool.type": kind}
