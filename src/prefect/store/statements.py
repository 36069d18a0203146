"""Statements that every run needs, as text. Written by `python -m prefect.store.compile`."""

# ruff: noqa: E501
from __future__ import annotations

from prefect.store.statement import Condition, Listing, Statement

__all__ = [
    "SQLITE_SCHEMA",
    "POSTGRESQL_SCHEMA",
    "FLOW_BY_ID",
    "FLOW_BY_NAME",
    "UPDATE_FLOW",
    "INSERT_FLOW",
    "FLOW_RUN_BY_ID",
    "FLOW_RUN_TO_CHANGE",
    "FLOW_RUN_BY_KEY",
    "INSERT_FLOW_RUN",
    "INSERT_FLOW_RUN_STATE",
    "FLOW_RUN_STATES",
    "UPDATE_FLOW_RUN_PROGRESS",
    "UPDATE_FLOW_RUN",
    "TASK_RUN_BY_ID",
    "UNFINISHED_TASK_RUNS",
    "TASK_RUN_TO_CHANGE",
    "TASK_RUN_BY_KEY",
    "CACHED_TASK_RUNS",
    "INSERT_TASK_RUN",
    "UPSERT_TASK_RUN",
    "TASK_RUNS_TO_CHANGE",
    "INSERT_EVENT",
    "BUCKETS",
    "DROP_BUCKETS",
    "INSERT_BUCKET",
    "INSERT_ACTION",
    "INSERT_LOG",
    "LEASES",
    "LEASE_OF",
    "HOLD_LEASE",
    "RENEW_LEASE",
    "LIMITS_OF_NAMES",
    "DROP_LEASE",
    "RECENT_FLOWS",
    "FLOW_NAMES",
    "DEPLOYMENT_NAMES",
    "TASK_RUN_NAMES",
    "FLOW_RUN_IDS_BETWEEN",
    "TASK_RUN_IDS_BETWEEN",
    "FLOW_RUNS",
    "FLOW_RUNS_BY_EXPECTED_START",
    "FLOW_RUNS_BY_START",
    "FIRST_FLOW_RUNS",
    "FIRST_FLOW_RUNS_BY_EXPECTED_START",
    "FIRST_FLOW_RUNS_BY_START",
    "TASK_RUNS",
    "LOGS",
    "LATEST_LOGS",
    "FLOW_RUN_COUNT",
    "TASK_RUN_COUNT",
    "FLOW_RUN_CONDITIONS",
    "TASK_RUN_CONDITIONS",
    "LOG_CONDITIONS",
]

