"""States: what a run is doing, or how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from prefect.exceptions import CancelledRun, CrashedRun, FailedRun, MissingResult, PausedRun, UnfinishedRun
from prefect.schemas.asynchrony import is_async_here
from prefect.schemas.base import FrozenSchema, Schema
from prefect.schemas.results import ResultRecord, ResultRecordMetadata, read_persisted
from prefect.types import now, uuid7

__all__ = [
    "NO_DETAILS",
    "TERMINAL_STATES",
    "State",
    "StateDetails",
    "StateGroup",
    "StateType",
    "get_state_exception",
    "result_of",
]

R = TypeVar("R")


class StateType(str, Enum):  # noqa: UP042 - existing code relies on its text: `StateType.FAILED`
    """The nine kinds of state. A state's name says more (`Late` is a name of SCHEDULED)."""

    SCHEDULED = "SCHEDULED"
    """Due at a time, perhaps in the past."""
    PENDING = "PENDING"
    """Being prepared."""
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    """User code raised, or ran out of time."""
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"
    """The process or machine went away under the run."""
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"

    __str__ = __repr__ = Enum.__str__
    __format__ = Enum.__format__  # of texts that are enums, Python's releases give different ones


TERMINAL_STATES = frozenset(
    {StateType.COMPLETED, StateType.CANCELLED, StateType.FAILED, StateType.CRASHED},
)
_FAILURES = TERMINAL_STATES - {StateType.COMPLETED}
_DEFAULT_NAMES = {kind: kind.value.capitalize() for kind in StateType}


class StateDetails(FrozenSchema, frozen=True):
    """Facts that go with a state; all of them are optional."""

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    child_flow_run_id: UUID | None = None
    scheduled_time: datetime | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    deferred: bool | None = False
    untrackable_result: bool = False
    pause_timeout: datetime | None = None
    pause_reschedule: bool = False
    pause_key: str | None = None
    run_input_keyset: dict[str, str] | None = None
    refresh_cache: bool | None = None
    retriable: bool | None = None
    transition_id: UUID | None = None
    task_parameters_id: UUID | None = None
    traceparent: str | None = None
    deployment_concurrency_lease_id: UUID | None = None


NO_DETAILS = StateDetails()


class State(Schema, Generic[R], weakref=True):
    """What a run is doing, or how it ended.

    Args:
        type: The kind of state.
        name: Its name; left out, the kind's own (`Completed`).
        message: For people.
        data: A result, an exception, or the `ResultRecord` of either.
    """

    type: StateType
    name: str | None = None
    message: str | None = None
    data: Any = None
    state_details: StateDetails = NO_DETAILS
    timestamp: datetime = msgspec.field(default_factory=now)
    id: UUID = msgspec.field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if type(self.type) is not StateType:
            self.type = StateType(self.type)
        name, message = self.name, self.message
        if name is None:
            self.name = _DEFAULT_NAMES[self.type]
        elif not isinstance(name, str):
            raise TypeError(f"The name of a state must be text, not {name!r}.")
        if message is not None and not isinstance(message, str):
            raise TypeError(f"The message of a state must be text, not {message!r}.")

    def __hash__(self) -> int:
        """Hash by id, so that states can be in sets, as futures can that they take the place of."""
        return hash(self.id)

    def is_scheduled(self) -> bool:
        """Whether the run waits for a time."""
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        """Whether the run is being prepared."""
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        """Whether user code runs."""
        return self.type is StateType.RUNNING

    def is_completed(self) -> bool:
        """Whether the run ended well."""
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        """Whether the run ended because user code raised or ran out of time."""
        return self.type is StateType.FAILED

    def is_crashed(self) -> bool:
        """Whether the run ended because its process or machine went away."""
        return self.type is StateType.CRASHED

    def is_cancelled(self) -> bool:
        """Whether the run was cancelled."""
        return self.type is StateType.CANCELLED

    def is_cancelling(self) -> bool:
        """Whether the run is being cancelled."""
        return self.type is StateType.CANCELLING

    def is_paused(self) -> bool:
        """Whether the run waits for somebody to resume it."""
        return self.type is StateType.PAUSED

    def is_final(self) -> bool:
        """Whether the run has ended, one way or another."""
        return self.type in TERMINAL_STATES

    def result(self, raise_on_failure: bool = True, retry_result_failure: bool = True) -> Any:
        """Return the run's result; in a run of a coroutine function, a coroutine of it, as `aresult` does.

        Args:
            raise_on_failure: Raise what a failed run raised; otherwise return it.
            retry_result_failure: Accepted for the interface's sake: reads of storage are retried by the
                storage.

        Returns:
            What the user's function returned; the exception, where it raised one and `raise_on_failure` is
            off.

        Raises:
            prefect.exceptions.UnfinishedRun: The run is still under way.
            prefect.exceptions.PausedRun: The run is paused.
            prefect.exceptions.MissingResult: The run finished, but its result is not kept.
            Exception: What the run raised.
        """
        if is_async_here():
            return self.aresult(raise_on_failure, retry_result_failure)
        return result_of(self, raise_on_failure)

    async def aresult(self, raise_on_failure: bool = True, retry_result_failure: bool = True) -> Any:
        """Return the run's result; as `result`, for async code."""
        return result_of(self, raise_on_failure)

    def __str__(self) -> str:
        """Write the state the way logs show it: `Completed()`, `Failed('why')`, `Cached(type=COMPLETED)`."""
        facts = [repr(self.message)] if self.message else []
        if self.name != _DEFAULT_NAMES[self.type]:
            facts.append(f"type={self.type.value}")
        return f"{self.name}({', '.join(facts)})"

    def __repr__(self) -> str:
        data = self.data.result if isinstance(self.data, ResultRecord) else self.data
        return f"{self.name}(message={self.message!r}, type={self.type.value}, result={data!r})"


