"""How events become task runs, in whatever order and however often they arrive.

A client sends one event for each state of a task run. The states are put in order by when they occurred, and
the run's own row is what the event of the last of them says: that depends on which events there are, and not
on the way they came.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

import msgspec

from prefect.schemas.events import Event
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

__all__ = ["TaskRunChange", "change_of", "merge"]

_TASK_RUN, _FLOW_RUN = "prefect.task-run.", "prefect.flow-run."


class TaskRunChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one event says: a state, and the task run as it is in that state."""

    run: TaskRun
    state: State[Any]


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
    said = msgspec.convert(event.payload, _Payload, strict=False)
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
    return TaskRunChange(run=run, state=state)


def merge(record: TaskRunRecord | None, change: TaskRunChange) -> TaskRunRecord:
    """Add a change to what is known of a task run.

    Args:
        record: What is known; None: nothing.
        change: What an event says of the same run.

    Returns:
        What is known now. An event that is known already changes nothing.
    """
    if record is None:
        return TaskRunRecord(run=change.run, states=[change.state])
    if any(state.id == change.state.id for state in record.states):
        return record
    states = sorted([*record.states, change.state], key=_place)
    if states[-1] is not change.state:
        return TaskRunRecord(run=record.run, states=states)
    return TaskRunRecord(run=msgspec.structs.replace(change.run, created=record.run.created), states=states)


def _place(state: State[Any]) -> tuple[Any, ...]:
    # Clocks are coarse: of states at the same instant, the one that ends the run comes last.
    return state.timestamp, state.type in TERMINAL_STATES, state.id.int


def _id_in(labels: dict[str, str], kind: str) -> UUID | None:
    resource = labels.get("prefect.resource.id", "")
    if not resource.startswith(kind):
        return None
    return msgspec.convert(resource.removeprefix(kind), UUID)