SQLITE_SCHEMA: tuple[str, ...] = (
    'CREATE TABLE artifact_collections ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, "key" TEXT NOT NULL, latest_id CHAR(32) NOT NULL, CONSTRAINT pk_artifact_collections PRIMARY KEY (id), CONSTRAINT uq_artifact_collections_key UNIQUE ("key") )',
    'CREATE TABLE artifacts ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, "key" TEXT, type TEXT, description TEXT, data TEXT, metadata_ TEXT, flow_run_id CHAR(32), task_run_id CHAR(32), CONSTRAINT pk_artifacts PRIMARY KEY (id) )',
    "CREATE INDEX ix_artifacts_flow_run_id ON artifacts (flow_run_id) WHERE flow_run_id IS NOT NULL",
    'CREATE INDEX ix_artifacts_key ON artifacts ("key") WHERE "key" IS NOT NULL',
    "CREATE INDEX ix_artifacts_task_run_id ON artifacts (task_run_id) WHERE task_run_id IS NOT NULL",
    "CREATE TABLE automation_actions ( id CHAR(32) NOT NULL, due VARCHAR(26) NOT NULL, action TEXT NOT NULL, CONSTRAINT pk_automation_actions PRIMARY KEY (id) )",
    "CREATE INDEX ix_automation_actions_due ON automation_actions (due)",
    'CREATE TABLE automations ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, enabled BOOLEAN NOT NULL, tags TEXT NOT NULL, "trigger" TEXT NOT NULL, actions TEXT NOT NULL, actions_on_trigger TEXT NOT NULL, actions_on_resolve TEXT NOT NULL, owner TEXT, CONSTRAINT pk_automations PRIMARY KEY (id) )',
    "CREATE INDEX ix_automations_owner ON automations (owner)",
    "CREATE TABLE block_types ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, slug TEXT NOT NULL, logo_url TEXT, documentation_url TEXT, description TEXT, code_example TEXT, is_protected BOOLEAN NOT NULL, CONSTRAINT pk_block_types PRIMARY KEY (id), CONSTRAINT uq_block_types_slug UNIQUE (slug) )",
    "CREATE TABLE concurrency_leases ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, expires VARCHAR(26) NOT NULL, holder TEXT, CONSTRAINT pk_concurrency_leases PRIMARY KEY (id) )",
    "CREATE INDEX ix_concurrency_leases_expires ON concurrency_leases (expires)",
    'CREATE TABLE concurrency_limits ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, "limit" INTEGER NOT NULL, active BOOLEAN NOT NULL, taken_slots DOUBLE NOT NULL, taken_at VARCHAR(26) NOT NULL, denied_slots INTEGER NOT NULL, slot_decay_per_second DOUBLE NOT NULL, avg_slot_occupancy_seconds DOUBLE NOT NULL, CONSTRAINT pk_concurrency_limits PRIMARY KEY (id), CONSTRAINT uq_concurrency_limits_name UNIQUE (name) )',
    'CREATE TABLE configurations ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, CONSTRAINT pk_configurations PRIMARY KEY (id), CONSTRAINT uq_configurations_key UNIQUE ("key") )',
    "CREATE TABLE event_followers ( name TEXT NOT NULL, mark TEXT NOT NULL, CONSTRAINT pk_event_followers PRIMARY KEY (name) )",
    "CREATE TABLE events ( position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, id CHAR(32) NOT NULL, occurred VARCHAR(26) NOT NULL, received VARCHAR(26) NOT NULL, event TEXT NOT NULL, resource_id TEXT NOT NULL, resource TEXT NOT NULL, related TEXT NOT NULL, payload TEXT NOT NULL, follows CHAR(32), CONSTRAINT uq_events_id UNIQUE (id) )",
    "CREATE INDEX ix_events_occurred_position ON events (occurred, position)",
    "CREATE INDEX ix_events_resource_id_occurred ON events (resource_id, occurred)",
    "CREATE TABLE flows ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL, labels TEXT NOT NULL, CONSTRAINT pk_flows PRIMARY KEY (id), CONSTRAINT uq_flows_name UNIQUE (name) )",
    "CREATE TABLE logs ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, name TEXT NOT NULL, level INTEGER NOT NULL, message TEXT NOT NULL, timestamp VARCHAR(26) NOT NULL, flow_run_id CHAR(32), task_run_id CHAR(32), CONSTRAINT pk_logs PRIMARY KEY (id) )",
    "CREATE INDEX ix_logs_flow_run_id_timestamp_id ON logs (flow_run_id, timestamp, id)",
    "CREATE INDEX ix_logs_task_run_id ON logs (task_run_id) WHERE task_run_id IS NOT NULL",
    "CREATE TABLE saved_searches ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, filters TEXT NOT NULL, CONSTRAINT pk_saved_searches PRIMARY KEY (id), CONSTRAINT uq_saved_searches_name UNIQUE (name) )",
    "CREATE TABLE task_runs ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, flow_run_id CHAR(32), name TEXT NOT NULL, task_key TEXT NOT NULL, dynamic_key TEXT NOT NULL, cache_key TEXT, cache_expiration VARCHAR(26), task_version TEXT, empirical_policy TEXT NOT NULL, tags TEXT NOT NULL, labels TEXT NOT NULL, task_inputs TEXT NOT NULL, run_count INTEGER NOT NULL, flow_run_run_count INTEGER NOT NULL, expected_start_time VARCHAR(26), next_scheduled_start_time VARCHAR(26), start_time VARCHAR(26), end_time VARCHAR(26), total_run_time DOUBLE NOT NULL, state_id CHAR(32), state_type VARCHAR(16), state_name TEXT, state_timestamp VARCHAR(26), state_count INTEGER NOT NULL, states TEXT NOT NULL, CONSTRAINT pk_task_runs PRIMARY KEY (id) )",
    "CREATE INDEX ix_task_runs_cache_key ON task_runs (cache_key) WHERE cache_key IS NOT NULL",
    "CREATE INDEX ix_task_runs_flow_run_id_id ON task_runs (flow_run_id, id)",
    "CREATE INDEX ix_task_runs_task_key ON task_runs (task_key) WHERE state_type = 'SCHEDULED'",
    "CREATE TABLE variables ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, value TEXT, tags TEXT NOT NULL, CONSTRAINT pk_variables PRIMARY KEY (id), CONSTRAINT uq_variables_name UNIQUE (name) )",
    "CREATE TABLE work_pools ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, description TEXT, type TEXT NOT NULL, base_job_template TEXT NOT NULL, is_paused BOOLEAN NOT NULL, concurrency_limit INTEGER, default_queue_id CHAR(32), storage_configuration TEXT NOT NULL, CONSTRAINT pk_work_pools PRIMARY KEY (id), CONSTRAINT uq_work_pools_name UNIQUE (name) )",
    'CREATE TABLE automation_buckets ( automation_id CHAR(32) NOT NULL, trigger_id CHAR(32) NOT NULL, "key" TEXT NOT NULL, due VARCHAR(26), bucket TEXT NOT NULL, CONSTRAINT pk_automation_buckets PRIMARY KEY (automation_id, trigger_id, "key"), CONSTRAINT fk_automation_buckets_automation_id_automations FOREIGN KEY(automation_id) REFERENCES automations (id) ON DELETE CASCADE )',
    "CREATE INDEX ix_automation_buckets_due ON automation_buckets (due)",
    "CREATE TABLE block_schemas ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, checksum TEXT NOT NULL, fields TEXT NOT NULL, block_type_id CHAR(32) NOT NULL, capabilities TEXT NOT NULL, version TEXT NOT NULL, CONSTRAINT pk_block_schemas PRIMARY KEY (id), CONSTRAINT fk_block_schemas_block_type_id_block_types FOREIGN KEY(block_type_id) REFERENCES block_types (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_schemas_block_type_id ON block_schemas (block_type_id)",
    "CREATE UNIQUE INDEX ix_block_schemas_checksum_version ON block_schemas (checksum, version)",
    "CREATE TABLE concurrency_slots ( lease_id CHAR(32) NOT NULL, limit_id CHAR(32) NOT NULL, slots INTEGER NOT NULL, CONSTRAINT pk_concurrency_slots PRIMARY KEY (lease_id, limit_id), CONSTRAINT fk_concurrency_slots_lease_id_concurrency_leases FOREIGN KEY(lease_id) REFERENCES concurrency_leases (id) ON DELETE CASCADE, CONSTRAINT fk_concurrency_slots_limit_id_concurrency_limits FOREIGN KEY(limit_id) REFERENCES concurrency_limits (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_concurrency_slots_limit_id ON concurrency_slots (limit_id)",
    "CREATE TABLE flow_runs ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, flow_id CHAR(32) NOT NULL, name TEXT NOT NULL, state_id CHAR(32), state_type VARCHAR(16), state_name TEXT, state_timestamp VARCHAR(26), run_count INTEGER NOT NULL, expected_start_time VARCHAR(26), next_scheduled_start_time VARCHAR(26), start_time VARCHAR(26), end_time VARCHAR(26), total_run_time DOUBLE NOT NULL, deployment_id CHAR(32), deployment_version TEXT, work_queue_id CHAR(32), work_queue_name TEXT, work_pool_id CHAR(32), work_pool_name TEXT, flow_version TEXT, parameters TEXT NOT NULL, idempotency_key TEXT, context TEXT NOT NULL, empirical_policy TEXT NOT NULL, tags TEXT NOT NULL, labels TEXT NOT NULL, parent_task_run_id CHAR(32), auto_scheduled BOOLEAN NOT NULL, infrastructure_document_id CHAR(32), infrastructure_pid TEXT, created_by TEXT, job_variables TEXT, CONSTRAINT pk_flow_runs PRIMARY KEY (id), CONSTRAINT fk_flow_runs_flow_id_flows FOREIGN KEY(flow_id) REFERENCES flows (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_flow_runs_begun ON flow_runs (coalesce(start_time, expected_start_time))",
    "CREATE INDEX ix_flow_runs_deployment_id ON flow_runs (deployment_id) WHERE deployment_id IS NOT NULL",
    "CREATE INDEX ix_flow_runs_expected_start_time ON flow_runs (expected_start_time)",
    "CREATE UNIQUE INDEX ix_flow_runs_flow_id_idempotency_key ON flow_runs (flow_id, idempotency_key)",
    "CREATE INDEX ix_flow_runs_next_scheduled_start_time ON flow_runs (next_scheduled_start_time) WHERE state_type = 'SCHEDULED'",
    "CREATE INDEX ix_flow_runs_parent_task_run_id ON flow_runs (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL",
    "CREATE INDEX ix_flow_runs_state_type_id ON flow_runs (state_type, id)",
    "CREATE TABLE task_run_claims ( task_run_id CHAR(32) NOT NULL, holder TEXT NOT NULL, expires VARCHAR(26) NOT NULL, CONSTRAINT pk_task_run_claims PRIMARY KEY (task_run_id), CONSTRAINT fk_task_run_claims_task_run_id_task_runs FOREIGN KEY(task_run_id) REFERENCES task_runs (id) ON DELETE CASCADE )",
    "CREATE TABLE work_queues ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, work_pool_id CHAR(32) NOT NULL, name TEXT NOT NULL, description TEXT, is_paused BOOLEAN NOT NULL, concurrency_limit INTEGER, priority INTEGER NOT NULL, last_polled VARCHAR(26), CONSTRAINT pk_work_queues PRIMARY KEY (id), CONSTRAINT fk_work_queues_work_pool_id_work_pools FOREIGN KEY(work_pool_id) REFERENCES work_pools (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_work_queues_work_pool_id_name ON work_queues (work_pool_id, name)",
    "CREATE TABLE workers ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, work_pool_id CHAR(32) NOT NULL, name TEXT NOT NULL, last_heartbeat_time VARCHAR(26), heartbeat_interval_seconds INTEGER, CONSTRAINT pk_workers PRIMARY KEY (id), CONSTRAINT fk_workers_work_pool_id_work_pools FOREIGN KEY(work_pool_id) REFERENCES work_pools (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_workers_work_pool_id_name ON workers (work_pool_id, name)",
    "CREATE TABLE block_documents ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, block_schema_id CHAR(32) NOT NULL, block_type_id CHAR(32) NOT NULL, is_anonymous BOOLEAN NOT NULL, CONSTRAINT pk_block_documents PRIMARY KEY (id), CONSTRAINT fk_block_documents_block_schema_id_block_schemas FOREIGN KEY(block_schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE, CONSTRAINT fk_block_documents_block_type_id_block_types FOREIGN KEY(block_type_id) REFERENCES block_types (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_documents_block_schema_id ON block_documents (block_schema_id)",
    "CREATE UNIQUE INDEX ix_block_documents_block_type_id_name ON block_documents (block_type_id, name)",
    "CREATE TABLE block_schema_references ( schema_id CHAR(32) NOT NULL, name TEXT NOT NULL, referred_schema_id CHAR(32) NOT NULL, CONSTRAINT pk_block_schema_references PRIMARY KEY (schema_id, name, referred_schema_id), CONSTRAINT fk_block_schema_references_schema_id_block_schemas FOREIGN KEY(schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE, CONSTRAINT fk_block_schema_references_referred_schema_id_block_schemas FOREIGN KEY(referred_schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE )",
    "CREATE TABLE deployments ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, flow_id CHAR(32) NOT NULL, name TEXT NOT NULL, version TEXT, version_info TEXT, description TEXT, paused BOOLEAN NOT NULL, global_concurrency_limit_id CHAR(32), concurrency_options TEXT, job_variables TEXT NOT NULL, parameters TEXT NOT NULL, parameter_openapi_schema TEXT, enforce_parameter_schema BOOLEAN NOT NULL, tags TEXT NOT NULL, labels TEXT NOT NULL, work_queue_id CHAR(32), work_queue_name TEXT, last_polled VARCHAR(26), path TEXT, pull_steps TEXT, entrypoint TEXT, storage_document_id CHAR(32), infrastructure_document_id CHAR(32), created_by TEXT, updated_by TEXT, CONSTRAINT pk_deployments PRIMARY KEY (id), CONSTRAINT fk_deployments_flow_id_flows FOREIGN KEY(flow_id) REFERENCES flows (id) ON DELETE CASCADE, CONSTRAINT fk_deployments_work_queue_id_work_queues FOREIGN KEY(work_queue_id) REFERENCES work_queues (id) ON DELETE SET NULL )",
    "CREATE UNIQUE INDEX ix_deployments_flow_id_name ON deployments (flow_id, name)",
    "CREATE INDEX ix_deployments_work_queue_id ON deployments (work_queue_id)",
    'CREATE TABLE flow_run_inputs ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, flow_run_id CHAR(32) NOT NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, sender TEXT, CONSTRAINT pk_flow_run_inputs PRIMARY KEY (id), CONSTRAINT fk_flow_run_inputs_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )',
    'CREATE UNIQUE INDEX ix_flow_run_inputs_flow_run_id_key ON flow_run_inputs (flow_run_id, "key")',
    "CREATE TABLE flow_run_states ( id CHAR(32) NOT NULL, flow_run_id CHAR(32) NOT NULL, type VARCHAR(16) NOT NULL, name TEXT NOT NULL, message TEXT, timestamp VARCHAR(26) NOT NULL, data TEXT, state_details TEXT NOT NULL, CONSTRAINT pk_flow_run_states PRIMARY KEY (id), CONSTRAINT fk_flow_run_states_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_flow_run_states_flow_run_id ON flow_run_states (flow_run_id)",
    "CREATE TABLE leases ( flow_run_id CHAR(32) NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL, process_started TEXT NOT NULL, expires VARCHAR(26) NOT NULL, CONSTRAINT pk_leases PRIMARY KEY (flow_run_id), CONSTRAINT fk_leases_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )",
    "CREATE TABLE block_document_references ( document_id CHAR(32) NOT NULL, name TEXT NOT NULL, referred_document_id CHAR(32) NOT NULL, CONSTRAINT pk_block_document_references PRIMARY KEY (document_id, name), CONSTRAINT fk_block_document_references_document_id_block_documents FOREIGN KEY(document_id) REFERENCES block_documents (id) ON DELETE CASCADE, CONSTRAINT fk_block_document_references_referred_document_id_block_documents FOREIGN KEY(referred_document_id) REFERENCES block_documents (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_document_references_referred_document_id ON block_document_references (referred_document_id)",
    "CREATE TABLE deployment_schedules ( id CHAR(32) NOT NULL, created VARCHAR(26) NOT NULL, updated VARCHAR(26) NOT NULL, deployment_id CHAR(32) NOT NULL, schedule TEXT NOT NULL, active BOOLEAN NOT NULL, max_scheduled_runs INTEGER, parameters TEXT NOT NULL, slug VARCHAR(255), CONSTRAINT pk_deployment_schedules PRIMARY KEY (id), CONSTRAINT fk_deployment_schedules_deployment_id_deployments FOREIGN KEY(deployment_id) REFERENCES deployments (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_deployment_schedules_deployment_id_slug ON deployment_schedules (deployment_id, slug)",
    "CREATE TABLE proconsul_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO proconsul_version (version_num) VALUES ('0004')",
)

