"""Operations on task runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectNotFound
from prefect.operations.flow_runs import lock_flow_run
from prefect.operations.listings import known_task_run_count, known_task_runs
from prefect.operations.registry import operation
from prefect.operations.subflows import FLOW_ID_LABEL, FLOW_RUN_ID_LABEL
from prefect.rules.bookkeeping import enter_state, estimate
from prefect.rules.decision import Decision, Transition
from prefect.rules.names import random_name
from prefect.rules.transitions import decide_task_run
from prefect.schemas.actions import TaskRunCreate, TaskRunUpdate
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.responses import OrchestrationResult, SetStateStatus
from prefect.schemas.states import State, StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import (
    flow_run_from_row,
    task_run_from_row,
    task_run_record_from_row,
    task_run_row,
    task_run_states_from_row,
)
from prefect.store.values import json_text, time_text
from prefect.types import now, uuid7

__all__ = [
    "count_task_runs",
    "create_task_run",
    "delete_task_run",
    "read_task_run",
    "read_task_run_states",
    "read_task_runs",
    "record_task_runs",
    "set_task_run_state",
    "update_task_run",
]

_SETTLED = frozenset({"id", "labels", "name", "state"})
"""What `create_task_run` does not take over as it is."""


@operation("POST", "/task_runs/records", internal=True)
def record_task_runs(store: Store, records: Sequence[TaskRunRecord]) -> None:
    """Write task runs with their whole history, all or none.

    Args:
        store: The store.
        records: New and changed task runs. A record with fewer states than the one that is there changes
            nothing.
    """
    rows = [task_run_row(record) for record in records]
    with store.transaction() as connection:
        connection.write_many(statements.UPSERT_TASK_RUN, rows)


@operation("POST", "/task_runs/", creates=True)
def create_task_run(store: Store, data: TaskRunCreate) -> TaskRun:
    """Make a task run, with its first state: one that stands for a subflow, or that others will run.

    Args:
        store: The store.
        data: The run. Where a run of its id, or of its flow run and keys, is there already, that one is
            returned.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow run.
    """
    at = now()
    values = {name: getattr(data, name) for name in data.__struct_fields__ if name not in _SETTLED}
    run = TaskRun(
        **values,
        id=data.id or uuid7(),
        name=data.name or random_name(),
        labels=dict(data.labels or {}),
        created=at,
        updated=at,
    )
    given: State[Any] = data.state or State(type=StateType.PENDING, timestamp=at)
    details = msgspec.structs.replace(given.state_details, flow_run_id=data.flow_run_id, task_run_id=run.id)
    if given.type is StateType.SCHEDULED and details.scheduled_time is None:
        details = msgspec.structs.replace(details, scheduled_time=at)
    first = msgspec.structs.replace(given, state_details=details)
    enter_state(run, first)
    with store.transaction() as connection:
        if run.flow_run_id is not None:
            # The flow run is locked, so that of two who make the same run at once one finds the other's.
            owners = lock_flow_run(connection, run.flow_run_id.hex)
            if not owners:
                raise ObjectNotFound(help_message=f"Flow run with id {run.flow_run_id} not found")
            owner = flow_run_from_row(owners[0])
            run.labels |= {FLOW_ID_LABEL: str(owner.flow_id), FLOW_RUN_ID_LABEL: str(owner.id)}
            keys = (run.flow_run_id.hex, run.task_key, run.dynamic_key)
            if rows := connection.fetch(statements.TASK_RUN_BY_KEY, keys):
                return task_run_from_row(rows[0])
        row = task_run_row(TaskRunRecord(run=run, states=[first]))
        if not connection.run(statements.INSERT_TASK_RUN, row):
            run = task_run_from_row(connection.fetch(statements.TASK_RUN_BY_ID, (run.id.hex,))[0])
    return run


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


@operation("PATCH", "/task_runs/{task_run_id}")
def update_task_run(store: Store, task_run_id: UUID, data: TaskRunUpdate) -> None:
    """Change what is set in `data` of a task run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    with store.transaction() as connection:
        record = _to_change(connection, task_run_id)
        if data.name is not msgspec.UNSET:
            record.run.name = data.name
        connection.write(statements.UPSERT_TASK_RUN, task_run_row(record))


