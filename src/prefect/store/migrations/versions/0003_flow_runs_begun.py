"""An index of when flow runs began, which pages of them are sorted by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        "ix_flow_runs_begun",
        "flow_runs",
        [sa.text("coalesce(start_time, expected_start_time)")],
        unique=False,
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_index("ix_flow_runs_begun", table_name="flow_runs")
