"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.String(26).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    _create_flows()
    _create_logs()
    _create_task_runs()
    _create_flow_runs()
    _create_flow_run_states()
    _create_leases()


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("leases")
    op.drop_table("flow_run_states")
    op.drop_table("flow_runs")
    op.drop_table("task_runs")
    op.drop_table("logs")
    op.drop_table("flows")


def _create_flows() -> None:

    op.create_table(
        "flows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flows")),
        sa.UniqueConstraint("name", name=op.f("uq_flows_name")),
    )


def _create_logs() -> None:

    op.create_table(
        "logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("timestamp", TIME, nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("task_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
    )
    op.create_index(
        op.f("ix_logs_flow_run_id_timestamp_id"), "logs", ["flow_run_id", "timestamp", "id"], unique=False
    )
    op.create_index(
        op.f("ix_logs_task_run_id"),
        "logs",
        ["task_run_id"],
        unique=False,
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )


def _create_task_runs() -> None:

    op.create_table(
        "task_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_key", sa.Text(), nullable=False),
        sa.Column("dynamic_key", sa.Text(), nullable=False),
        sa.Column("cache_key", sa.Text(), nullable=True),
        sa.Column("cache_expiration", TIME, nullable=True),
        sa.Column("task_version", sa.Text(), nullable=True),
        sa.Column("empirical_policy", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("task_inputs", JSON, nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("flow_run_run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", TIME, nullable=True),
        sa.Column("next_scheduled_start_time", TIME, nullable=True),
        sa.Column("start_time", TIME, nullable=True),
        sa.Column("end_time", TIME, nullable=True),
        sa.Column("total_run_time", sa.Double(), nullable=False),
        sa.Column("state_id", sa.Uuid(), nullable=True),
        sa.Column("state_type", sa.String(length=16), nullable=True),
        sa.Column("state_name", sa.Text(), nullable=True),
        sa.Column("state_timestamp", TIME, nullable=True),
        sa.Column("state_count", sa.Integer(), nullable=False),
        sa.Column("states", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_runs")),
    )
    op.create_index(op.f("ix_task_runs_flow_run_id_id"), "task_runs", ["flow_run_id", "id"], unique=False)


def _create_flow_runs() -> None:

    op.create_table(
        "flow_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state_id", sa.Uuid(), nullable=True),
        sa.Column("state_type", sa.String(length=16), nullable=True),
        sa.Column("state_name", sa.Text(), nullable=True),
        sa.Column("state_timestamp", TIME, nullable=True),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", TIME, nullable=True),
        sa.Column("next_scheduled_start_time", TIME, nullable=True),
        sa.Column("start_time", TIME, nullable=True),
        sa.Column("end_time", TIME, nullable=True),
        sa.Column("total_run_time", sa.Double(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=True),
        sa.Column("deployment_version", sa.Text(), nullable=True),
        sa.Column("work_queue_id", sa.Uuid(), nullable=True),
        sa.Column("work_queue_name", sa.Text(), nullable=True),
        sa.Column("work_pool_id", sa.Uuid(), nullable=True),
        sa.Column("work_pool_name", sa.Text(), nullable=True),
        sa.Column("flow_version", sa.Text(), nullable=True),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("context", JSON, nullable=False),
        sa.Column("empirical_policy", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("parent_task_run_id", sa.Uuid(), nullable=True),
        sa.Column("auto_scheduled", sa.Boolean(), nullable=False),
        sa.Column("infrastructure_document_id", sa.Uuid(), nullable=True),
        sa.Column("infrastructure_pid", sa.Text(), nullable=True),
        sa.Column("created_by", JSON, nullable=True),
        sa.Column("job_variables", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["flows.id"], name=op.f("fk_flow_runs_flow_id_flows"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_runs")),
    )
    op.create_index(
        op.f("ix_flow_runs_deployment_id"),
        "flow_runs",
        ["deployment_id"],
        unique=False,
        sqlite_where=sa.text("deployment_id IS NOT NULL"),
        postgresql_where=sa.text("deployment_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_flow_runs_expected_start_time"), "flow_runs", ["expected_start_time"], unique=False
    )
    op.create_index(
        op.f("ix_flow_runs_flow_id_idempotency_key"), "flow_runs", ["flow_id", "idempotency_key"], unique=True
    )
    op.create_index(
        op.f("ix_flow_runs_next_scheduled_start_time"),
        "flow_runs",
        ["next_scheduled_start_time"],
        unique=False,
        sqlite_where=sa.text("state_type = 'SCHEDULED'"),
        postgresql_where=sa.text("state_type = 'SCHEDULED'"),
    )
    op.create_index(
        op.f("ix_flow_runs_parent_task_run_id"),
        "flow_runs",
        ["parent_task_run_id"],
        unique=False,
        sqlite_where=sa.text("parent_task_run_id IS NOT NULL"),
        postgresql_where=sa.text("parent_task_run_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_flow_runs_state_type_id"), "flow_runs", ["state_type", "id"], unique=False)


def _create_flow_run_states() -> None:

    op.create_table(
        "flow_run_states",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("timestamp", TIME, nullable=False),
        sa.Column("data", JSON, nullable=True),
        sa.Column("state_details", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["flow_run_id"],
            ["flow_runs.id"],
            name=op.f("fk_flow_run_states_flow_run_id_flow_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run_states")),
    )
    op.create_index(op.f("ix_flow_run_states_flow_run_id"), "flow_run_states", ["flow_run_id"], unique=False)


def _create_leases() -> None:

    op.create_table(
        "leases",
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("process_started", sa.Text(), nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["flow_run_id"],
            ["flow_runs.id"],
            name=op.f("fk_leases_flow_run_id_flow_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("flow_run_id", name=op.f("pk_leases")),
    )