POSTGRESQL_SCHEMA: tuple[str, ...] = (
    "CREATE TABLE artifact_collections ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, key TEXT NOT NULL, latest_id UUID NOT NULL, CONSTRAINT pk_artifact_collections PRIMARY KEY (id), CONSTRAINT uq_artifact_collections_key UNIQUE (key) )",
    "CREATE TABLE artifacts ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, key TEXT, type TEXT, description TEXT, data TEXT, metadata_ JSONB, flow_run_id UUID, task_run_id UUID, CONSTRAINT pk_artifacts PRIMARY KEY (id) )",
    "CREATE INDEX ix_artifacts_flow_run_id ON artifacts (flow_run_id) WHERE flow_run_id IS NOT NULL",
    "CREATE INDEX ix_artifacts_key ON artifacts (key) WHERE key IS NOT NULL",
    "CREATE INDEX ix_artifacts_task_run_id ON artifacts (task_run_id) WHERE task_run_id IS NOT NULL",
    "CREATE TABLE automation_actions ( id UUID NOT NULL, due TIMESTAMP WITH TIME ZONE NOT NULL, action TEXT NOT NULL, CONSTRAINT pk_automation_actions PRIMARY KEY (id) )",
    "CREATE INDEX ix_automation_actions_due ON automation_actions (due)",
    "CREATE TABLE automations ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, enabled BOOLEAN NOT NULL, tags JSONB NOT NULL, trigger JSONB NOT NULL, actions JSONB NOT NULL, actions_on_trigger JSONB NOT NULL, actions_on_resolve JSONB NOT NULL, owner TEXT, CONSTRAINT pk_automations PRIMARY KEY (id) )",
    "CREATE INDEX ix_automations_owner ON automations (owner)",
    "CREATE TABLE block_types ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, slug TEXT NOT NULL, logo_url TEXT, documentation_url TEXT, description TEXT, code_example TEXT, is_protected BOOLEAN NOT NULL, CONSTRAINT pk_block_types PRIMARY KEY (id), CONSTRAINT uq_block_types_slug UNIQUE (slug) )",
    "CREATE TABLE concurrency_leases ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, expires TIMESTAMP WITH TIME ZONE NOT NULL, holder JSONB, CONSTRAINT pk_concurrency_leases PRIMARY KEY (id) )",
    "CREATE INDEX ix_concurrency_leases_expires ON concurrency_leases (expires)",
    'CREATE TABLE concurrency_limits ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, "limit" INTEGER NOT NULL, active BOOLEAN NOT NULL, taken_slots DOUBLE PRECISION NOT NULL, taken_at TIMESTAMP WITH TIME ZONE NOT NULL, denied_slots INTEGER NOT NULL, slot_decay_per_second DOUBLE PRECISION NOT NULL, avg_slot_occupancy_seconds DOUBLE PRECISION NOT NULL, CONSTRAINT pk_concurrency_limits PRIMARY KEY (id), CONSTRAINT uq_concurrency_limits_name UNIQUE (name) )',
    "CREATE TABLE configurations ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, key TEXT NOT NULL, value JSONB NOT NULL, CONSTRAINT pk_configurations PRIMARY KEY (id), CONSTRAINT uq_configurations_key UNIQUE (key) )",
    "CREATE TABLE event_followers ( name TEXT NOT NULL, mark TEXT NOT NULL, CONSTRAINT pk_event_followers PRIMARY KEY (name) )",
    "CREATE TABLE events ( position BIGSERIAL NOT NULL, id UUID NOT NULL, occurred TIMESTAMP WITH TIME ZONE NOT NULL, received TIMESTAMP WITH TIME ZONE NOT NULL, event TEXT NOT NULL, resource_id TEXT NOT NULL, resource TEXT NOT NULL, related TEXT NOT NULL, payload TEXT NOT NULL, follows UUID, CONSTRAINT pk_events PRIMARY KEY (position), CONSTRAINT uq_events_id UNIQUE (id) )",
    "CREATE INDEX ix_events_occurred_position ON events (occurred, position)",
    "CREATE INDEX ix_events_resource_id_occurred ON events (resource_id, occurred)",
    "CREATE TABLE flows ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, tags JSONB NOT NULL, labels JSONB NOT NULL, CONSTRAINT pk_flows PRIMARY KEY (id), CONSTRAINT uq_flows_name UNIQUE (name) )",
    "CREATE TABLE logs ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, level INTEGER NOT NULL, message TEXT NOT NULL, timestamp TIMESTAMP WITH TIME ZONE NOT NULL, flow_run_id UUID, task_run_id UUID, CONSTRAINT pk_logs PRIMARY KEY (id) )",
    "CREATE INDEX ix_logs_flow_run_id_timestamp_id ON logs (flow_run_id, timestamp, id)",
    "CREATE INDEX ix_logs_task_run_id ON logs (task_run_id) WHERE task_run_id IS NOT NULL",
    "CREATE TABLE saved_searches ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, filters JSONB NOT NULL, CONSTRAINT pk_saved_searches PRIMARY KEY (id), CONSTRAINT uq_saved_searches_name UNIQUE (name) )",
    "CREATE TABLE task_runs ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, flow_run_id UUID, name TEXT NOT NULL, task_key TEXT NOT NULL, dynamic_key TEXT NOT NULL, cache_key TEXT, cache_expiration TIMESTAMP WITH TIME ZONE, task_version TEXT, empirical_policy JSONB NOT NULL, tags JSONB NOT NULL, labels JSONB NOT NULL, task_inputs JSONB NOT NULL, run_count INTEGER NOT NULL, flow_run_run_count INTEGER NOT NULL, expected_start_time TIMESTAMP WITH TIME ZONE, next_scheduled_start_time TIMESTAMP WITH TIME ZONE, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, total_run_time DOUBLE PRECISION NOT NULL, state_id UUID, state_type VARCHAR(16), state_name TEXT, state_timestamp TIMESTAMP WITH TIME ZONE, state_count INTEGER NOT NULL, states JSONB NOT NULL, CONSTRAINT pk_task_runs PRIMARY KEY (id) )",
    "CREATE INDEX ix_task_runs_cache_key ON task_runs USING hash (cache_key) WHERE cache_key IS NOT NULL",
    "CREATE INDEX ix_task_runs_flow_run_id_id ON task_runs (flow_run_id, id)",
    "CREATE INDEX ix_task_runs_task_key ON task_runs (task_key) WHERE state_type = 'SCHEDULED'",
    "CREATE TABLE variables ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, value TEXT, tags JSONB NOT NULL, CONSTRAINT pk_variables PRIMARY KEY (id), CONSTRAINT uq_variables_name UNIQUE (name) )",
    "CREATE TABLE work_pools ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, description TEXT, type TEXT NOT NULL, base_job_template JSONB NOT NULL, is_paused BOOLEAN NOT NULL, concurrency_limit INTEGER, default_queue_id UUID, storage_configuration JSONB NOT NULL, CONSTRAINT pk_work_pools PRIMARY KEY (id), CONSTRAINT uq_work_pools_name UNIQUE (name) )",
    "CREATE TABLE automation_buckets ( automation_id UUID NOT NULL, trigger_id UUID NOT NULL, key TEXT NOT NULL, due TIMESTAMP WITH TIME ZONE, bucket TEXT NOT NULL, CONSTRAINT pk_automation_buckets PRIMARY KEY (automation_id, trigger_id, key), CONSTRAINT fk_automation_buckets_automation_id_automations FOREIGN KEY(automation_id) REFERENCES automations (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_automation_buckets_due ON automation_buckets (due)",
    "CREATE TABLE block_schemas ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, checksum TEXT NOT NULL, fields TEXT NOT NULL, block_type_id UUID NOT NULL, capabilities JSONB NOT NULL, version TEXT NOT NULL, CONSTRAINT pk_block_schemas PRIMARY KEY (id), CONSTRAINT fk_block_schemas_block_type_id_block_types FOREIGN KEY(block_type_id) REFERENCES block_types (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_schemas_block_type_id ON block_schemas (block_type_id)",
    "CREATE UNIQUE INDEX ix_block_schemas_checksum_version ON block_schemas (checksum, version)",
    "CREATE TABLE concurrency_slots ( lease_id UUID NOT NULL, limit_id UUID NOT NULL, slots INTEGER NOT NULL, CONSTRAINT pk_concurrency_slots PRIMARY KEY (lease_id, limit_id), CONSTRAINT fk_concurrency_slots_lease_id_concurrency_leases FOREIGN KEY(lease_id) REFERENCES concurrency_leases (id) ON DELETE CASCADE, CONSTRAINT fk_concurrency_slots_limit_id_concurrency_limits FOREIGN KEY(limit_id) REFERENCES concurrency_limits (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_concurrency_slots_limit_id ON concurrency_slots (limit_id)",
    "CREATE TABLE flow_runs ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, flow_id UUID NOT NULL, name TEXT NOT NULL, state_id UUID, state_type VARCHAR(16), state_name TEXT, state_timestamp TIMESTAMP WITH TIME ZONE, run_count INTEGER NOT NULL, expected_start_time TIMESTAMP WITH TIME ZONE, next_scheduled_start_time TIMESTAMP WITH TIME ZONE, start_time TIMESTAMP WITH TIME ZONE, end_time TIMESTAMP WITH TIME ZONE, total_run_time DOUBLE PRECISION NOT NULL, deployment_id UUID, deployment_version TEXT, work_queue_id UUID, work_queue_name TEXT, work_pool_id UUID, work_pool_name TEXT, flow_version TEXT, parameters JSONB NOT NULL, idempotency_key TEXT, context JSONB NOT NULL, empirical_policy JSONB NOT NULL, tags JSONB NOT NULL, labels JSONB NOT NULL, parent_task_run_id UUID, auto_scheduled BOOLEAN NOT NULL, infrastructure_document_id UUID, infrastructure_pid TEXT, created_by JSONB, job_variables JSONB, CONSTRAINT pk_flow_runs PRIMARY KEY (id), CONSTRAINT fk_flow_runs_flow_id_flows FOREIGN KEY(flow_id) REFERENCES flows (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_flow_runs_begun ON flow_runs (coalesce(start_time, expected_start_time))",
    "CREATE INDEX ix_flow_runs_deployment_id ON flow_runs (deployment_id) WHERE deployment_id IS NOT NULL",
    "CREATE INDEX ix_flow_runs_expected_start_time ON flow_runs (expected_start_time)",
    "CREATE UNIQUE INDEX ix_flow_runs_flow_id_idempotency_key ON flow_runs (flow_id, idempotency_key)",
    "CREATE INDEX ix_flow_runs_next_scheduled_start_time ON flow_runs (next_scheduled_start_time) WHERE state_type = 'SCHEDULED'",
    "CREATE INDEX ix_flow_runs_parent_task_run_id ON flow_runs (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL",
    "CREATE INDEX ix_flow_runs_state_type_id ON flow_runs (state_type, id)",
    "CREATE TABLE task_run_claims ( task_run_id UUID NOT NULL, holder TEXT NOT NULL, expires TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_task_run_claims PRIMARY KEY (task_run_id), CONSTRAINT fk_task_run_claims_task_run_id_task_runs FOREIGN KEY(task_run_id) REFERENCES task_runs (id) ON DELETE CASCADE )",
    "CREATE TABLE work_queues ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, work_pool_id UUID NOT NULL, name TEXT NOT NULL, description TEXT, is_paused BOOLEAN NOT NULL, concurrency_limit INTEGER, priority INTEGER NOT NULL, last_polled TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_work_queues PRIMARY KEY (id), CONSTRAINT fk_work_queues_work_pool_id_work_pools FOREIGN KEY(work_pool_id) REFERENCES work_pools (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_work_queues_work_pool_id_name ON work_queues (work_pool_id, name)",
    "CREATE TABLE workers ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, work_pool_id UUID NOT NULL, name TEXT NOT NULL, last_heartbeat_time TIMESTAMP WITH TIME ZONE, heartbeat_interval_seconds INTEGER, CONSTRAINT pk_workers PRIMARY KEY (id), CONSTRAINT fk_workers_work_pool_id_work_pools FOREIGN KEY(work_pool_id) REFERENCES work_pools (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_workers_work_pool_id_name ON workers (work_pool_id, name)",
    "CREATE TABLE block_documents ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, block_schema_id UUID NOT NULL, block_type_id UUID NOT NULL, is_anonymous BOOLEAN NOT NULL, CONSTRAINT pk_block_documents PRIMARY KEY (id), CONSTRAINT fk_block_documents_block_schema_id_block_schemas FOREIGN KEY(block_schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE, CONSTRAINT fk_block_documents_block_type_id_block_types FOREIGN KEY(block_type_id) REFERENCES block_types (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_documents_block_schema_id ON block_documents (block_schema_id)",
    "CREATE UNIQUE INDEX ix_block_documents_block_type_id_name ON block_documents (block_type_id, name)",
    "CREATE TABLE block_schema_references ( schema_id UUID NOT NULL, name TEXT NOT NULL, referred_schema_id UUID NOT NULL, CONSTRAINT pk_block_schema_references PRIMARY KEY (schema_id, name, referred_schema_id), CONSTRAINT fk_block_schema_references_schema_id_block_schemas FOREIGN KEY(schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE, CONSTRAINT fk_block_schema_references_referred_schema_id_block_schemas FOREIGN KEY(referred_schema_id) REFERENCES block_schemas (id) ON DELETE CASCADE )",
    "CREATE TABLE deployments ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, flow_id UUID NOT NULL, name TEXT NOT NULL, version TEXT, version_info JSONB, description TEXT, paused BOOLEAN NOT NULL, global_concurrency_limit_id UUID, concurrency_options JSONB, job_variables JSONB NOT NULL, parameters JSONB NOT NULL, parameter_openapi_schema JSONB, enforce_parameter_schema BOOLEAN NOT NULL, tags JSONB NOT NULL, labels JSONB NOT NULL, work_queue_id UUID, work_queue_name TEXT, last_polled TIMESTAMP WITH TIME ZONE, path TEXT, pull_steps JSONB, entrypoint TEXT, storage_document_id UUID, infrastructure_document_id UUID, created_by JSONB, updated_by JSONB, CONSTRAINT pk_deployments PRIMARY KEY (id), CONSTRAINT fk_deployments_flow_id_flows FOREIGN KEY(flow_id) REFERENCES flows (id) ON DELETE CASCADE, CONSTRAINT fk_deployments_work_queue_id_work_queues FOREIGN KEY(work_queue_id) REFERENCES work_queues (id) ON DELETE SET NULL )",
    "CREATE UNIQUE INDEX ix_deployments_flow_id_name ON deployments (flow_id, name)",
    "CREATE INDEX ix_deployments_work_queue_id ON deployments (work_queue_id)",
    "CREATE TABLE flow_run_inputs ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, flow_run_id UUID NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, sender TEXT, CONSTRAINT pk_flow_run_inputs PRIMARY KEY (id), CONSTRAINT fk_flow_run_inputs_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_flow_run_inputs_flow_run_id_key ON flow_run_inputs (flow_run_id, key)",
    "CREATE TABLE flow_run_states ( id UUID NOT NULL, flow_run_id UUID NOT NULL, type VARCHAR(16) NOT NULL, name TEXT NOT NULL, message TEXT, timestamp TIMESTAMP WITH TIME ZONE NOT NULL, data JSONB, state_details JSONB NOT NULL, CONSTRAINT pk_flow_run_states PRIMARY KEY (id), CONSTRAINT fk_flow_run_states_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_flow_run_states_flow_run_id ON flow_run_states (flow_run_id)",
    "CREATE TABLE leases ( flow_run_id UUID NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL, process_started TEXT NOT NULL, expires TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_leases PRIMARY KEY (flow_run_id), CONSTRAINT fk_leases_flow_run_id_flow_runs FOREIGN KEY(flow_run_id) REFERENCES flow_runs (id) ON DELETE CASCADE )",
    "CREATE TABLE block_document_references ( document_id UUID NOT NULL, name TEXT NOT NULL, referred_document_id UUID NOT NULL, CONSTRAINT pk_block_document_references PRIMARY KEY (document_id, name), CONSTRAINT fk_block_document_references_document_id_block_documents FOREIGN KEY(document_id) REFERENCES block_documents (id) ON DELETE CASCADE, CONSTRAINT fk_block_document_references_referred_document_id_block_552f FOREIGN KEY(referred_document_id) REFERENCES block_documents (id) ON DELETE CASCADE )",
    "CREATE INDEX ix_block_document_references_referred_document_id ON block_document_references (referred_document_id)",
    "CREATE TABLE deployment_schedules ( id UUID NOT NULL, created TIMESTAMP WITH TIME ZONE NOT NULL, updated TIMESTAMP WITH TIME ZONE NOT NULL, deployment_id UUID NOT NULL, schedule JSONB NOT NULL, active BOOLEAN NOT NULL, max_scheduled_runs INTEGER, parameters JSONB NOT NULL, slug VARCHAR(255), CONSTRAINT pk_deployment_schedules PRIMARY KEY (id), CONSTRAINT fk_deployment_schedules_deployment_id_deployments FOREIGN KEY(deployment_id) REFERENCES deployments (id) ON DELETE CASCADE )",
    "CREATE UNIQUE INDEX ix_deployment_schedules_deployment_id_slug ON deployment_schedules (deployment_id, slug)",
    "CREATE TABLE proconsul_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO proconsul_version (version_num) VALUES ('0004')",
)

