"""Runs migrations on the connection that `prefect.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from prefect.store.tables import metadata
from prefect.store.versions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    # SQLite changes most columns only by copying the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
