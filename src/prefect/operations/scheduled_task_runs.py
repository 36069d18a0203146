"""Task runs that wait for a worker: who serves their tasks is given one at a time, and nobody else is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from prefect.schemas.objects import TaskRun
from prefect.schemas.states import StateType
from prefect.store.base import Store
from prefect.store.codec import task_run_from_row
from prefect.store.conditions import among
from prefect.store.tables import task_run_claims, task_runs
from prefect.types import format_utc

__all__ = ["claim_task_run", "keep_task_run", "release_task_run"]

_AT_ONCE = 20
_FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


def claim_task_run(
    store: Store, keys: Sequence[str], holder: str, now: datetime, expires: datetime
) -> TaskRun | None:
    """Give somebody a task run that is due, which nobody else is given meanwhile.

    Args:
        store: The store; whoever else uses it.
        keys: The keys of the tasks.
        holder: Who it is given to.
        now: The current time.
        expires: When it is given to others, unless the holder has said that it has it.

    Returns:
        The run; None where none waits.
    """
    column = task_runs.c
    held = select(task_run_claims.c.task_run_id).where(task_run_claims.c.expires > format_utc(now))
    waiting = (
        select(task_runs)
        .where(
            column.state_type == StateType.SCHEDULED.value,
            # A retry has another name: it is for who runs the task already.
            column.state_name == "Scheduled",
            among(column.task_key, keys),
            column.next_scheduled_start_time <= format_utc(now),
            column.id.not_in(held),
        )
        .order_by(column.id)
        .limit(_AT_ONCE)
    )
    runs = [task_run_from_row(row) for row in store.select(waiting)]
    for run in runs:
        if (
            run.state is not None
            and run.state.state_details.deferred
            and _claim(store, run, holder, now, expires)
        ):
            return run
    return None


def _claim(store: Store, run: TaskRun, holder: str, now: datetime, expires: datetime) -> bool:
    values = {"holder": holder, "expires": format_utc(expires)}
    claim = insert(task_run_claims).values(task_run_id=run.id.hex, **values)
    claim = claim.on_conflict_do_update(
        index_elements=["task_run_id"], set_=values, where=task_run_claims.c.expires <= format_utc(now)
    )
    with store.transaction() as connection:
        if not connection.execute(claim):
            return False
        # Somebody may have had it, and begun, since it was looked for.
        rows = connection.select(select(task_runs.c.state_id).where(task_runs.c.id == run.id.hex))
        return bool(rows) and run.state_id is not None and UUID(rows[0][0]) == run.state_id


def keep_task_run(store: Store, task_run_id: UUID, holder: str) -> bool:
    """Say that the holder has a task run: nobody else is given it any more.

    Args:
        store: The store.
        task_run_id: The run.
        holder: Who has it.

    Returns:
        Whether it is still the holder's.
    """
    kept = update(task_run_claims).where(*_of(task_run_id, holder)).values(expires=format_utc(_FOR_EVER))
    with store.transaction() as connection:
        return bool(connection.execute(kept))


def release_task_run(store: Store, task_run_id: UUID, holder: str) -> None:
    """Let others have a task run that its holder did not take.

    Args:
        store: The store.
        task_run_id: The run.
        holder: Who it was given to.
    """
    with store.transaction() as connection:
        connection.execute(delete(task_run_claims).where(*_of(task_run_id, holder)))


def _of(task_run_id: UUID, holder: str) -> tuple[ColumnElement[bool], ...]:
    return task_run_claims.c.task_run_id == task_run_id.hex, task_run_claims.c.holder == holder