FLOW_BY_ID = Statement(
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows WHERE flows.id = ?",
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows WHERE flows.id = %s::UUID",
)

FLOW_BY_NAME = Statement(
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows WHERE flows.name = ?",
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows WHERE flows.name = %s::VARCHAR",
)

UPDATE_FLOW = Statement(
    "UPDATE flows SET updated=?, tags=?, labels=? WHERE flows.id = ?",
    "UPDATE flows SET updated=%s::TIMESTAMP WITH TIME ZONE, tags=%s::JSONB, labels=%s::JSONB WHERE flows.id = %s::UUID",
)

INSERT_FLOW = Statement(
    "INSERT INTO flows (id, created, updated, name, tags, labels) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO flows (id, created, updated, name, tags, labels) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR, %s::JSONB, %s::JSONB) ON CONFLICT DO NOTHING",
)

FLOW_RUN_BY_ID = Statement(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id = ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id = %s::UUID",
)

FLOW_RUN_TO_CHANGE = Statement(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id = ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id = %s::UUID FOR UPDATE OF flow_runs",
)

FLOW_RUN_BY_KEY = Statement(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.flow_id = ? AND flow_runs.idempotency_key = ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.flow_id = %s::UUID AND flow_runs.idempotency_key = %s::VARCHAR",
)

