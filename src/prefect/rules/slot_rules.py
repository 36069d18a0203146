"""What becomes of a run that gets no slot of a limit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from prefect.rules.decision import Decision, Transition
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType
from prefect.types import aware

__all__ = [
    "AWAITING_SLOT",
    "call",
    "carry_slot",
    "gives_slots_back",
    "refuse_flow_run",
    "refuse_task_run",
    "wants_slot",
]

AWAITING_SLOT = "AwaitingConcurrencySlot"
"""The name of the state of a run that waits for a slot of its deployment."""
_NO_SLOT = "Deployment concurrency limit reached."


def wants_slot(proposed: State[Any], current: State[Any] | None) -> bool:
    """Whether a flow run of a deployment takes a slot on its way into a state, being given to a worker."""
    if proposed.type is not StateType.PENDING:
        return False
    return current is None or current.state_details.deployment_concurrency_lease_id is None


def carry_slot(proposed: State[Any], current: State[Any] | None) -> State[Any]:
    """Return a proposed state with the lease that the run holds, as long as it keeps it."""
    lease_id = current.state_details.deployment_concurrency_lease_id if current is not None else None
    if lease_id is None or gives_slots_back(proposed):
        return proposed
    details = msgspec.structs.replace(proposed.state_details, deployment_concurrency_lease_id=lease_id)
    return msgspec.structs.replace(proposed, state_details=details)


def gives_slots_back(state: State[Any]) -> bool:
    """Whether a flow run that enters a state has no process any more: it ended, or will be started anew."""
    if state.type is StateType.SCHEDULED:
        return state.name != "AwaitingRetry"
    return state.type in TERMINAL_STATES or (
        state.type is StateType.PAUSED and state.state_details.pause_reschedule
    )


def refuse_flow_run(t: Transition[FlowRun], *, cancel: bool, wait_seconds: float) -> Decision:
    """Decide on a flow run whose deployment has no slot free.

    Args:
        t: The run on its way to PENDING.
        cancel: Whether it is cancelled, rather than to wait.
        wait_seconds: After how long it is tried again.
    """
    if cancel:
        cancelled: State[None] = State(type=StateType.CANCELLED, message=_NO_SLOT, timestamp=t.now)
        return t.reject(_NO_SLOT, cancelled)
    wait = timedelta(seconds=wait_seconds)
    due = t.current.state_details.scheduled_time if t.current is not None else None
    if (
        t.current is not None
        and t.current.name == AWAITING_SLOT
        and due is not None
        and aware(due) - t.now > wait / 2
    ):
        # Another worker has asked just now, and it stays as it is.
        return t.reject(_NO_SLOT)
    details = StateDetails(scheduled_time=t.now + wait)
    waiting: State[None] = State(
        type=StateType.SCHEDULED, name=AWAITING_SLOT, state_details=details, timestamp=t.now
    )
    return t.reject(_NO_SLOT, waiting)


def call(run: FlowRun, at: datetime) -> State[None]:
    """Make the state in which a run that waited for a slot is due at once, before those that came later.

    Args:
        run: The run.
        at: The current time.
    """
    first = run.expected_start_time
    details = StateDetails(scheduled_time=at if first is None else min(first, at))
    message = "A slot of its deployment is free."
    return State(type=StateType.SCHEDULED, message=message, state_details=details, timestamp=at)


def refuse_task_run(t: Transition[TaskRun], tag: str, limit: int, wait_seconds: float) -> Decision:
    """Decide on a task run whose tag has no slot free.

    Args:
        t: The run on its way to RUNNING.
        tag: The tag.
        limit: How many slots there are.
        wait_seconds: After how long to ask again.
    """
    if limit <= 0:
        return t.abort(
            f'The concurrency limit on tag "{tag}" is {limit} '
            "and will deadlock if the task tries to run again."
        )
    return t.wait(f"Concurrency limit for the {tag} tag has been reached", round(wait_seconds))
