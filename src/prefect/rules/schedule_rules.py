"""Rules about the time that a state is scheduled for; flow runs and task runs share them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from prefect.rules.decision import Decision, Transition
from prefect.schemas.states import State, StateType
from prefect.types import aware

__all__ = ["awaiting_retry", "keep_scheduled_time", "start_on_time"]

_WAITING = (StateType.SCHEDULED, StateType.PENDING)


def keep_scheduled_time(t: Transition[Any]) -> Decision | None:
    """A scheduled run always knows when it is due, and still knows it while it is prepared."""
    if t.proposed.state_details.scheduled_time is not None:
        return None
    due = t.current.state_details.scheduled_time if t.current is not None else None
    if t.kind is StateType.SCHEDULED:
        # A late run is late for the time it had; other schedules without a time are due now.
        t.propose(scheduled_time=(due if t.proposed.name == "Late" else None) or t.now)
    elif t.kind is StateType.PENDING and t.left in _WAITING and due is not None:
        t.propose(scheduled_time=due)
    return None


def start_on_time(t: Transition[Any]) -> Decision | None:
    """A run does not start before its time."""
    if t.kind is not StateType.RUNNING or t.current is None:
        return None
    due = t.current.state_details.scheduled_time
    if due is None or t.left not in _WAITING:
        return None
    seconds = round((aware(due) - t.now).total_seconds())
    return t.wait("Scheduled time is in the future", seconds) if seconds > 0 else None


def awaiting_retry(t: Transition[Any], delay: float) -> State[Any]:
    """Make the state in which a run waits for its next attempt.

    It keeps the details of the failed state, its transition id among them: a failure that is reported again
    after a lost answer is then known as the same one.

    Args:
        t: The run on its way to FAILED.
        delay: Seconds to wait.
    """
    due = t.now + timedelta(seconds=delay)
    return State(
        type=StateType.SCHEDULED,
        name="AwaitingRetry",
        message=t.proposed.message,
        data=t.proposed.data,
        state_details=msgspec.structs.replace(t.proposed.state_details, scheduled_time=due),
        timestamp=t.now,
    )