INSERT_FLOW_RUN = Statement(
    "INSERT INTO flow_runs (id, created, updated, flow_id, name, state_id, state_type, state_name, state_timestamp, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, deployment_id, deployment_version, work_queue_id, work_queue_name, work_pool_id, work_pool_name, flow_version, parameters, idempotency_key, context, empirical_policy, tags, labels, parent_task_run_id, auto_scheduled, infrastructure_document_id, infrastructure_pid, created_by, job_variables) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO flow_runs (id, created, updated, flow_id, name, state_id, state_type, state_name, state_timestamp, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, deployment_id, deployment_version, work_queue_id, work_queue_name, work_pool_id, work_pool_name, flow_version, parameters, idempotency_key, context, empirical_policy, tags, labels, parent_task_run_id, auto_scheduled, infrastructure_document_id, infrastructure_pid, created_by, job_variables) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::UUID, %s::VARCHAR, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::INTEGER, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::DOUBLE PRECISION, %s::UUID, %s::VARCHAR, %s::UUID, %s::VARCHAR, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::JSONB, %s::VARCHAR, %s::JSONB, %s::JSONB, %s::JSONB, %s::JSONB, %s::UUID, %s::BOOLEAN, %s::UUID, %s::VARCHAR, %s::JSONB, %s::JSONB) ON CONFLICT DO NOTHING",
)

INSERT_FLOW_RUN_STATE = Statement(
    "INSERT INTO flow_run_states (id, flow_run_id, type, name, message, timestamp, data, state_details) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO flow_run_states (id, flow_run_id, type, name, message, timestamp, data, state_details) VALUES (%s::UUID, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::JSONB, %s::JSONB) ON CONFLICT DO NOTHING",
)

