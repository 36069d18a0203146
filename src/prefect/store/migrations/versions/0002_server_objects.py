"""Deployments, work pools, limits, blocks, variables, artifacts, inputs, automations and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.String(26).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    _create_artifact_collections()
    _create_artifacts()
    _create_automations()
    _create_block_types()
    _create_concurrency_leases()
    _create_concurrency_limits()
    _create_configurations()
    _create_events()
    _create_saved_searches()
    _change_task_runs()
    _create_variables()
    _create_work_pools()
    _create_block_schemas()
    _create_concurrency_slots()
    _create_task_run_claims()
    _create_work_queues()
    _create_workers()
    _create_block_documents()
    _create_block_schema_references()
    _create_deployments()
    _create_flow_run_inputs()
    _create_block_document_references()
    _create_deployment_schedules()


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("deployment_schedules")
    op.drop_table("block_document_references")
    op.drop_table("flow_run_inputs")
    op.drop_table("deployments")
    op.drop_table("block_schema_references")
    op.drop_table("block_documents")
    op.drop_table("workers")
    op.drop_table("work_queues")
    op.drop_table("task_run_claims")
    op.drop_table("concurrency_slots")
    op.drop_table("block_schemas")
    op.drop_table("work_pools")
    op.drop_table("variables")
    op.drop_index(
        op.f("ix_task_runs_task_key"),
        table_name="task_runs",
        sqlite_where=sa.text("state_type = 'SCHEDULED'"),
        postgresql_where=sa.text("state_type = 'SCHEDULED'"),
    )
    op.drop_index(
        op.f("ix_task_runs_cache_key"),
        table_name="task_runs",
        sqlite_where=sa.text("cache_key IS NOT NULL"),
        postgresql_where=sa.text("cache_key IS NOT NULL"),
        postgresql_using="hash",
    )
    op.drop_table("saved_searches")
    op.drop_table("events")
    op.drop_table("configurations")
    op.drop_table("concurrency_limits")
    op.drop_table("concurrency_leases")
    op.drop_table("block_types")
    op.drop_table("automations")
    op.drop_table("artifacts")
    op.drop_table("artifact_collections")


def _create_artifact_collections() -> None:
    op.create_table(
        "artifact_collections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("latest_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_collections")),
        sa.UniqueConstraint("key", name=op.f("uq_artifact_collections_key")),
    )


def _create_artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("metadata_", JSON, nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("task_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
    )
    op.create_index(
        op.f("ix_artifacts_flow_run_id"),
        "artifacts",
        ["flow_run_id"],
        unique=False,
        sqlite_where=sa.text("flow_run_id IS NOT NULL"),
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_artifacts_key"),
        "artifacts",
        ["key"],
        unique=False,
        sqlite_where=sa.text('"key" IS NOT NULL'),
        postgresql_where=sa.text('"key" IS NOT NULL'),
    )
    op.create_index(
        op.f("ix_artifacts_task_run_id"),
        "artifacts",
        ["task_run_id"],
        unique=False,
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )


def _create_automations() -> None:
    op.create_table(
        "automations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("trigger", JSON, nullable=False),
        sa.Column("actions", JSON, nullable=False),
        sa.Column("actions_on_trigger", JSON, nullable=False),
        sa.Column("actions_on_resolve", JSON, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automations")),
    )
    op.create_index(op.f("ix_automations_owner"), "automations", ["owner"], unique=False)


def _create_block_types() -> None:
    op.create_table(
        "block_types",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column("documentation_url", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("code_example", sa.Text(), nullable=True),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_types")),
        sa.UniqueConstraint("slug", name=op.f("uq_block_types_slug")),
    )


def _create_concurrency_leases() -> None:
    op.create_table(
        "concurrency_leases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("holder", JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_leases")),
    )
    op.create_index(op.f("ix_concurrency_leases_expires"), "concurrency_leases", ["expires"], unique=False)


def _create_concurrency_limits() -> None:
    op.create_table(
        "concurrency_limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("taken_slots", sa.Double(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("denied_slots", sa.Integer(), nullable=False),
        sa.Column("slot_decay_per_second", sa.Double(), nullable=False),
        sa.Column("avg_slot_occupancy_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_limits")),
        sa.UniqueConstraint("name", name=op.f("uq_concurrency_limits_name")),
    )


def _create_configurations() -> None:
    op.create_table(
        "configurations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configurations")),
        sa.UniqueConstraint("key", name=op.f("uq_configurations_key")),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred", TIME, nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("related", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("follows", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_occurred_position"), "events", ["occurred", "position"], unique=False)
    op.create_index(
        op.f("ix_events_resource_id_occurred"), "events", ["resource_id", "occurred"], unique=False
    )


def _create_saved_searches() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("name", name=op.f("uq_saved_searches_name")),
    )


def _change_task_runs() -> None:
    op.create_index(
        op.f("ix_task_runs_cache_key"),
        "task_runs",
        ["cache_key"],
        unique=False,
        sqlite_where=sa.text("cache_key IS NOT NULL"),
        postgresql_where=sa.text("cache_key IS NOT NULL"),
        postgresql_using="hash",
    )
    op.create_index(
        op.f("ix_task_runs_task_key"),
        "task_runs",
        ["task_key"],
        unique=False,
        sqlite_where=sa.text("state_type = 'SCHEDULED'"),
        postgresql_where=sa.text("state_type = 'SCHEDULED'"),
    )


def _create_variables() -> None:
    op.create_table(
        "variables",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variables")),
        sa.UniqueConstraint("name", name=op.f("uq_variables_name")),
    )


def _create_work_pools() -> None:
    op.create_table(
        "work_pools",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("base_job_template", JSON, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("default_queue_id", sa.Uuid(), nullable=True),
        sa.Column("storage_configuration", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_pools")),
        sa.UniqueConstraint("name", name=op.f("uq_work_pools_name")),
    )


def _create_block_schemas() -> None:
    op.create_table(
        "block_schemas",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("block_type_id", sa.Uuid(), nullable=False),
        sa.Column("capabilities", JSON, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_type_id"],
            ["block_types.id"],
            name=op.f("fk_block_schemas_block_type_id_block_types"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_schemas")),
    )
    op.create_index(op.f("ix_block_schemas_block_type_id"), "block_schemas", ["block_type_id"], unique=False)
    op.create_index(
        op.f("ix_block_schemas_checksum_version"), "block_schemas", ["checksum", "version"], unique=True
    )


def _create_concurrency_slots() -> None:
    op.create_table(
        "concurrency_slots",
        sa.Column("lease_id", sa.Uuid(), nullable=False),
        sa.Column("limit_id", sa.Uuid(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lease_id"],
            ["concurrency_leases.id"],
            name=op.f("fk_concurrency_slots_lease_id_concurrency_leases"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["limit_id"],
            ["concurrency_limits.id"],
            name=op.f("fk_concurrency_slots_limit_id_concurrency_limits"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lease_id", "limit_id", name=op.f("pk_concurrency_slots")),
    )
    op.create_index(op.f("ix_concurrency_slots_limit_id"), "concurrency_slots", ["limit_id"], unique=False)


def _create_task_run_claims() -> None:
    op.create_table(
        "task_run_claims",
        sa.Column("task_run_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["task_run_id"],
            ["task_runs.id"],
            name=op.f("fk_task_run_claims_task_run_id_task_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_run_id", name=op.f("pk_task_run_claims")),
    )


def _create_work_queues() -> None:
    op.create_table(
        "work_queues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("work_pool_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("last_polled", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["work_pool_id"],
            ["work_pools.id"],
            name=op.f("fk_work_queues_work_pool_id_work_pools"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_queues")),
    )
    op.create_index(
        op.f("ix_work_queues_work_pool_id_name"), "work_queues", ["work_pool_id", "name"], unique=True
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("work_pool_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_heartbeat_time", TIME, nullable=True),
        sa.Column("heartbeat_interval_seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["work_pool_id"],
            ["work_pools.id"],
            name=op.f("fk_workers_work_pool_id_work_pools"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_work_pool_id_name"), "workers", ["work_pool_id", "name"], unique=True)


def _create_block_documents() -> None:
    op.create_table(
        "block_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("block_schema_id", sa.Uuid(), nullable=False),
        sa.Column("block_type_id", sa.Uuid(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_schema_id"],
            ["block_schemas.id"],
            name=op.f("fk_block_documents_block_schema_id_block_schemas"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["block_type_id"],
            ["block_types.id"],
            name=op.f("fk_block_documents_block_type_id_block_types"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_documents")),
    )
    op.create_index(
        op.f("ix_block_documents_block_schema_id"), "block_documents", ["block_schema_id"], unique=False
    )
    op.create_index(
        op.f("ix_block_documents_block_type_id_name"),
        "block_documents",
        ["block_type_id", "name"],
        unique=True,
    )


def _create_block_schema_references() -> None:
    op.create_table(
        "block_schema_references",
        sa.Column("schema_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("referred_schema_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referred_schema_id"],
            ["block_schemas.id"],
            name=op.f("fk_block_schema_references_referred_schema_id_block_schemas"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["schema_id"],
            ["block_schemas.id"],
            name=op.f("fk_block_schema_references_schema_id_block_schemas"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "schema_id", "name", "referred_schema_id", name=op.f("pk_block_schema_references")
        ),
    )


def _create_deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("version_info", JSON, nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("global_concurrency_limit_id", sa.Uuid(), nullable=True),
        sa.Column("concurrency_options", JSON, nullable=True),
        sa.Column("job_variables", JSON, nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("parameter_openapi_schema", JSON, nullable=True),
        sa.Column("enforce_parameter_schema", sa.Boolean(), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("work_queue_id", sa.Uuid(), nullable=True),
        sa.Column("work_queue_name", sa.Text(), nullable=True),
        sa.Column("last_polled", TIME, nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("pull_steps", JSON, nullable=True),
        sa.Column("entrypoint", sa.Text(), nullable=True),
        sa.Column("storage_document_id", sa.Uuid(), nullable=True),
        sa.Column("infrastructure_document_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", JSON, nullable=True),
        sa.Column("updated_by", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["flows.id"], name=op.f("fk_deployments_flow_id_flows"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["work_queue_id"],
            ["work_queues.id"],
            name=op.f("fk_deployments_work_queue_id_work_queues"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index(op.f("ix_deployments_flow_id_name"), "deployments", ["flow_id", "name"], unique=True)
    op.create_index(op.f("ix_deployments_work_queue_id"), "deployments", ["work_queue_id"], unique=False)


def _create_flow_run_inputs() -> None:
    op.create_table(
        "flow_run_inputs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["flow_run_id"],
            ["flow_runs.id"],
            name=op.f("fk_flow_run_inputs_flow_run_id_flow_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run_inputs")),
    )
    op.create_index(
        op.f("ix_flow_run_inputs_flow_run_id_key"), "flow_run_inputs", ["flow_run_id", "key"], unique=True
    )


def _create_block_document_references() -> None:
    op.create_table(
        "block_document_references",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("referred_document_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["block_documents.id"],
            name=op.f("fk_block_document_references_document_id_block_documents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["referred_document_id"],
            ["block_documents.id"],
            name=op.f("fk_block_document_references_referred_document_id_block_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "name", name=op.f("pk_block_document_references")),
    )
    op.create_index(
        op.f("ix_block_document_references_referred_document_id"),
        "block_document_references",
        ["referred_document_id"],
        unique=False,
    )


def _create_deployment_schedules() -> None:
    op.create_table(
        "deployment_schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("schedule", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("max_scheduled_runs", sa.Integer(), nullable=True),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("slug", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_deployment_schedules_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment_schedules")),
    )
    op.create_index(
        op.f("ix_deployment_schedules_deployment_id_slug"),
        "deployment_schedules",
        ["deployment_id", "slug"],
        unique=True,
    )
