"""Deployments and their schedules, work pools, their queues and workers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Text, Uuid

from prefect.store.tables.kinds import Json, Time, object_table
from prefect.store.tables.runs import flows

__all__ = ["deployment_schedules", "deployments", "work_pools", "work_queues", "workers"]

work_pools = object_table(
    "work_pools",
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text),
    Column("type", Text, nullable=False),
    Column("base_job_template", Json, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("concurrency_limit", Integer),
    Column("default_queue_id", Uuid),
    Column("storage_configuration", Json, nullable=False),
)

work_queues = object_table(
    "work_queues",
    Column("work_pool_id", Uuid, ForeignKey(work_pools.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("is_paused", Boolean, nullable=False),
    Column("concurrency_limit", Integer),
    Column("priority", Integer, nullable=False),
    Column("last_polled", Time),
)
Index(None, work_queues.c.work_pool_id, work_queues.c.name, unique=True)

workers = object_table(
    "workers",
    Column("work_pool_id", Uuid, ForeignKey(work_pools.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("last_heartbeat_time", Time),
    Column("heartbeat_interval_seconds", Integer),
)
Index(None, workers.c.work_pool_id, workers.c.name, unique=True)

deployments = object_table(
    "deployments",
    Column("flow_id", Uuid, ForeignKey(flows.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text),
    Column("version_info", Json),
    Column("description", Text),
    Column("paused", Boolean, nullable=False),
    Column("global_concurrency_limit_id", Uuid),
    Column("concurrency_options", Json),
    Column("job_variables", Json, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("parameter_openapi_schema", Json),
    Column("enforce_parameter_schema", Boolean, nullable=False),
    Column("tags", Json, nullable=False),
    Column("labels", Json, nullable=False),
    # A deployment outlives the queue that it sends its runs to.
    Column("work_queue_id", Uuid, ForeignKey(work_queues.c.id, ondelete="SET NULL"), index=True),
    Column("work_queue_name", Text),
    Column("last_polled", Time),
    Column("path", Text),
    Column("pull_steps", Json),
    Column("entrypoint", Text),
    Column("storage_document_id", Uuid),
    Column("infrastructure_document_id", Uuid),
    Column("created_by", Json),
    Column("updated_by", Json),
)
Index(None, deployments.c.flow_id, deployments.c.name, unique=True)

deployment_schedules = object_table(
    "deployment_schedules",
    Column("deployment_id", Uuid, ForeignKey(deployments.c.id, ondelete="CASCADE"), nullable=False),
    Column("schedule", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("max_scheduled_runs", Integer),
    Column("parameters", Json, nullable=False),
    Column("slug", String(255)),
)
Index(None, deployment_schedules.c.deployment_id, deployment_schedules.c.slug, unique=True)