FLOW_RUN_STATES = Statement(
    "SELECT flow_run_states.id, flow_run_states.flow_run_id, flow_run_states.type, flow_run_states.name, flow_run_states.message, flow_run_states.timestamp, flow_run_states.data, flow_run_states.state_details FROM flow_run_states WHERE flow_run_states.flow_run_id = ? ORDER BY flow_run_states.timestamp, flow_run_states.id",
    "SELECT flow_run_states.id, flow_run_states.flow_run_id, flow_run_states.type, flow_run_states.name, flow_run_states.message, flow_run_states.timestamp, flow_run_states.data, flow_run_states.state_details FROM flow_run_states WHERE flow_run_states.flow_run_id = %s::UUID ORDER BY flow_run_states.timestamp, flow_run_states.id",
)

UPDATE_FLOW_RUN_PROGRESS = Statement(
    "UPDATE flow_runs SET updated=?, state_id=?, state_type=?, state_name=?, state_timestamp=?, run_count=?, expected_start_time=?, next_scheduled_start_time=?, start_time=?, end_time=?, total_run_time=?, empirical_policy=? WHERE flow_runs.id = ?",
    "UPDATE flow_runs SET updated=%s::TIMESTAMP WITH TIME ZONE, state_id=%s::UUID, state_type=%s::VARCHAR, state_name=%s::VARCHAR, state_timestamp=%s::TIMESTAMP WITH TIME ZONE, run_count=%s::INTEGER, expected_start_time=%s::TIMESTAMP WITH TIME ZONE, next_scheduled_start_time=%s::TIMESTAMP WITH TIME ZONE, start_time=%s::TIMESTAMP WITH TIME ZONE, end_time=%s::TIMESTAMP WITH TIME ZONE, total_run_time=%s::DOUBLE PRECISION, empirical_policy=%s::JSONB WHERE flow_runs.id = %s::UUID",
)

UPDATE_FLOW_RUN = Statement(
    "UPDATE flow_runs SET updated=?, name=?, flow_version=?, parameters=?, empirical_policy=?, tags=?, infrastructure_pid=?, job_variables=? WHERE flow_runs.id = ?",
    "UPDATE flow_runs SET updated=%s::TIMESTAMP WITH TIME ZONE, name=%s::VARCHAR, flow_version=%s::VARCHAR, parameters=%s::JSONB, empirical_policy=%s::JSONB, tags=%s::JSONB, infrastructure_pid=%s::VARCHAR, job_variables=%s::JSONB WHERE flow_runs.id = %s::UUID",
)

TASK_RUN_BY_ID = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id = ?",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id = %s::UUID",
)

UNFINISHED_TASK_RUNS = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.flow_run_id = ? AND ((task_runs.state_type NOT IN ('COMPLETED', 'CANCELLED', 'FAILED', 'CRASHED')) OR task_runs.state_type IS NULL)",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.flow_run_id = %s::UUID AND ((task_runs.state_type NOT IN ('COMPLETED', 'CANCELLED', 'FAILED', 'CRASHED')) OR task_runs.state_type IS NULL)",
)

TASK_RUN_TO_CHANGE = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id = ?",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id = %s::UUID FOR UPDATE",
)

TASK_RUN_BY_KEY = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.flow_run_id = ? AND task_runs.task_key = ? AND task_runs.dynamic_key = ?",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.flow_run_id = %s::UUID AND task_runs.task_key = %s::VARCHAR AND task_runs.dynamic_key = %s::VARCHAR",
)

CACHED_TASK_RUNS = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.cache_key = ? AND task_runs.state_type = 'COMPLETED' AND task_runs.state_name != 'Cached' AND (task_runs.cache_expiration IS NULL OR task_runs.cache_expiration > ?) ORDER BY task_runs.id DESC LIMIT ? OFFSET ?",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.cache_key = %s::VARCHAR AND task_runs.state_type = 'COMPLETED' AND task_runs.state_name != 'Cached' AND (task_runs.cache_expiration IS NULL OR task_runs.cache_expiration > %s::TIMESTAMP WITH TIME ZONE) ORDER BY task_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

INSERT_TASK_RUN = Statement(
    "INSERT INTO task_runs (id, created, updated, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, tags, labels, task_inputs, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name, state_timestamp, state_count, states) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO task_runs (id, created, updated, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, tags, labels, task_inputs, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name, state_timestamp, state_count, states) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR, %s::JSONB, %s::JSONB, %s::JSONB, %s::JSONB, %s::INTEGER, %s::INTEGER, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::DOUBLE PRECISION, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::INTEGER, %s::JSONB) ON CONFLICT DO NOTHING",
)

UPSERT_TASK_RUN = Statement(
    "INSERT INTO task_runs (id, created, updated, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, tags, labels, task_inputs, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name, state_timestamp, state_count, states) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET updated = excluded.updated, flow_run_id = excluded.flow_run_id, name = excluded.name, task_key = excluded.task_key, dynamic_key = excluded.dynamic_key, cache_key = excluded.cache_key, cache_expiration = excluded.cache_expiration, task_version = excluded.task_version, empirical_policy = excluded.empirical_policy, tags = excluded.tags, labels = excluded.labels, task_inputs = excluded.task_inputs, run_count = excluded.run_count, flow_run_run_count = excluded.flow_run_run_count, expected_start_time = excluded.expected_start_time, next_scheduled_start_time = excluded.next_scheduled_start_time, start_time = excluded.start_time, end_time = excluded.end_time, total_run_time = excluded.total_run_time, state_id = excluded.state_id, state_type = excluded.state_type, state_name = excluded.state_name, state_timestamp = excluded.state_timestamp, state_count = excluded.state_count, states = excluded.states WHERE excluded.state_count >= task_runs.state_count",
    "INSERT INTO task_runs (id, created, updated, flow_run_id, name, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, tags, labels, task_inputs, run_count, flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name, state_timestamp, state_count, states) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR, %s::JSONB, %s::JSONB, %s::JSONB, %s::JSONB, %s::INTEGER, %s::INTEGER, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::DOUBLE PRECISION, %s::UUID, %s::VARCHAR, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::INTEGER, %s::JSONB) ON CONFLICT (id) DO UPDATE SET updated = excluded.updated, flow_run_id = excluded.flow_run_id, name = excluded.name, task_key = excluded.task_key, dynamic_key = excluded.dynamic_key, cache_key = excluded.cache_key, cache_expiration = excluded.cache_expiration, task_version = excluded.task_version, empirical_policy = excluded.empirical_policy, tags = excluded.tags, labels = excluded.labels, task_inputs = excluded.task_inputs, run_count = excluded.run_count, flow_run_run_count = excluded.flow_run_run_count, expected_start_time = excluded.expected_start_time, next_scheduled_start_time = excluded.next_scheduled_start_time, start_time = excluded.start_time, end_time = excluded.end_time, total_run_time = excluded.total_run_time, state_id = excluded.state_id, state_type = excluded.state_type, state_name = excluded.state_name, state_timestamp = excluded.state_timestamp, state_count = excluded.state_count, states = excluded.states WHERE excluded.state_count >= task_runs.state_count",
)

TASK_RUNS_TO_CHANGE = Statement(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id IN (SELECT value FROM json_each(?)) ORDER BY task_runs.id",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value)) ORDER BY task_runs.id FOR UPDATE",
)

INSERT_EVENT = Statement(
    "INSERT INTO events (id, occurred, received, event, resource_id, resource, related, payload, follows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO events (id, occurred, received, event, resource_id, resource, related, payload, follows) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::UUID) ON CONFLICT DO NOTHING",
)

BUCKETS = Statement(
    'SELECT automation_buckets."key", automation_buckets.bucket FROM automation_buckets WHERE automation_buckets.automation_id = ? AND automation_buckets.trigger_id = ? AND automation_buckets."key" IN (SELECT value FROM json_each(?))',
    "SELECT automation_buckets.key, automation_buckets.bucket FROM automation_buckets WHERE automation_buckets.automation_id = %s::UUID AND automation_buckets.trigger_id = %s::UUID AND automation_buckets.key = ANY (ARRAY(SELECT value FROM jsonb_array_elements_text(%s::JSONB) AS item(value)))",
)

