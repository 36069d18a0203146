"""Futures of task runs, alone and in numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from prefect.engine.future import PrefectConcurrentFuture, PrefectFuture, wait_all
from prefect.engine.slots import SlotGivenUp
from prefect.operations.task_runs import read_task_run
from prefect.rules.inputs import replace
from prefect.schemas.states import State, StateType, result_of

__all__ = [
    "DoneAndNotDoneFutures",
    "PrefectConcurrentFuture",
    "PrefectDistributedFuture",
    "PrefectFuture",
    "PrefectFutureList",
    "PrefectWrappedFuture",
    "as_completed",
    "resolve_futures_to_results",
    "resolve_futures_to_states",
    "wait",
]

R = TypeVar("R")
F = TypeVar("F", bound=PrefectFuture[Any])

PrefectWrappedFuture = PrefectConcurrentFuture


_SOON, _LATER = 0.02, 0.25
"""Seconds between two looks at a run that another process carries out: few at first, then more."""


class PrefectDistributedFuture(PrefectFuture[R]):
    """A task run that another process carries out. It can be pickled, and made again of the run's id.

    Args:
        task_run_id: The task run's id.
    """

    __slots__ = ("_final", "_run_id")

    def __init__(self, task_run_id: UUID) -> None:
        self._run_id = task_run_id
        self._final: State[Any] | None = None

    @property
    def task_run_id(self) -> UUID:
        """The task run's id."""
        return self._run_id

    @property
    def state(self) -> State[Any]:
        """The run's current state, as the store or the server has it."""
        if self._final is not None:
            return self._final
        from prefect.client.current import get_caller  # noqa: PLC0415 - import budget

        found = get_caller().call(read_task_run, self._run_id).state
        state: State[Any] = found if found is not None else State(type=StateType.PENDING)
        # What an upstream run has kept from running will not run any more.
        if state.is_final() or state.name == "NotReady":
            self._final = state
        return state

    def done(self) -> bool:
        """Whether the run has finished."""
        _ = self.state  # remembers a final one
        return self._final is not None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has finished, `timeout` seconds at most."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _SOON
        with SlotGivenUp():
            while not self.done():
                left = pause if deadline is None else min(pause, deadline - time.monotonic())
                if left <= 0:
                    return
                time.sleep(left)
                pause = min(1.5 * pause, _LATER)

    async def wait_async(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the interface
        """Wait until the run has finished; `wait` for async code."""
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        await asyncio.to_thread(self.wait, timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the run and return its result, which the worker has kept; see `PrefectFuture.result`.

        Raises:
            TimeoutError: The run did not finish in time.
            prefect.exceptions.MissingResult: The result is not where this process looks for it.
            Exception: What the run raised.
        """
        self.wait(timeout)
        if self._final is None:
            raise TimeoutError(f"Task run {self._run_id} did not complete within {timeout} seconds")
        return result_of(self._final, raise_on_failure)  # type: ignore[no-any-return]

    async def result_async(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the interface has it
        raise_on_failure: bool = True,
    ) -> R:
        """Wait for the run and return its result; `result` for async code."""
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        return await asyncio.to_thread(self.result, timeout, raise_on_failure)

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], object]) -> None:
        """Have a function called with this future when the run has finished; at once, if it has."""
        if self._final is not None:
            fn(self)
            return
        import contextvars  # noqa: PLC0415 - import budget
        import threading  # noqa: PLC0415 - import budget

        def follow() -> None:
            self.wait()
            fn(self)

        context = contextvars.copy_context()
        name = f"prefect-waits-for-{self._run_id}"
        threading.Thread(target=context.run, args=(follow,), name=name, daemon=True).start()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrefectDistributedFuture) and other._run_id == self._run_id

    def __hash__(self) -> int:
        return hash(self._run_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(task_run_id={str(self._run_id)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[UUID]]:
        return type(self), (self._run_id,)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # As another implementation pickles its own; what it remembers of the run is looked up again.
        self.__init__(state["_task_run_id"])  # type: ignore[misc]


class PrefectFutureList(list[PrefectFuture[R]], Generic[R]):
    """Futures, in the order of what they were made from."""

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all have finished.

        Args:
            timeout: Seconds to wait at most, in all.
        """
        wait_all(self, timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[R]:
        """Return all results, in order.

        Args:
            timeout: Seconds to wait at most, in all.
            raise_on_failure: Raise what the first failed run raised; otherwise its exception is in the list.

        Raises:
            TimeoutError: They did not finish in time.
            Exception: What a run raised.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        results: list[R] = []
        for future in self:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                results.append(future.result(timeout=left, raise_on_failure=raise_on_failure))
            except TimeoutError as error:
                if left is None or getattr(future, "done", lambda: True)():
                    raise  # the run's own
                raise TimeoutError(
                    f"Timed out waiting for all futures to complete within {timeout} seconds"
                ) from error
        return results


class DoneAndNotDoneFutures(NamedTuple, Generic[R]):
    """What `wait` gives: futures that have finished, and those that have not."""

    done: set[PrefectFuture[R]]
    not_done: set[PrefectFuture[R]]


def wait(futures: Iterable[PrefectFuture[R]], timeout: float | None = None) -> DoneAndNotDoneFutures[R]:
    """Wait for futures.

    Args:
        futures: The futures.
        timeout: Seconds to wait at most, in all.

    Returns:
        Those that have finished, and those that have not.
    """
    given = list(futures)
    wait_all(given, timeout)
    done = {future for future in given if _has_finished(future)}
    return DoneAndNotDoneFutures(done, set(given) - done)


def as_completed(futures: Iterable[F], timeout: float | None = None) -> Iterator[F]:
    """Give futures as they finish.

    Args:
        futures: The futures.
        timeout: Seconds to wait at most, in all.

    Yields:
        Each future, the first to finish first.

    Raises:
        TimeoutError: Not all finished in time; the text says how many did not.
    """
    from queue import Empty, SimpleQueue  # noqa: PLC0415 - import budget

    unique = set(futures)
    finished: SimpleQueue[Any] = SimpleQueue()
    for future in unique:
        future.add_done_callback(finished.put)
    deadline = None if timeout is None else time.monotonic() + timeout
    for given in range(len(unique)):
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            with SlotGivenUp():
                future = finished.get(timeout=left)
        except Empty:
            raise TimeoutError(f"{len(unique) - given} (of {len(unique)}) futures unfinished") from None
        yield future


def resolve_futures_to_states(value: Any) -> Any:
    """Wait for the futures in a value, and put their states in their place."""
    return _resolve(value, lambda future: future.state)


def resolve_futures_to_results(value: Any) -> Any:
    """Wait for the futures in a value, and put their results in their place.

    Raises:
        Exception: What one of the runs raised.
    """
    return _resolve(value, lambda future: future.result())


def _resolve(value: Any, by: Any) -> Any:
    def finish(future: PrefectFuture[Any]) -> Any:
        future.wait()
        return by(future)

    if isinstance(value, PrefectFuture):
        return finish(value)
    return replace(list(value) if isinstance(value, PrefectFutureList) else value, (PrefectFuture,), finish)


def _has_finished(future: PrefectFuture[Any]) -> bool:
    if isinstance(future, PrefectConcurrentFuture | PrefectDistributedFuture):
        return future.done()
    state: State[Any] = future.state
    return state.is_final()
