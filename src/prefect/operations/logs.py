"""Operations on logs."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.operations.listings import known_logs
from prefect.operations.registry import operation
from prefect.schemas.objects import Log
from prefect.schemas.queries import LogQuery
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import log_from_row, log_row

__all__ = ["create_logs", "read_logs"]


@operation("POST", "/logs/", creates=True)
def create_logs(store: Store, logs: Sequence[Log]) -> None:
    """Write log records, all or none. A record whose id is there already is left out.

    Args:
        store: The store.
        logs: The records.
    """
    rows = [log_row(log) for log in logs]
    with store.transaction() as connection:
        connection.write_many(statements.INSERT_LOG, rows)


@operation("POST", "/logs/filter")
def read_logs(store: Store, query: LogQuery) -> list[Log]:
    """Return the log records that a query is about."""
    if known := known_logs(query):
        return [log_from_row(row) for row in store.fetch(*known)]
    from prefect.store.queries import select_logs  # noqa: PLC0415 - SQLAlchemy

    return [log_from_row(row) for row in store.select(select_logs(query))]
