"""Results of tasks that ran elsewhere: kept there, and fetched when they are asked for."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from prefect.engine.future import PrefectConcurrentFuture
from prefect.exceptions import SerializationError
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State, StateType, result_of

if TYPE_CHECKING:
    from prefect.task_runners.remote.ended import Ended

__all__ = ["Outcome", "RemoteFuture", "RemoteResult"]

R = TypeVar("R")


class Outcome:
    """How a run ended, with its value: what stays on the cluster for the tasks that are given it.

    Args:
        state: The run's last state.
        is_needed: Whether somebody may ask the cluster for it: the value has not come along with the answer.
    """

    __slots__ = ("is_needed", "state")

    def __init__(self, state: State[Any], *, is_needed: bool = True) -> None:
        self.state = state
        self.is_needed = is_needed

    @property
    def value(self) -> Any:
        """What the task returned, or raised."""
        data = self.state.data
        return data.result if isinstance(data, ResultRecord) else data

    def __sizeof__(self) -> int:
        """Return the size of the value, which a cluster's bookkeeping goes by."""
        return object.__sizeof__(self) + int(getattr(self.value, "nbytes", 0) or sys.getsizeof(self.value))

    def __reduce__(self) -> tuple[Any, ...]:
        return Outcome, (self.state,)


class RemoteResult(ResultRecord):
    """A result that is elsewhere, or here in bytes, until somebody asks for it."""

    content: bytes | None = None
    """The pickled value, where it is small."""
    fetch: Callable[[], Any] | None = None
    """Gets the value from the cluster."""
    handle: Any = None
    """What the cluster knows it by; None once the value is here."""
    owner: Any = None
    """The runner on whose cluster it is."""
    what: str = "The result of a task run"
    """What messages call it."""
    note: Callable[[Any], None] | None = None
    """Called with the value when it arrives."""
    is_here: bool = False
    value: Any = None

    @property  # type: ignore[misc]
    def result(self) -> Any:
        """The value."""
        if not self.is_here:
            if self.content is not None:
                self.value = self._read(self.content)
            elif self.fetch is not None:
                self.value = self.fetch()
            self.is_here = True
            if self.note is not None:
                self.note(self.value)
            self.content = self.fetch = self.handle = self.owner = self.note = None
        return self.value

    def _read(self, content: bytes) -> Any:
        try:
            return pickle.loads(content)
        except Exception as error:
            raise SerializationError(
                f"{self.what} has arrived, and cannot be read here: {error!r}. This process needs the "
                "modules of what its tasks return, in the same versions as workers."
            ) from error

    def __reduce__(self) -> tuple[Any, ...]:
        # Whoever gets it has no way to the cluster.
        if self.content is not None:
            return _arrived, (self.content, self.metadata)
        return _whole, (self.result, self.metadata)


def _arrived(content: bytes, metadata: Any) -> ResultRecord:
    return RemoteResult(content=content, metadata=metadata)


def _whole(result: Any, metadata: Any) -> ResultRecord:
    return ResultRecord(result=result, metadata=metadata)


class RemoteFuture(PrefectConcurrentFuture[R]):
    """A task run in another process, perhaps of another machine.

    Its result stays there until it is asked for; given to another task, it goes there without passing here.

    Args:
        task_run_id: The task run's id.
    """

    __slots__ = ("_ended", "handle", "owner")

    def __init__(self, task_run_id: UUID, owner: object) -> None:
        super().__init__(task_run_id)
        self.owner = owner
        """The runner on whose cluster the result is."""
        self.handle: Any = None
        """What the cluster knows the outcome by; None before the run is sent, and once it was let go."""
        self._ended: Ended | None = None

    @property
    def task_run_id(self) -> UUID:
        """The task run's id."""
        # Read again at last: another thread may just have put it back.
        run_id: UUID | None = self._run_id
        ended = self._ended
        return run_id or (ended.task_run_id if ended is not None else self._run_id)

    @property
    def state(self) -> State[Any]:
        """The run's current state; Pending until it starts."""
        state = super().state
        if state is _ENDED_WELL:
            self._unfold()
            state = super().state
        return state

    def end_well(self, ended: Ended) -> None:
        """Say that the run has finished, and let its state be made only when somebody asks for it."""
        self._ended = ended
        self._run_id = None  # type: ignore[assignment]  # in what was kept it takes fewer bytes
        self.complete(_ENDED_WELL)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the run and return its result; see `PrefectFuture.result`."""
        final, ended = self._end(timeout), self._ended
        if final is not _ENDED_WELL or ended is None:  # None: another thread has made the state just now
            return result_of(super().state, raise_on_failure)  # type: ignore[no-any-return]  # as below
        value = ended.value()
        if type(value) not in _ATOMS:
            self._become(ended.state(value))  # so that who asks again gets the same object
        return value  # type: ignore[no-any-return]  # it is the run's

    def _unfold(self) -> None:
        ended = self._ended
        if ended is not None:
            self._become(ended.state())

    def _become(self, state: State[Any]) -> None:
        ended = self._ended
        if ended is not None:
            self._run_id = ended.task_run_id
            self._final = state
            self._ended = None


_ATOMS = frozenset({int, float, str, bytes, bool, type(None), complex})
_ENDED_WELL: State[Any] = State(type=StateType.COMPLETED)
"""Stands for the states of all runs that ended well, until somebody asks for one."""
