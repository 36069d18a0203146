"""The tables that every run needs.

Ids are made in time order, so that new rows go to the end of every tree and a listing by id is a listing by
age. A task run is one row: its whole history is a JSON list beside the columns of its current state. Indexes
are few on what is written per task, because each costs as much as the row.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
)

from prefect.store.tables.kinds import Json, Time, index_where, metadata

__all__ = ["flow_run_states", "flow_runs", "flows", "leases", "logs", "task_run_claims", "task_runs"]

flows = Table(
    "flows",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created", Time, nullable=False),
    Column("updated", Time, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("tags", Json, nullable=False),
    Column("labels", Json, nullable=False),
)

flow_runs = Table(
    "flow_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created", Time, nullable=False),
    Column("updated", Time, nullable=False),
    Column("flow_id", Uuid, ForeignKey(flows.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state_id", Uuid),
    Column("state_type", String(16)),
    Column("state_name", Text),
    Column("state_timestamp", Time),
    Column("run_count", Integer, nullable=False),
    Column("expected_start_time", Time),
    Column("next_scheduled_start_time", Time),
    Column("start_time", Time),
    Column("end_time", Time),
    Column("total_run_time", Double, nullable=False),
    Column("deployment_id", Uuid),
    Column("deployment_version", Text),
    Column("work_queue_id", Uuid),
    Column("work_queue_name", Text),
    Column("work_pool_id", Uuid),
    Column("work_pool_name", Text),
    Column("flow_version", Text),
    Column("parameters", Json, nullable=False),
    Column("idempotency_key", Text),
    Column("context", Json, nullable=False),
    Column("empirical_policy", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("parent_task_run_id", Uuid),
    Column("auto_scheduled", Boolean, nullable=False),
    Column("infrastructure_document_id", Uuid),
    Column("infrastructure_pid", Text),
    Column("created_by", Json),
    Column("job_variables", Json),
)
index_where(flow_runs.c.deployment_id, flow_runs.c.deployment_id.is_not(None))
index_where(flow_runs.c.parent_task_run_id, flow_runs.c.parent_task_run_id.is_not(None))
Index(None, flow_runs.c.state_type, flow_runs.c.id)
index_where(flow_runs.c.next_scheduled_start_time, flow_runs.c.state_type == literal_column("'SCHEDULED'"))
Index(None, flow_runs.c.expected_start_time)
BEGUN = func.coalesce(flow_runs.c.start_time, flow_runs.c.expected_start_time)
"""When a flow run started, or is to start: what pages sort by."""
Index("ix_flow_runs_begun", BEGUN)
Index(None, flow_runs.c.flow_id, flow_runs.c.idempotency_key, unique=True)

flow_run_states = Table(
    "flow_run_states",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("flow_run_id", Uuid, ForeignKey(flow_runs.c.id, ondelete="CASCADE"), nullable=False),
    Column("type", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("message", Text),
    Column("timestamp", Time, nullable=False),
    Column("data", Json),
    Column("state_details", Json, nullable=False),
)
Index(None, flow_run_states.c.flow_run_id)

task_runs = Table(
    "task_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created", Time, nullable=False),
    Column("updated", Time, nullable=False),
    # No foreign key: records arrive behind the work, and one of them must not refuse a batch.
    Column("flow_run_id", Uuid),
    Column("name", Text, nullable=False),
    Column("task_key", Text, nullable=False),
    Column("dynamic_key", Text, nullable=False),
    Column("cache_key", Text),
    Column("cache_expiration", Time),
    Column("task_version", Text),
    Column("empirical_policy", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("task_inputs", Json, nullable=False),
    Column("run_count", Integer, nullable=False),
    Column("flow_run_run_count", Integer, nullable=False),
    Column("expected_start_time", Time),
    Column("next_scheduled_start_time", Time),
    Column("start_time", Time),
    Column("end_time", Time),
    Column("total_run_time", Double, nullable=False),
    Column("state_id", Uuid),
    Column("state_type", String(16)),
    Column("state_name", Text),
    Column("state_timestamp", Time),
    # The number of states so far: what tells a newer record of a run from an older one, whatever the clock
    # does.
    Column("state_count", Integer, nullable=False),
    Column("states", Json, nullable=False),
)
Index(None, task_runs.c.flow_run_id, task_runs.c.id)
# By its hash, because a key may be longer than PostgreSQL's trees take.
Index(
    None,
    task_runs.c.cache_key,
    sqlite_where=task_runs.c.cache_key.is_not(None),
    postgresql_where=task_runs.c.cache_key.is_not(None),
    postgresql_using="hash",
)

# What waits for a worker; of other runs, only those that wait for a retry are in it, for as long as they do.
index_where(task_runs.c.task_key, task_runs.c.state_type == literal_column("'SCHEDULED'"))

task_run_claims = Table(
    "task_run_claims",
    metadata,
    Column("task_run_id", Uuid, ForeignKey(task_runs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires", Time, nullable=False),
)

logs = Table(
    "logs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created", Time, nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("timestamp", Time, nullable=False),
    Column("flow_run_id", Uuid),
    Column("task_run_id", Uuid),
)
# A run's logs are read in this order, page by page.
Index(None, logs.c.flow_run_id, logs.c.timestamp, logs.c.id)
index_where(logs.c.task_run_id, logs.c.task_run_id.is_not(None))

leases = Table(
    "leases",
    metadata,
    Column("flow_run_id", Uuid, ForeignKey(flow_runs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("process_started", Text, nullable=False),
    Column("expires", Time, nullable=False),
)
