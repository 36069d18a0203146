"""States of runs: constructors for each kind and name, and what to do with one that stands for a failure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from prefect.exceptions import PausedRun
from prefect.rules.final_states import state_of_value
from prefect.schemas.actions import StateCreate
from prefect.schemas.asynchrony import is_async_here
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import (
    NO_DETAILS,
    TERMINAL_STATES,
    State,
    StateDetails,
    StateGroup,
    StateType,
)
from prefect.schemas.states import get_state_exception as exception_of
from prefect.types import now

__all__ = [
    "NO_DETAILS",
    "TERMINAL_STATES",
    "AwaitingConcurrencySlot",
    "AwaitingRetry",
    "Cached",
    "Cancelled",
    "Cancelling",
    "Completed",
    "Crashed",
    "Failed",
    "InfrastructurePending",
    "Late",
    "Paused",
    "PausedRun",
    "Pending",
    "ResultRecord",
    "Retrying",
    "RolledBack",
    "Running",
    "Scheduled",
    "State",
    "StateDetails",
    "StateGroup",
    "StateType",
    "Submitting",
    "Suspended",
    "TimedOut",
    "aget_state_exception",
    "araise_state_exception",
    "exception_to_crashed_state",
    "exception_to_failed_state",
    "format_exception",
    "get_state_exception",
    "get_state_result",
    "is_state",
    "is_state_iterable",
    "raise_state_exception",
    "return_value_to_state",
    "to_state_create",
]

R = TypeVar("R")


def _scheduled(scheduled_time: datetime | None, fields: dict[str, Any], name: str) -> State[Any]:
    fields = {"name": name, **fields}
    details = _as_details(fields.pop("state_details", None))
    if details.scheduled_time is not None and scheduled_time is not None:
        raise ValueError("Give the scheduled time as an argument or within state_details, not both.")
    due = scheduled_time or details.scheduled_time or now()
    details = msgspec.structs.replace(details, scheduled_time=due)
    return State(type=StateType.SCHEDULED, state_details=details, **fields)


def _as_details(given: StateDetails | dict[str, Any] | None) -> StateDetails:
    return StateDetails.model_validate(given) if isinstance(given, dict) else given or NO_DETAILS


def _state(kind: StateType, fields: dict[str, Any], name: str | None = None) -> State[Any]:
    if name is not None:
        fields = {"name": name, **fields}
    if isinstance(fields.get("state_details"), dict):
        fields = {**fields, "state_details": _as_details(fields["state_details"])}
    return State(type=kind, **fields)


def Scheduled(scheduled_time: datetime | None = None, **fields: Any) -> State[Any]:
    """Make a state of a run that is due at a time (now, if none is given)."""
    return _scheduled(scheduled_time, fields, "Scheduled")


def Late(scheduled_time: datetime | None = None, **fields: Any) -> State[Any]:
    """Make a state of a run that should have started by now."""
    return _scheduled(scheduled_time, fields, "Late")


def AwaitingRetry(scheduled_time: datetime | None = None, **fields: Any) -> State[Any]:
    """Make a state of a run that failed and will be tried again at a time."""
    return _scheduled(scheduled_time, fields, "AwaitingRetry")


def AwaitingConcurrencySlot(scheduled_time: datetime | None = None, **fields: Any) -> State[Any]:
    """Make a state of a run that waits for a free slot."""
    return _scheduled(scheduled_time, fields, "AwaitingConcurrencySlot")


def Pending(**fields: Any) -> State[Any]:
    """Make a state of a run that is being prepared."""
    return _state(StateType.PENDING, fields)


def Submitting(**fields: Any) -> State[Any]:
    """Make a state of a run whose process or infrastructure is being asked for."""
    return _state(StateType.PENDING, fields, "Submitting")


def InfrastructurePending(**fields: Any) -> State[Any]:
    """Make a state of a run whose infrastructure was asked for and is not up yet."""
    return _state(StateType.PENDING, fields, "InfrastructurePending")


def Running(**fields: Any) -> State[Any]:
    """Make a state of a run whose user code runs."""
    return _state(StateType.RUNNING, fields)


def Retrying(**fields: Any) -> State[Any]:
    """Make a state of a run whose user code runs again after a failure."""
    return _state(StateType.RUNNING, fields, "Retrying")


def Completed(**fields: Any) -> State[Any]:
    """Make a state of a run that ended well."""
    return _state(StateType.COMPLETED, fields)


def Cached(**fields: Any) -> State[Any]:
    """Make a state of a run whose result was already known."""
    return _state(StateType.COMPLETED, fields, "Cached")


def RolledBack(**fields: Any) -> State[Any]:
    """Make a state of a run whose transaction was undone."""
    return _state(StateType.COMPLETED, fields, "RolledBack")


def Failed(**fields: Any) -> State[Any]:
    """Make a state of a run whose user code raised."""
    return _state(StateType.FAILED, fields)


def TimedOut(**fields: Any) -> State[Any]:
    """Make a state of a run that took longer than it may."""
    return _state(StateType.FAILED, fields, "TimedOut")


def Crashed(**fields: Any) -> State[Any]:
    """Make a state of a run whose process or infrastructure went away."""
    return _state(StateType.CRASHED, fields)


def Cancelling(**fields: Any) -> State[Any]:
    """Make a state of a run that is being cancelled."""
    return _state(StateType.CANCELLING, fields)


def Cancelled(**fields: Any) -> State[Any]:
    """Make a state of a run that was cancelled."""
    return _state(StateType.CANCELLED, fields)


def Paused(
    timeout_seconds: float | None = None,
    pause_expiration_time: datetime | None = None,
    reschedule: bool = False,
    pause_key: str | None = None,
    **fields: Any,
) -> State[Any]:
    """Make a state of a run that waits for somebody to resume it.

    Args:
        timeout_seconds: How long it waits, in seconds.
        pause_expiration_time: Until when it waits; not together with `timeout_seconds`.
        reschedule: Whether the run's process ends, and a new one takes over when it is resumed.
        pause_key: Names the pause, so that a run passes it once.
        **fields: Fields of the state.

    Raises:
        ValueError: Both a timeout and an expiration time were given.
    """
    if timeout_seconds is not None and pause_expiration_time is not None:
        raise ValueError("Give either timeout_seconds or pause_expiration_time, not both.")
    if timeout_seconds is not None:
        pause_expiration_time = now() + timedelta(seconds=timeout_seconds)
    details = msgspec.structs.replace(
        _as_details(fields.pop("state_details", None)),
        pause_timeout=pause_expiration_time,
        pause_reschedule=reschedule,
        pause_key=pause_key,
    )
    return State(type=StateType.PAUSED, state_details=details, **{"name": "Paused", **fields})


def Suspended(
    timeout_seconds: float | None = None,
    pause_expiration_time: datetime | None = None,
    pause_key: str | None = None,
    **fields: Any,
) -> State[Any]:
    """Make a state of a run whose process has ended until somebody resumes it; arguments as for `Paused`."""
    return Paused(timeout_seconds, pause_expiration_time, True, pause_key, **{"name": "Suspended", **fields})


def is_state(value: Any) -> bool:
    """Whether a value is a state."""
    return isinstance(value, State)


def is_state_iterable(value: Any) -> bool:
    """Whether a value is a non-empty list, tuple or set of states."""
    return (
        isinstance(value, list | tuple | set)
        and bool(value)
        and all(isinstance(item, State) for item in value)
    )


def get_state_exception(state: State[Any]) -> Any:
    """Return the exception of a state that is not COMPLETED; to async code, a coroutine of it.

    Args:
        state: A failed, crashed or cancelled state.

    Raises:
        TypeError: The state is none of these three kinds.
    """
    return aget_state_exception(state) if is_async_here() else exception_of(state)


async def aget_state_exception(state: State[Any]) -> BaseException:
    """Return the exception of a state; as `get_state_exception`, for async code."""
    return exception_of(state)


def raise_state_exception(state: State[Any]) -> Any:
    """Raise what a state stands for; a state that is no failure passes. Async code has to await it.

    Raises:
        Exception: The run's own exception, or `FailedRun`, `CrashedRun`, `CancelledRun`.
        prefect.exceptions.PausedRun: The run is paused.
    """
    return araise_state_exception(state) if is_async_here() else _raise(state)


async def araise_state_exception(state: State[Any]) -> None:
    """Raise what a state stands for; as `raise_state_exception`, for async code."""
    _raise(state)


def _raise(state: State[Any]) -> None:
    if state.is_failed() or state.is_crashed() or state.is_cancelled():
        raise exception_of(state)
    if state.is_paused():
        raise PausedRun("Run is paused.", state=state)


def get_state_result(state: State[R], raise_on_failure: bool = True) -> Any:
    """Return the result of a state; the same as `state.result(...)`."""
    return state.result(raise_on_failure=raise_on_failure)


def format_exception(error: BaseException) -> str:
    """Write an exception as `Type: text`, the way messages of states hold it."""
    try:
        text = str(error)
    except Exception as problem:  # noqa: BLE001 - whatever the exception's own __str__ raises
        text = f"(its text cannot be shown: {type(problem).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def exception_to_failed_state(error: BaseException, prefix: str = "", **fields: Any) -> State[Any]:
    """Make a failed state of an exception.

    Args:
        error: What user code raised.
        prefix: Said before the exception in the message.
        **fields: Further fields of the state.
    """
    message = f"{prefix} {format_exception(error)}".strip()
    return Failed(message=message, data=ResultRecord(result=error), **fields)


_CRASH_TEXTS: Iterable[tuple[str, str]] = (
    ("KeyboardInterrupt", "Execution was aborted by a keyboard interrupt."),
    ("CancelledError", "Execution was cancelled by the runtime environment."),
    ("TerminationSignal", "Execution was aborted by a termination signal."),
    ("SystemExit", "Execution was aborted by Python system exit call."),
    ("StoppedAtDeadline", "Execution was stopped: the time of a run around this one was up."),
    ("GeneratorExit", "Execution ended before the generator did: nobody asked for the rest."),
)


def exception_to_crashed_state(error: BaseException, **fields: Any) -> State[Any]:
    """Make a crashed state of what ended a run from outside.

    Args:
        error: A `KeyboardInterrupt`, a cancellation, a termination signal …
        **fields: Further fields of the state.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    known = next((text for name, text in _CRASH_TEXTS if name in names), None)
    message = known or f"Execution was interrupted by an unexpected exception: {format_exception(error)}"
    return Crashed(message=message, data=ResultRecord(result=error), **fields)


async def return_value_to_state(value: Any, *_store: Any, **_options: Any) -> State[Any]:
    """Return the state in which a run ends whose function returned this value.

    Args:
        value: What the function returned: a state stands for itself, several states for their sum.
        _store: Accepted for the interface's sake, like all options: nothing is kept here.
    """
    return state_of_value(value, NO_DETAILS)


def to_state_create(state: State[Any]) -> StateCreate:
    """Return what is sent to have a run enter a state."""
    return StateCreate(
        type=state.type,
        name=state.name,
        message=state.message,
        data=state.data.metadata if isinstance(state.data, ResultRecord) else state.data,
        state_details=state.state_details,
    )
