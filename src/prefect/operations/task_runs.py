"""Operations on task runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prefect.exceptions import ObjectNotFound
from prefect.operations.listings import known_task_run_count, known_task_runs
from prefect.operations.registry import operation
from prefect.rules.bookkeeping import estimate
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.states import State
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import task_run_from_row, task_run_row, task_run_states_from_row
from prefect.types import now

__all__ = [
    "count_task_runs",
    "delete_task_run",
    "read_task_run",
    "read_task_run_states",
    "read_task_runs",
    "record_task_runs",
]


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


@operation("GET", "/task_runs/{task_run_id}")
def read_task_run(store: Store, task_run_id: UUID) -> TaskRun:
    """Return a task run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    rows = store.fetch(statements.TASK_RUN_BY_ID, (task_run_id.hex,))
    if not rows:
        raise _not_found(task_run_id)
    run = task_run_from_row(rows[0])
    estimate(run, now())
    return run


@operation("POST", "/task_runs/filter")
def read_task_runs(store: Store, query: TaskRunQuery) -> list[TaskRun]:
    """Return the task runs that a query is about."""
    if known := known_task_runs(query):
        rows = store.fetch(*known)
    else:
        from prefect.store.queries import select_task_runs  # noqa: PLC0415 - SQLAlchemy

        rows = store.select(select_task_runs(query))
    runs = [task_run_from_row(row) for row in rows]
    at = now()
    for run in runs:
        estimate(run, at)
    return runs


@operation("POST", "/task_runs/count")
def count_task_runs(store: Store, query: TaskRunQuery) -> int:
    """Return how many task runs a query is about, whatever its window."""
    if known := known_task_run_count(query):
        return int(store.fetch(*known)[0][0])
    from prefect.store import queries  # noqa: PLC0415 - SQLAlchemy

    return int(store.select(queries.count_task_runs(query))[0][0])


@operation("GET", "/task_run_states/")
def read_task_run_states(store: Store, task_run_id: UUID) -> list[State[Any]]:
    """Return all states that a task run was in, oldest first; none where there is no such run."""
    rows = store.fetch(statements.TASK_RUN_BY_ID, (task_run_id.hex,))
    return task_run_states_from_row(rows[0]) if rows else []


@operation("DELETE", "/task_runs/{task_run_id}")
def delete_task_run(store: Store, task_run_id: UUID) -> None:
    """Delete a task run with its logs.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    from prefect.store.deletions import task_run_deletions  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        if not [connection.execute(deletion) for deletion in task_run_deletions(task_run_id)][-1]:
            raise _not_found(task_run_id)


def _not_found(task_run_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(help_message=f"Task run with id {task_run_id} not found")
