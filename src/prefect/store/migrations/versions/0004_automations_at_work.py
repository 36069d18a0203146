"""What carrying out automations remembers: the last event, what triggers have counted, what is to be done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.String(26).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "event_followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_event_followers")),
    )
    op.create_table(
        "automation_buckets",
        sa.Column("automation_id", sa.Uuid(), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("due", TIME, nullable=True),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["automation_id"],
            ["automations.id"],
            name=op.f("fk_automation_buckets_automation_id_automations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("automation_id", "trigger_id", "key", name=op.f("pk_automation_buckets")),
    )
    op.create_index(op.f("ix_automation_buckets_due"), "automation_buckets", ["due"], unique=False)
    op.create_table(
        "automation_actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_actions")),
    )
    op.create_index(op.f("ix_automation_actions_due"), "automation_actions", ["due"], unique=False)


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("automation_actions")
    op.drop_table("automation_buckets")
    op.drop_table("event_followers")
