"""The pure lifecycle of a run: what comes next, given what happened. No I/O, no clock, no settings.

A run makes attempts. Each ends in one of the four outcomes below, and `after_attempt` decides: try again, or end in a
state. The drivers carry the decision out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State, StateDetails, StateGroup, StateType
from prefect.states import exception_to_crashed_state, exception_to_failed_state, is_state_iterable

__all__ = ["Finish", "Interrupted", "Outcome", "Raised", "Retry", "Returned", "RunOutOfTime", "after_attempt", "state_of"]


class Returned(msgspec.Struct, frozen=True):
    """The user's function returned."""

    value: Any


class Raised(msgspec.Struct, frozen=True):
    """The user's function raised."""

    error: Exception


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


def state_of(outcome: Outcome, *, kind: str, details: StateDetails) -> State[Any]:
    """Return the state in which an attempt with this outcome ends.

    Args:
        outcome: How the attempt ended.
        kind: `Flow` or `Task`, as messages say it.
        details: Details for the state.
    """
    match outcome:
        case Returned(value):
            return _state_of_value(value, details)
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
            return exception_to_failed_state(error, f"{kind} run encountered an exception{colon}", state_details=details)
        case Interrupted(interruption):
            return exception_to_crashed_state(interruption, state_details=details)


def _state_of_value(value: Any, details: StateDetails) -> State[Any]:
    """Turn what a user's function returned into a final state, by the interface's rules.

    A state that the user made stands for itself; of states of other runs, one that did not complete fails this run; all
    else is a result.
    """
    if isinstance(value, State):
        own = value.state_details
        if own.flow_run_id is None and own.task_run_id is None:
            data = value.data if isinstance(value.data, ResultRecord) else ResultRecord(result=value.data)
            return msgspec.structs.replace(value, state_details=_merged(own, details), data=data)
        return _state_of_states([value], value, details)
    if type(value) in (list, tuple, set) and is_state_iterable(value):
        return _state_of_states(value, value, details)
    return State(type=StateType.COMPLETED, data=ResultRecord(result=value), state_details=details)


def _state_of_states(states: Iterable[State[Any]], value: Any, details: StateDetails) -> State[Any]:
    group = StateGroup(states)
    data = ResultRecord(result=value)
    if group.all_completed():
        return State(
            type=StateType.COMPLETED, message="All states completed.", data=data, state_details=details
        )
    if group.any_cancelled():
        message = f"{group.cancelled_count}/{group.total_count} states cancelled."
        return State(type=StateType.CANCELLED, message=message, data=data, state_details=details)
    if group.any_paused():
        message = f"{group.type_counts[StateType.PAUSED]}/{group.total_count} states paused."
        return State(type=StateType.PAUSED, message=message, data=data, state_details=details)
    if group.any_failed():
        message = f"{group.fail_count()}/{group.total_count} states failed."
    else:
        message = f"{group.not_final_count}/{group.total_count} states are not final."
    return State(type=StateType.FAILED, message=message, data=data, state_details=details)


def _merged(own: StateDetails, details: StateDetails) -> StateDetails:
    """Keep a returned state's own details, but say whose state it is now."""
    return msgspec.structs.replace(own, flow_run_id=details.flow_run_id, task_run_id=details.task_run_id)
