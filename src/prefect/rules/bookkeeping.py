"""What a run remembers of the states it went through."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.states import TERMINAL_STATES, State, StateType

__all__ = ["enter_state", "estimate"]


def enter_state(run: FlowRun | TaskRun, state: State[Any]) -> None:
    """Make a state a run's current one, and keep the run's counts and times in step.

    The run is changed in place: this is in the path of every task. A run that resumes from a pause goes on
    with the attempt it was in, so only other ways into RUNNING count as a new one.

    Args:
        run: The run, with its current state (or none) in `state` and `state_type`.
        state: The state that it enters.
    """
    kind, at = state.type, state.timestamp
    left, previous = run.state_type, run.state
    if left is StateType.RUNNING and previous is not None:
        run.total_run_time += max(0.0, (at - previous.timestamp).total_seconds())
    if kind is StateType.RUNNING and left is not StateType.PAUSED:
        run.run_count += 1
    has_ended = kind in TERMINAL_STATES
    if run.start_time is None and (has_ended or kind is StateType.RUNNING):
        run.start_time = at
    run.end_time = at if has_ended else None
    scheduled = state.state_details.scheduled_time if kind is StateType.SCHEDULED else None
    run.next_scheduled_start_time = scheduled
    if run.expected_start_time is None:
        run.expected_start_time = scheduled or at
    run.state, run.state_id, run.state_type, run.state_name = state, state.id, kind, state.name


def estimate(run: FlowRun | TaskRun, now: datetime) -> None:
    """Bring a run's estimates, which no state changes but time does, up to date.

    Args:
        run: The run; it is changed in place.
        now: The current time.
    """
    running = run.state if run.state_type is StateType.RUNNING else None
    since = (now - running.timestamp).total_seconds() if running is not None else 0.0
    run.estimated_run_time = run.total_run_time + max(0.0, since)
    due = run.expected_start_time
    late = ((run.start_time or now) - due).total_seconds() if due is not None else 0.0
    run.estimated_start_time_delta = max(0.0, late)
