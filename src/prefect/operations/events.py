"""Operations on events. Those of task runs become task runs; others are taken, and not kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from prefect.operations.registry import operation
from prefect.rules.task_run_events import TaskRunChange, change_of, merge
from prefect.schemas.events import Event
from prefect.schemas.objects import TaskRunRecord
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import task_run_record_from_row, task_run_row

__all__ = ["record_events"]


@operation("POST", "/events")
def record_events(store: Store, events: Sequence[Event]) -> None:
    """Bring task runs up to what events say of them, all or none; the order of events does not matter.

    Args:
        store: The store.
        events: Any events. Those that are known already change nothing.

    Raises:
        msgspec.ValidationError: An event of a task run does not say what the run is.
    """
    changes: defaultdict[UUID, list[TaskRunChange]] = defaultdict(list)
    for event in events:
        change = change_of(event)
        if change is not None:
            changes[change.run.id].append(change)
    if not changes:
        return
    with store.transaction() as connection:
        # In the order of their ids, so that two who do this at once never wait for each other.
        for run_id in sorted(changes):
            _bring_up(connection, run_id, changes[run_id])


def _bring_up(connection: Connection, run_id: UUID, changes: list[TaskRunChange]) -> None:
    known = _known(connection, run_id)
    if known is None:
        record = _merged(None, changes)
        if record is None or connection.run(statements.INSERT_TASK_RUN, task_run_row(record)):
            return
        # Somebody else was first, in the meantime.
        known = _known(connection, run_id)
    record = _merged(known, changes)
    if record is not None and record is not known:
        connection.run(statements.UPSERT_TASK_RUN, task_run_row(record))


def _known(connection: Connection, run_id: UUID) -> TaskRunRecord | None:
    rows = connection.fetch(statements.TASK_RUN_TO_CHANGE, (run_id.hex,))
    return task_run_record_from_row(rows[0]) if rows else None


def _merged(record: TaskRunRecord | None, changes: list[TaskRunChange]) -> TaskRunRecord | None:
    for change in changes:
        record = merge(record, change)
    return record
