"""All tables, for both databases.

SQLAlchemy composes SQL here, and nothing else: the drivers run it, and rows pass through
`prefect.store.codec` and `prefect.store.records` as plain texts and numbers, the same for both databases.
"""

from __future__ import annotations

from prefect.store.tables.automations import automation_actions, automation_buckets, event_followers
from prefect.store.tables.blocks import (
    block_document_references,
    block_documents,
    block_schema_references,
    block_schemas,
    block_types,
)
from prefect.store.tables.deployments import (
    deployment_schedules,
    deployments,
    work_pools,
    work_queues,
    workers,
)
from prefect.store.tables.events import events
from prefect.store.tables.kinds import Json, Time, metadata
from prefect.store.tables.limits import concurrency_leases, concurrency_limits, concurrency_slots
from prefect.store.tables.notes import (
    artifact_collections,
    artifacts,
    automations,
    configurations,
    flow_run_inputs,
    saved_searches,
    variables,
)
from prefect.store.tables.runs import (
    flow_run_states,
    flow_runs,
    flows,
    leases,
    logs,
    task_run_claims,
    task_runs,
)

__all__ = [
    "Json",
    "Time",
    "artifact_collections",
    "artifacts",
    "automation_actions",
    "automation_buckets",
    "automations",
    "block_document_references",
    "block_documents",
    "block_schema_references",
    "block_schemas",
    "block_types",
    "concurrency_leases",
    "concurrency_limits",
    "concurrency_slots",
    "configurations",
    "deployment_schedules",
    "deployments",
    "event_followers",
    "events",
    "flow_run_inputs",
    "flow_run_states",
    "flow_runs",
    "flows",
    "leases",
    "logs",
    "metadata",
    "saved_searches",
    "task_run_claims",
    "task_runs",
    "variables",
    "work_pools",
    "work_queues",
    "workers",
]
