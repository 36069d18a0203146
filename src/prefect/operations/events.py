"""Events that clients tell: they are kept, and those of task runs become task runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import select

from prefect.operations.heartbeats import heed_heartbeats
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
        heed_heartbeats(connection, events)
        if runs:
            _bring_up(connection, runs)


def check_event(event: Event) -> None:
    """Refuse an event that is too large, or does not say what its related resources are to it.

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
    if not all(labels.get("prefect.resource.role") for labels in event.related):
        raise msgspec.ValidationError("A related resource has no `prefect.resource.role` - at `$.related`")
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
    missing = [run_id for run_id in sorted(runs) if run_id not in known]
    made: dict[UUID, TaskRunRecord] = {}
    for run_id in missing:
        changes = runs[run_id]
        if not _may_be_another(changes[0]) and (record := merge(None, changes)) is not None:
            made[run_id] = record
    if connection.run_many(statements.INSERT_TASK_RUN, map(task_run_row, made.values())) < len(made):
        # Somebody else was first with some of them, in the meantime; they are there now.
        _bring_up(connection, {run_id: runs[run_id] for run_id in made})
    recall = partial(_recall, connection)
    changed = [(record, merge(record, runs[run_id], recall)) for run_id, record in known.items()]
    new_rows = [task_run_row(now) for before, now in changed if now is not None and now is not before]
    connection.write_many(statements.UPSERT_TASK_RUN, new_rows)
    # Two of these may be the same run, so each must find what was made of the one before.
    for run_id in missing:
        if run_id not in made:
            _bring_one_up(connection, run_id, runs[run_id])


def _bring_one_up(connection: Connection, run_id: UUID, changes: list[TaskRunChange]) -> None:
    """Bring a task run up that may be there under another id."""
    record = _by_key(connection, changes[0])
    if record is None:
        made = merge(None, changes)
        if made is None or connection.run(statements.INSERT_TASK_RUN, task_run_row(made)):
            return
        # Somebody else was first, in the meantime.
        record = _to_change(connection, run_id)
    merged = merge(record, changes, partial(_recall, connection))
    if merged is not None and merged is not record:
        connection.write(statements.UPSERT_TASK_RUN, task_run_row(merged))


def _by_key(connection: Connection, change: TaskRunChange) -> TaskRunRecord | None:
    """Find a run that was made under another id: for the same call in the same flow run."""
    run = change.run
    if run.flow_run_id is None or not _may_be_another(change):
        return None
    keys = (run.flow_run_id.hex, run.task_key, run.dynamic_key)
    rows = connection.fetch(statements.TASK_RUN_BY_KEY, keys)
    if not rows:
        return None
    return _to_change(connection, read_id(rows[0][0]))


def _to_change(connection: Connection, run_id: UUID) -> TaskRunRecord:
    rows = connection.fetch(statements.TASK_RUN_TO_CHANGE, (run_id.hex,))
    return task_run_record_from_row(rows[0])


def _may_be_another(change: TaskRunChange) -> bool:
    """Whether the run may be there under another id: most clients take a UUID for its key, some count."""
    return change.run.flow_run_id is not None and len(change.run.dynamic_key) < 32


def _recall(connection: Connection, event_id: UUID) -> TaskRunChange | None:
    rows = connection.select(select(events_table).where(events_table.c.id == event_id.hex))
    return change_of(event_from_row(rows[0])) if rows else None
