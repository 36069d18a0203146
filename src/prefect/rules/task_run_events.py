"""How events become task runs, in whatever order and however often they arrive.

A client sends one event for each state of a task run. The states are put in order by what each follows and
when it occurred, and the run's own row is what the event of the last of them says: that depends on which
events there are, and not on the way they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.base import whole
from prefect.schemas.events import Event
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

__all__ = ["Recall", "TaskRunChange", "change_of", "in_order", "merge"]

_TASK_RUN, _FLOW_RUN = "prefect.task-run.", "prefect.flow-run."


class TaskRunChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says: a state, and the task run as it is in that state."""

    run: TaskRun
    state: State[Any]
    follows: UUID | None = None
    """The id of the state before, if the event says."""


Recall = Callable[[UUID], TaskRunChange | None]


def _recall_nothing(event_id: UUID) -> None:
    return None


class _Entered(msgspec.Struct, kw_only=True):
    type: StateType
    name: str | None = None
    message: str | None = None
    data: Any = None
    state_details: StateDetails = StateDetails()


class _Payload(msgspec.Struct, kw_only=True):
    task_run: TaskRun
    validated_state: _Entered


def change_of(event: Event) -> TaskRunChange | None:
    """Read what an event says of a task run.

    Args:
        event: Any event.

    Returns:
        What it says; None for events of other things, and of task runs that others keep.

    Raises:
        msgspec.ValidationError: It is the event of a task run, and what it says makes none.
    """
    if event.resource.get("prefect.orchestration") != "client":
        return None
    run_id = _id_in(event.resource, _TASK_RUN)
    if run_id is None:
        return None
    flow_run_id = next(
        (
            _id_in(labels, _FLOW_RUN)
            for labels in event.related
            if labels.get("prefect.resource.role") == "flow-run"
        ),
        None,
    )
    said = msgspec.convert(event.payload, whole(_Payload), strict=False)
    entered, occurred = said.validated_state, event.occurred
    state: State[Any] = State(
        id=event.id,
        type=entered.type,
        name=entered.name,
        message=entered.message,
        data=entered.data,
        timestamp=occurred.replace(tzinfo=UTC) if occurred.tzinfo is None else occurred.astimezone(UTC),
        state_details=msgspec.structs.replace(
            entered.state_details, task_run_id=run_id, flow_run_id=flow_run_id
        ),
    )
    run = msgspec.structs.replace(
        said.task_run,
        id=run_id,
        flow_run_id=flow_run_id,
        created=None,
        state=state,
        state_id=state.id,
        state_type=state.type,
        state_name=state.name,
    )
    return TaskRunChange(run=run, state=state, follows=event.follows)


def merge(
    record: TaskRunRecord | None, changes: Sequence[TaskRunChange], recall: Recall = _recall_nothing
) -> TaskRunRecord | None:
    """Add changes to what is known of a task run.

    Args:
        record: What is known; None: nothing.
        changes: What events say of the same run, in any order.
        recall: Gives what an event said that was known before, by its id.

    Returns:
        What is known now: `record` itself, if all of that was known already; None where nothing is.
    """
    known = {} if record is None else {state.id: state for state in record.states}
    follows = {} if record is None else dict(record.follows)
    new: dict[UUID, TaskRunChange] = {}
    for change in changes:
        if change.state.id not in known:
            new.setdefault(change.state.id, change)
    if not new:
        return record
    for change in new.values():
        known[change.state.id] = change.state
        if change.follows is not None:
            follows[change.state.id] = change.follows
    states = in_order(known.values(), follows)
    last = states[-1].id
    told = new.get(last)
    if told is None and (record is None or record.run.state_id != last):
        told = recall(last)
    if told is not None:
        run = told.run if record is None else _moved(told.run, record.run)
    elif record is not None:
        run = record.run
    else:
        return None
    return TaskRunRecord(run=run, states=states, follows=follows)


def _moved(run: TaskRun, known: TaskRun) -> TaskRun:
    """A run keeps its id and its place, whatever id the event's sender has for it."""
    return msgspec.structs.replace(run, id=known.id, flow_run_id=known.flow_run_id, created=known.created)


def in_order(states: Iterable[State[Any]], follows: Mapping[UUID, UUID]) -> list[State[Any]]:
    """Put states in the order in which they were entered.

    Clocks are coarse, and are set back. So a state comes after the one that it follows, whatever the clock
    said; else the time counts; and of states at the same instant the one that ends the run comes last.

    Args:
        states: The states, in any order.
        follows: The state before, by the state's id. What goes round in a circle is not believed.
    """
    known = {state.id: state for state in states}
    before = {state: other for state, other in follows.items() if state in known and other in known}
    for state in _in_circles(before):
        del before[state]
    places: dict[UUID, tuple[Any, ...]] = {}
    for state_id in known:
        path = [state_id]
        while path[-1] in before and path[-1] not in places:
            path.append(before[path[-1]])
        for each in reversed(path):
            if each not in places:
                places[each] = _place(known[each], places.get(before.get(each, each)))
    return sorted(known.values(), key=lambda state: places[state.id])


def _place(state: State[Any], before: tuple[Any, ...] | None) -> tuple[Any, ...]:
    ends = state.type in TERMINAL_STATES
    if before is None or before[0] < state.timestamp:
        return state.timestamp, ends, 0, state.id.int
    return before[0], before[1] or ends, before[2] + 1, state.id.int


def _in_circles(before: Mapping[UUID, UUID]) -> set[UUID]:
    found: set[UUID] = set()
    passed: set[UUID] = set()
    for start in before:
        path: dict[UUID, int] = {}
        at: UUID | None = start
        while at is not None and at not in passed and at not in path:
            path[at] = len(path)
            at = before.get(at)
        if at is not None and at in path:
            found.update(list(path)[path[at] :])
        passed.update(path)
    return found


def _id_in(labels: dict[str, str], kind: str) -> UUID | None:
    resource = labels.get("prefect.resource.id", "")
    if not resource.startswith(kind):
        return None
    return msgspec.convert(resource.removeprefix(kind), UUID)