DROP_BUCKETS = Statement(
    'DELETE FROM automation_buckets WHERE automation_buckets.automation_id = ? AND automation_buckets.trigger_id = ? AND automation_buckets."key" IN (SELECT value FROM json_each(?))',
    "DELETE FROM automation_buckets WHERE automation_buckets.automation_id = %s::UUID AND automation_buckets.trigger_id = %s::UUID AND automation_buckets.key = ANY (ARRAY(SELECT value FROM jsonb_array_elements_text(%s::JSONB) AS item(value)))",
)

INSERT_BUCKET = Statement(
    'INSERT INTO automation_buckets (automation_id, trigger_id, "key", due, bucket) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    "INSERT INTO automation_buckets (automation_id, trigger_id, key, due, bucket) VALUES (%s::UUID, %s::UUID, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR) ON CONFLICT DO NOTHING",
)

INSERT_ACTION = Statement(
    "INSERT INTO automation_actions (id, due, action) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO automation_actions (id, due, action) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR) ON CONFLICT DO NOTHING",
)

INSERT_LOG = Statement(
    "INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id, task_run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id, task_run_id) VALUES (%s::UUID, %s::TIMESTAMP WITH TIME ZONE, %s::VARCHAR, %s::INTEGER, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE, %s::UUID, %s::UUID) ON CONFLICT DO NOTHING",
)

LEASES = Statement(
    "SELECT leases.flow_run_id, leases.host, leases.pid, leases.process_started, leases.expires FROM leases",
    "SELECT leases.flow_run_id, leases.host, leases.pid, leases.process_started, leases.expires FROM leases",
)

LEASE_OF = Statement(
    "SELECT leases.flow_run_id, leases.host, leases.pid, leases.process_started, leases.expires FROM leases WHERE leases.flow_run_id = ?",
    "SELECT leases.flow_run_id, leases.host, leases.pid, leases.process_started, leases.expires FROM leases WHERE leases.flow_run_id = %s::UUID FOR UPDATE",
)

HOLD_LEASE = Statement(
    "INSERT INTO leases (flow_run_id, host, pid, process_started, expires) VALUES (?, ?, ?, ?, ?) ON CONFLICT (flow_run_id) DO UPDATE SET host = excluded.host, pid = excluded.pid, process_started = excluded.process_started, expires = excluded.expires",
    "INSERT INTO leases (flow_run_id, host, pid, process_started, expires) VALUES (%s::UUID, %s::VARCHAR, %s::BIGINT, %s::VARCHAR, %s::TIMESTAMP WITH TIME ZONE) ON CONFLICT (flow_run_id) DO UPDATE SET host = excluded.host, pid = excluded.pid, process_started = excluded.process_started, expires = excluded.expires",
)

RENEW_LEASE = Statement(
    "UPDATE leases SET host=replace(leases.host, 'late:', ''), expires=? WHERE leases.flow_run_id = ?",
    "UPDATE leases SET host=replace(leases.host, 'late:', ''), expires=%s::TIMESTAMP WITH TIME ZONE WHERE leases.flow_run_id = %s::UUID",
)

LIMITS_OF_NAMES = Statement(
    "SELECT concurrency_limits.id, concurrency_limits.name FROM concurrency_limits WHERE concurrency_limits.name IN (SELECT value FROM json_each(?))",
    "SELECT concurrency_limits.id, concurrency_limits.name FROM concurrency_limits WHERE concurrency_limits.name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
)

DROP_LEASE = Statement(
    "DELETE FROM leases WHERE leases.flow_run_id = ?",
    "DELETE FROM leases WHERE leases.flow_run_id = %s::UUID",
)

RECENT_FLOWS = Statement(
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows ORDER BY flows.created DESC, flows.id DESC LIMIT ? OFFSET ?",
    "SELECT flows.id, flows.created, flows.updated, flows.name, flows.tags, flows.labels FROM flows ORDER BY flows.created DESC, flows.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

FLOW_NAMES = Statement(
    "SELECT flows.id, flows.name FROM flows WHERE flows.id IN (SELECT value FROM json_each(?))",
    "SELECT flows.id, flows.name FROM flows WHERE flows.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
)

DEPLOYMENT_NAMES = Statement(
    "SELECT deployments.id, deployments.name FROM deployments WHERE deployments.id IN (SELECT value FROM json_each(?))",
    "SELECT deployments.id, deployments.name FROM deployments WHERE deployments.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
)

TASK_RUN_NAMES = Statement(
    "SELECT task_runs.id, task_runs.name FROM task_runs WHERE task_runs.id IN (SELECT value FROM json_each(?))",
    "SELECT task_runs.id, task_runs.name FROM task_runs WHERE task_runs.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
)

FLOW_RUN_IDS_BETWEEN = Statement(
    "SELECT flow_runs.id FROM flow_runs WHERE flow_runs.id >= ? AND flow_runs.id <= ? ORDER BY flow_runs.id LIMIT ? OFFSET ?",
    "SELECT flow_runs.id FROM flow_runs WHERE flow_runs.id >= %s::UUID AND flow_runs.id <= %s::UUID ORDER BY flow_runs.id LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

TASK_RUN_IDS_BETWEEN = Statement(
    "SELECT task_runs.id FROM task_runs WHERE task_runs.id >= ? AND task_runs.id <= ? ORDER BY task_runs.id LIMIT ? OFFSET ?",
    "SELECT task_runs.id FROM task_runs WHERE task_runs.id >= %s::UUID AND task_runs.id <= %s::UUID ORDER BY task_runs.id LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

FLOW_RUNS = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY flow_runs.id DESC LIMIT ? OFFSET ?) ORDER BY flow_runs.id DESC",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER) ORDER BY flow_runs.id DESC",
)

FLOW_RUNS_BY_EXPECTED_START = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC LIMIT ? OFFSET ?) ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER) ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC",
)

FLOW_RUNS_BY_START = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC LIMIT ? OFFSET ?) ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE flow_runs.id IN (SELECT flow_runs.id FROM flow_runs WHERE _conditions_ ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER) ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC",
)

FIRST_FLOW_RUNS = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY flow_runs.id DESC LIMIT ? OFFSET ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

FIRST_FLOW_RUNS_BY_EXPECTED_START = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC LIMIT ? OFFSET ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY flow_runs.expected_start_time DESC, flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

