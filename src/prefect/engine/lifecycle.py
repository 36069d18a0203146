"""The pure lifecycle of a run: what comes next, given what happened. No I/O, no clock, no settings.

A run makes attempts. Each ends in one of the four outcomes below, and `after_attempt` decides: try again, or
end in a state. The drivers carry the decision out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from prefect.exceptions import Abort, Cancellation
from prefect.rules.final_states import state_of_value
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State, StateDetails, StateType
from prefect.states import exception_to_crashed_state, exception_to_failed_state

__all__ = [
    "Finish",
    "Interrupted",
    "Outcome",
    "Raised",
    "Retry",
    "Returned",
    "RunOutOfTime",
    "after_attempt",
    "awaiting_retry",
    "state_of",
]


class Returned(msgspec.Struct, frozen=True):
    """The user's function returned."""

    value: Any


class Raised(msgspec.Struct, frozen=True):
    """The user's function raised; an `Abort` of another run is an error to this one."""

    error: Exception | Abort


class RunOutOfTime(msgspec.Struct, frozen=True):
    """The user's function did not end in the time it was given."""

    error: Exception
    seconds: float


class Interrupted(msgspec.Struct, frozen=True):
    """The run was ended from outside: Ctrl-C, SIGTERM, a cancelled asyncio task."""

    error: BaseException


Outcome = Returned | Raised | RunOutOfTime | Interrupted


class Retry(msgspec.Struct, frozen=True):
    """Try again after a delay."""

    delay: float
    """Seconds."""
    state: State[Any]
    """The failed state that the attempt would have ended in."""

    @property
    def when(self) -> str:
        """When the next attempt begins, for people."""
        return "immediately" if self.delay <= 0 else f"{round(self.delay, 3):g} second(s) from now"


class Finish(msgspec.Struct, frozen=True):
    """End in a state."""

    state: State[Any]


def after_attempt(
    outcome: Outcome,
    *,
    kind: str,
    details: StateDetails,
    retries_left: int,
    delay: Callable[[], float],
    may_retry: bool = True,
) -> Retry | Finish:
    """Decide what follows an attempt.

    Args:
        outcome: How the attempt ended.
        kind: `Flow` or `Task`, as messages say it.
        details: Details for the state.
        retries_left: How many more attempts the run has.
        delay: Gives the seconds to wait before the next attempt; asked only if there is one.
        may_retry: What the user's retry condition says.

    Returns:
        `Retry` for a failure with attempts left; else `Finish`. What was interrupted is never tried again.
    """
    state = state_of(outcome, kind=kind, details=details)
    if state.type is StateType.FAILED and retries_left > 0 and may_retry:
        return Retry(delay=delay(), state=state)
    return Finish(state=state)


def awaiting_retry(decision: Retry, details: StateDetails, at: datetime) -> State[Any]:
    """Return the state in which a flow run waits for its next attempt.

    Args:
        decision: That there is one.
        details: Details for the state.
        at: The current time.
    """
    due = at + timedelta(seconds=decision.delay)
    return State(
        type=StateType.SCHEDULED,
        name="AwaitingRetry",
        message=decision.state.message,
        state_details=details.model_copy(update={"scheduled_time": due}),
    )


def state_of(outcome: Outcome, *, kind: str, details: StateDetails) -> State[Any]:
    """Return the state in which an attempt with this outcome ends.

    Args:
        outcome: How the attempt ended.
        kind: `Flow` or `Task`, as messages say it.
        details: Details for the state.
    """
    match outcome:
        case Returned(value):
            return state_of_value(value, details)
        case RunOutOfTime(error, seconds):
            message = f"{kind} run exceeded timeout of {float(seconds)} second(s)"
            return State(
                type=StateType.FAILED,
                name="TimedOut",
                message=message,
                data=ResultRecord(result=error),
                state_details=details,
            )
        case Raised(error):
            colon = ":" if kind == "Flow" else ""  # the interface's own texts differ so
            return exception_to_failed_state(
                error, f"{kind} run encountered an exception{colon}", state_details=details
            )
        case Interrupted(Cancellation() as signal):
            return State(type=StateType.CANCELLED, message=str(signal), state_details=details)
        case Interrupted(interruption):
            return exception_to_crashed_state(interruption, state_details=details)
