"""What users and runs leave beside runs: variables, artifacts, inputs, searches, automations, keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Text, Uuid

from prefect.store.tables.kinds import ExactJson, Json, index_where, object_table
from prefect.store.tables.runs import flow_runs

__all__ = [
    "artifact_collections",
    "artifacts",
    "automations",
    "configurations",
    "flow_run_inputs",
    "saved_searches",
    "variables",
]

variables = object_table(
    "variables",
    Column("name", Text, nullable=False, unique=True),
    Column("value", ExactJson),
    Column("tags", Json, nullable=False),
)

artifacts = object_table(
    "artifacts",
    Column("key", Text),
    Column("type", Text),
    Column("description", Text),
    Column("data", ExactJson),
    Column("metadata_", Json),
    Column("flow_run_id", Uuid),
    Column("task_run_id", Uuid),
)
index_where(artifacts.c.key, artifacts.c.key.is_not(None))
index_where(artifacts.c.flow_run_id, artifacts.c.flow_run_id.is_not(None))
index_where(artifacts.c.task_run_id, artifacts.c.task_run_id.is_not(None))

artifact_collections = object_table(
    "artifact_collections",
    Column("key", Text, nullable=False, unique=True),
    Column("latest_id", Uuid, nullable=False),
)

flow_run_inputs = object_table(
    "flow_run_inputs",
    Column("flow_run_id", Uuid, ForeignKey(flow_runs.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("sender", Text),
)
Index(None, flow_run_inputs.c.flow_run_id, flow_run_inputs.c.key, unique=True)

saved_searches = object_table(
    "saved_searches",
    Column("name", Text, nullable=False, unique=True),
    Column("filters", Json, nullable=False),
)

automations = object_table(
    "automations",
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("tags", Json, nullable=False),
    Column("trigger", Json, nullable=False),
    Column("actions", Json, nullable=False),
    Column("actions_on_trigger", Json, nullable=False),
    Column("actions_on_resolve", Json, nullable=False),
    # The resource that it came with, as `prefect.deployment.<id>`.
    Column("owner", Text, index=True),
)

configurations = object_table(
    "configurations",
    Column("key", Text, nullable=False, unique=True),
    Column("value", Json, nullable=False),
)