FIRST_FLOW_RUNS_BY_START = Listing(
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC LIMIT ? OFFSET ?",
    "SELECT flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.flow_id, flow_runs.name, flow_runs.state_id, flow_runs.state_type, flow_runs.state_name, flow_run_states.timestamp AS joined_timestamp, flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time, flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time, flow_runs.deployment_id, flow_runs.deployment_version, flow_runs.work_queue_id, flow_runs.work_queue_name, flow_runs.work_pool_id, flow_runs.work_pool_name, flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context, flow_runs.empirical_policy, flow_runs.tags, flow_runs.labels, flow_runs.parent_task_run_id, flow_runs.auto_scheduled, flow_runs.infrastructure_document_id, flow_runs.infrastructure_pid, flow_runs.created_by, flow_runs.job_variables, flow_run_states.message AS state_message_, flow_run_states.data AS state_data_, flow_run_states.state_details AS state_state_details_ FROM flow_runs LEFT OUTER JOIN flow_run_states ON flow_run_states.id = flow_runs.state_id WHERE _conditions_ ORDER BY coalesce(flow_runs.start_time, flow_runs.expected_start_time) DESC, flow_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

TASK_RUNS = Listing(
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id IN (SELECT task_runs.id FROM task_runs WHERE _conditions_ ORDER BY task_runs.id DESC LIMIT ? OFFSET ?) ORDER BY task_runs.id DESC",
    "SELECT task_runs.id, task_runs.created, task_runs.updated, task_runs.flow_run_id, task_runs.name, task_runs.task_key, task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version, task_runs.empirical_policy, task_runs.tags, task_runs.labels, task_runs.task_inputs, task_runs.run_count, task_runs.flow_run_run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time, task_runs.start_time, task_runs.end_time, task_runs.total_run_time, task_runs.state_id, task_runs.state_type, task_runs.state_name, task_runs.state_timestamp, task_runs.state_count, task_runs.states FROM task_runs WHERE task_runs.id IN (SELECT task_runs.id FROM task_runs WHERE _conditions_ ORDER BY task_runs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER) ORDER BY task_runs.id DESC",
)

LOGS = Listing(
    "SELECT logs.id, logs.created, logs.name, logs.level, logs.message, logs.timestamp, logs.flow_run_id, logs.task_run_id FROM logs WHERE _conditions_ ORDER BY logs.timestamp, logs.id LIMIT ? OFFSET ?",
    "SELECT logs.id, logs.created, logs.name, logs.level, logs.message, logs.timestamp, logs.flow_run_id, logs.task_run_id FROM logs WHERE _conditions_ ORDER BY logs.timestamp, logs.id LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

LATEST_LOGS = Listing(
    "SELECT logs.id, logs.created, logs.name, logs.level, logs.message, logs.timestamp, logs.flow_run_id, logs.task_run_id FROM logs WHERE _conditions_ ORDER BY logs.timestamp DESC, logs.id DESC LIMIT ? OFFSET ?",
    "SELECT logs.id, logs.created, logs.name, logs.level, logs.message, logs.timestamp, logs.flow_run_id, logs.task_run_id FROM logs WHERE _conditions_ ORDER BY logs.timestamp DESC, logs.id DESC LIMIT %s::INTEGER OFFSET %s::INTEGER",
)

FLOW_RUN_COUNT = Listing(
    "SELECT count(*) AS count_1 FROM (SELECT flow_runs.id AS id FROM flow_runs WHERE _conditions_ LIMIT ? OFFSET ?) AS anon_1",
    "SELECT count(*) AS count_1 FROM (SELECT flow_runs.id AS id FROM flow_runs WHERE _conditions_ LIMIT %s::INTEGER OFFSET %s::INTEGER) AS anon_1",
)

TASK_RUN_COUNT = Listing(
    "SELECT count(*) AS count_1 FROM (SELECT task_runs.id AS id FROM task_runs WHERE _conditions_ LIMIT ? OFFSET ?) AS anon_1",
    "SELECT count(*) AS count_1 FROM (SELECT task_runs.id AS id FROM task_runs WHERE _conditions_ LIMIT %s::INTEGER OFFSET %s::INTEGER) AS anon_1",
)

FLOW_RUN_CONDITIONS = {
    "flows.name.any_": Condition(
        Statement(
            "flow_runs.flow_id IN (SELECT flows.id FROM flows WHERE flows.name IN (?))",
            "flow_runs.flow_id IN (SELECT flows.id FROM flows WHERE flows.name IN (%s::VARCHAR))",
        ),
        Statement(
            "flow_runs.flow_id IN (SELECT flows.id FROM flows WHERE flows.name IN (SELECT value FROM json_each(?)))",
            "flow_runs.flow_id IN (SELECT flows.id FROM flows WHERE flows.name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value)))",
        ),
    ),
    "flow_runs.id.any_": Condition(
        Statement(
            "flow_runs.id IN (?)",
            "flow_runs.id IN (%s::UUID)",
        ),
        Statement(
            "flow_runs.id IN (SELECT value FROM json_each(?))",
            "flow_runs.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "flow_runs.name.any_": Condition(
        Statement(
            "flow_runs.name IN (?)",
            "flow_runs.name IN (%s::VARCHAR)",
        ),
        Statement(
            "flow_runs.name IN (SELECT value FROM json_each(?))",
            "flow_runs.name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "flow_runs.tags.all_": Condition(
        Statement(
            "EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(flow_runs.tags) THEN flow_runs.tags END) AS item WHERE item.value = ?)",
            "flow_runs.tags @> jsonb_build_array(%s::VARCHAR::text)",
        ),
        Statement(
            "NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each(CASE WHEN json_valid(flow_runs.tags) THEN flow_runs.tags END)))",
            "flow_runs.tags @> %s::JSONB",
        ),
    ),
    "flow_runs.state.type.any_": Condition(
        Statement(
            "flow_runs.state_type IN (?)",
            "flow_runs.state_type IN (%s::VARCHAR)",
        ),
        Statement(
            "flow_runs.state_type IN (SELECT value FROM json_each(?))",
            "flow_runs.state_type IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "flow_runs.state.name.any_": Condition(
        Statement(
            "flow_runs.state_name IN (?)",
            "flow_runs.state_name IN (%s::VARCHAR)",
        ),
        Statement(
            "flow_runs.state_name IN (SELECT value FROM json_each(?))",
            "flow_runs.state_name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "flow_runs.expected_start_time.before_": Condition(
        Statement(
            "flow_runs.expected_start_time <= ?",
            "flow_runs.expected_start_time <= %s::TIMESTAMP WITH TIME ZONE",
        ),
    ),
    "flow_runs.expected_start_time.after_": Condition(
        Statement(
            "flow_runs.expected_start_time >= ?",
            "flow_runs.expected_start_time >= %s::TIMESTAMP WITH TIME ZONE",
        ),
    ),
}

TASK_RUN_CONDITIONS = {
    "task_runs.id.any_": Condition(
        Statement(
            "task_runs.id IN (?)",
            "task_runs.id IN (%s::UUID)",
        ),
        Statement(
            "task_runs.id IN (SELECT value FROM json_each(?))",
            "task_runs.id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "task_runs.name.any_": Condition(
        Statement(
            "task_runs.name IN (?)",
            "task_runs.name IN (%s::VARCHAR)",
        ),
        Statement(
            "task_runs.name IN (SELECT value FROM json_each(?))",
            "task_runs.name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "task_runs.tags.all_": Condition(
        Statement(
            "EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(task_runs.tags) THEN task_runs.tags END) AS item WHERE item.value = ?)",
            "task_runs.tags @> jsonb_build_array(%s::VARCHAR::text)",
        ),
        Statement(
            "NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each(CASE WHEN json_valid(task_runs.tags) THEN task_runs.tags END)))",
            "task_runs.tags @> %s::JSONB",
        ),
    ),
    "task_runs.state.type.any_": Condition(
        Statement(
            "task_runs.state_type IN (?)",
            "task_runs.state_type IN (%s::VARCHAR)",
        ),
        Statement(
            "task_runs.state_type IN (SELECT value FROM json_each(?))",
            "task_runs.state_type IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "task_runs.state.name.any_": Condition(
        Statement(
            "task_runs.state_name IN (?)",
            "task_runs.state_name IN (%s::VARCHAR)",
        ),
        Statement(
            "task_runs.state_name IN (SELECT value FROM json_each(?))",
            "task_runs.state_name IN (SELECT value::TEXT FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "task_runs.flow_run_id.any_": Condition(
        Statement(
            "task_runs.flow_run_id IN (?)",
            "task_runs.flow_run_id IN (%s::UUID)",
        ),
        Statement(
            "task_runs.flow_run_id IN (SELECT value FROM json_each(?))",
            "task_runs.flow_run_id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
}

LOG_CONDITIONS = {
    "logs.flow_run_id.any_": Condition(
        Statement(
            "logs.flow_run_id IN (?)",
            "logs.flow_run_id IN (%s::UUID)",
        ),
        Statement(
            "logs.flow_run_id IN (SELECT value FROM json_each(?))",
            "logs.flow_run_id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "logs.task_run_id.any_": Condition(
        Statement(
            "logs.task_run_id IN (?)",
            "logs.task_run_id IN (%s::UUID)",
        ),
        Statement(
            "logs.task_run_id IN (SELECT value FROM json_each(?))",
            "logs.task_run_id IN (SELECT value::UUID FROM jsonb_array_elements_text(%s::JSONB) AS item(value))",
        ),
    ),
    "logs.timestamp.before_": Condition(
        Statement(
            "logs.timestamp <= ?",
            "logs.timestamp <= %s::TIMESTAMP WITH TIME ZONE",
        ),
    ),
    "logs.timestamp.after_": Condition(
        Statement(
            "logs.timestamp >= ?",
            "logs.timestamp >= %s::TIMESTAMP WITH TIME ZONE",
        ),
    ),
    "logs.level.ge_": Condition(
        Statement(
            "logs.level >= ?",
            "logs.level >= %s::INTEGER",
        ),
    ),
    "logs.level.le_": Condition(
        Statement(
            "logs.level <= ?",
            "logs.level <= %s::INTEGER",
        ),
    ),
}
