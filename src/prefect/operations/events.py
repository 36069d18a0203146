"""Events that clients tell: they are kept, and those of task runs become task runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from prefect.operations.registry import operation
from prefect.rules.task_run_events import TaskRunChange, change_of, merge
from prefect.schemas.events import Event
from prefect.schemas.objects import TaskRunRecord
from prefect.settings import get_current_settings
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import task_run_record_from_row, task_run_row
from prefect.store.events import event_from_row, insert_events
from prefect.store.tables import events as events_table
from prefect.store.values import json_text, read_id
from prefect.types import now

__all__ = ["check_event", "record_events"]


@operation("POST", "/events")
def record_events(store: Store, events: Sequence[Event]) -> None:
    """Keep events, and bring task runs up to what they say, all or none; their order does not matter.

    Args:
        store: The store.
        events: Any events. Those that are known already change nothing.

    Raises:
        msgspec.ValidationError: An event is too large, or one of a task run does not say what the run is.
    """
    changes: dict[UUID, TaskRunChange] = {}
    for event in events:
        check_event(event)
        change = change_of(event)
        if change is not None:
            changes[event.id] = change
    kept = [event for event in events if _is_kept(changes.get(event.id), changes)]
    runs: defaultdict[UUID, list[TaskRunChange]] = defaultdict(list)
    for change in changes.values():
        runs[change.run.id].append(change)
    with store.transaction() as connection:
        insert_events(connection, kept, now())
        if runs:
            _bring_up(connection, runs)


def check_event(event: Event) -> None:
    """Refuse an event that is too large.

    Args:
        event: The event.

    Raises:
        msgspec.ValidationError: It is.
    """
    limits = get_current_settings().server.events
    if len(event.event) > limits.maximum_event_name_length:
        raise msgspec.ValidationError(
            f"The name of an event has more than {limits.maximum_event_name_length} characters"
        )
    if len(event.related) > limits.maximum_related_resources:
        raise msgspec.ValidationError(
            f"The event {event.id} has more than {limits.maximum_related_resources} related resources"
        )
    for labels in (event.resource, *event.related):
        if len(labels) > limits.maximum_labels_per_resource:
            raise msgspec.ValidationError(
                f"A resource of the event {event.id} has more than "
                f"{limits.maximum_labels_per_resource} labels"
            )


def _is_kept(change: TaskRunChange | None, changes: Mapping[UUID, TaskRunChange]) -> bool:
    if change is None or get_current_settings().server.events.keep_task_run_events:
        return True
    # What follows an event that has not come yet may turn out to be the last, and is then read again.
    return change.follows is not None and change.follows not in changes


def _bring_up(connection: Connection, runs: Mapping[UUID, list[TaskRunChange]]) -> None:
    ids = json_text([run_id.hex for run_id in runs])
    rows = connection.fetch(statements.TASK_RUNS_TO_CHANGE, (ids,))
    known = {record.run.id: record for record in map(task_run_record_from_row, rows)}
    # In the order of their ids, so that two who do this at once never wait for each other.
    for run_id in sorted(runs):
        changes = runs[run_id]
        record = known.get(run_id) or _by_key(connection, changes[0])
        if record is None:
            made = merge(None, changes)
            if made is None or connection.run(statements.INSERT_TASK_RUN, task_run_row(made)):
                continue
            # Somebody else was first, in the meantime.
            record = task_run_record_from_row(
                connection.fetch(statements.TASK_RUN_TO_CHANGE, (run_id.hex,))[0]
            )
        merged = merge(record, changes, lambda event_id: _recall(connection, event_id))
        if merged is not None and merged is not record:
            connection.run(statements.UPSERT_TASK_RUN, task_run_row(merged))


def _by_key(connection: Connection, change: TaskRunChange) -> TaskRunRecord | None:
    """Find a run that was made under another id: for the same call in the same flow run."""
    run = change.run
    if run.flow_run_id is None or _is_unique(run.dynamic_key):
        return None
    keys = (run.flow_run_id.hex, run.task_key, run.dynamic_key)
    rows = connection.fetch(statements.TASK_RUN_BY_KEY, keys)
    if not rows:
        return None
    return _to_change(connection, read_id(rows[0][0]))


def _to_change(connection: Connection, run_id: UUID) -> TaskRunRecord:
    rows = connection.fetch(statements.TASK_RUN_TO_CHANGE, (run_id.hex,))
    return task_run_record_from_row(rows[0])


def _is_unique(dynamic_key: str) -> bool:
    """Whether nobody else can have the key: most clients take a UUID, some count."""
    return len(dynamic_key) >= 32


def _recall(connection: Connection, event_id: UUID) -> TaskRunChange | None:
    rows = connection.select(select(events_table).where(events_table.c.id == event_id.hex))
    return change_of(event_from_row(rows[0])) if rows else None