@operation("POST", "/task_runs/{task_run_id}/set_state", creates=True)
def set_task_run_state(
    store: Store, task_run_id: UUID, state: State[Any], force: bool = False
) -> OrchestrationResult:
    """Propose a state for a task run; the rules decide what becomes of it.

    Args:
        store: The store.
        task_run_id: The run.
        state: The state that the run is to enter.
        force: Enter it even where the rules would not have it.

    Returns:
        What was decided, with the state that the run has now.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    with store.transaction() as connection:
        record = _to_change(connection, task_run_id)
        run, owner = record.run, record.run.flow_run_id
        owners = [] if owner is None else connection.fetch(statements.FLOW_RUN_BY_ID, (owner.hex,))
        at, was_running = now(), run.state_type is StateType.RUNNING
        decision = decide_task_run(
            run.state,
            state,
            run,
            flow_run_state=flow_run_from_row(owners[0]).state if owners else None,
            now=at,
            force=force,
        )
        if decision.status is SetStateStatus.ACCEPT and not force:
            decision = _known_or_limited(connection, run, decision, at)
        if decision.state is not None:
            if decision.run_count is not None:
                run.run_count = decision.run_count
            details = msgspec.structs.replace(
                decision.state.state_details, flow_run_id=owner, task_run_id=run.id
            )
            entered = msgspec.structs.replace(decision.state, state_details=details)
            enter_state(run, entered)
            record.states.append(entered)
            if entered.state_details.cache_key is not None:
                from prefect.rules.known_results import remember_cache_key  # noqa: PLC0415 - import budget

                remember_cache_key(run, entered)
            connection.write(statements.UPSERT_TASK_RUN, task_run_row(record))
            if was_running and entered.type is not StateType.RUNNING and _has_limited_tags(connection, run):
                from prefect.operations.slots import give_back_tag_slots  # noqa: PLC0415 - SQLAlchemy

                give_back_tag_slots(connection, run)
    return decision.answer(run.state)


def _known_or_limited(connection: Connection, run: TaskRun, decision: Decision, at: datetime) -> Decision:
    """Have a task run that is to start end with a result that is known, or wait for its tags' limits."""
    state = decision.state
    if state is None or state.type is not StateType.RUNNING:
        return decision
    transition = Transition(run.state, state, run, at)
    key = state.state_details.cache_key
    if key is not None and not state.state_details.refresh_cache:
        rows = connection.fetch(statements.CACHED_TASK_RUNS, (key, time_text(at), 1, 0))
        known = task_run_from_row(rows[0]).state if rows else None
        if known is not None:
            from prefect.rules.known_results import use_known_result  # noqa: PLC0415 - import budget

            return use_known_result(transition, known)
    if not _has_limited_tags(connection, run):
        return decision
    from prefect.operations.slots import take_tag_slots  # noqa: PLC0415 - SQLAlchemy

    return take_tag_slots(connection, transition) or decision


def _has_limited_tags(connection: Connection, run: TaskRun) -> bool:
    names = json_text([f"tag:{tag}" for tag in run.tags])
    return bool(run.tags) and bool(connection.fetch(statements.LIMITS_OF_NAMES, (names,)))


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


def _to_change(connection: Connection, task_run_id: UUID) -> TaskRunRecord:
    rows = connection.fetch(statements.TASK_RUN_TO_CHANGE, (task_run_id.hex,))
    if not rows:
        raise _not_found(task_run_id)
    return task_run_record_from_row(rows[0])


def _not_found(task_run_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(help_message=f"Task run with id {task_run_id} not found")
