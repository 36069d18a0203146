"""Operations on task runs."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.operations.registry import operation
from prefect.schemas.objects import TaskRunRecord
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import task_run_row

__all__ = ["record_task_runs"]


@operation("POST", "/task_runs/records")
def record_task_runs(store: Store, records: Sequence[TaskRunRecord]) -> None:
    """Write task runs with their whole history, all or none.

    Args:
        store: The store.
        records: New and changed task runs. A record with fewer states than the one that is there changes
            nothing.
    """
    rows = [task_run_row(record) for record in records]
    with store.transaction() as connection:
        connection.run_many(statements.UPSERT_TASK_RUN, rows)