class StateGroup:
    """Counts over several states.

    Args:
        states: The states to count.
    """

    def __init__(self, states: Iterable[State[Any]]) -> None:
        self.states = list(states)
        self.type_counts = dict.fromkeys(StateType, 0)
        for state in self.states:
            self.type_counts[state.type] += 1
        self.total_count = len(self.states)
        self.not_final_count = sum(not state.is_final() for state in self.states)
        self.cancelled_count = self.type_counts[StateType.CANCELLED]
        self.final_count = self.total_count - self.not_final_count

    def fail_count(self) -> int:
        """Return how many failed or crashed."""
        return self.type_counts[StateType.FAILED] + self.type_counts[StateType.CRASHED]

    def all_completed(self) -> bool:
        """Whether every state is COMPLETED."""
        return self.type_counts[StateType.COMPLETED] == self.total_count

    def any_cancelled(self) -> bool:
        """Whether one was cancelled."""
        return self.cancelled_count > 0

    def any_failed(self) -> bool:
        """Whether one failed or crashed."""
        return self.fail_count() > 0

    def any_paused(self) -> bool:
        """Whether one is paused."""
        return self.type_counts[StateType.PAUSED] > 0

    def all_final(self) -> bool:
        """Whether all have ended."""
        return self.not_final_count == 0

    def counts_message(self) -> str:
        """Say how many states of each kind there are."""
        parts = [f"total={self.total_count}"]
        parts += [f"{kind.value!r}={count}" for kind, count in self.type_counts.items() if count]
        return ", ".join(parts)


def result_of(state: State[Any], raise_on_failure: bool = True) -> Any:
    """Return the result of a state, to code of every kind; see `State.result`."""
    if state.type is StateType.COMPLETED:
        return _value_of(state)
    if state.type is StateType.PAUSED:
        raise PausedRun("Run is paused, its result is not available.", state=state)
    if state.type not in TERMINAL_STATES:
        why = f": {state.message}" if state.message else "."
        raise UnfinishedRun(f"Run is in {state.type.value} state, its result is not available{why}")
    if not raise_on_failure and isinstance(state.data, ResultRecord):
        # An exception, or what else the user's function returned: states of other runs, say.
        return state.data.result
    error = get_state_exception(state)
    if raise_on_failure:
        raise error
    return error


def get_state_exception(state: State[Any]) -> BaseException:
    """Return the exception that stands for a state that is not COMPLETED.

    Args:
        state: A failed, crashed or cancelled state.

    Returns:
        The run's own exception where it is known, else one of `FailedRun`, `CrashedRun`, `CancelledRun`, with
        the state's message.

    Raises:
        TypeError: The state is none of these three kinds.
    """
    wrapper, default = {
        StateType.FAILED: (FailedRun, "Run failed."),
        StateType.CRASHED: (CrashedRun, "Run crashed."),
        StateType.CANCELLED: (CancelledRun, "Run cancelled."),
    }.get(state.type, (None, ""))
    if wrapper is None:
        raise TypeError(f"Unexpected state type: {state.type.value!r} is no failure.")
    data = _unwrap(state.data)
    if isinstance(data, BaseException):
        return data
    if isinstance(data, State):
        if data.type in _FAILURES:
            return get_state_exception(data)
        return wrapper(" ".join(text for text in (state.message, data.message) if text) or default)
    if isinstance(data, str):
        return wrapper(data)
    if isinstance(data, list | tuple | set) and data and all(isinstance(item, State) for item in data):
        for item in data:
            if item.type in _FAILURES:
                return get_state_exception(item)
    return wrapper(state.message or default)


def _unwrap(data: Any) -> Any:
    if isinstance(data, ResultRecord):
        return data.result
    if isinstance(data, ResultRecordMetadata):
        return read_persisted(data)
    if isinstance(data, dict) and "storage_key" in data and "serializer" in data:
        # The form in which the store and the wire keep it.
        return read_persisted(ResultRecordMetadata.model_validate(data))
    return data


def _value_of(state: State[Any]) -> Any:
    if state.data is None:
        if state.state_details.task_run_id is None and state.state_details.flow_run_id is None:
            return None
        raise MissingResult(
            "The run completed, but its result was not kept: it lived in the process that made it. "
            "Set persist_result=True on the task or flow to keep results."
        )
    return _unwrap(state.data)
