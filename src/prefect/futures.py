"""Futures of task runs, alone and in numbers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from prefect.engine.future import PrefectConcurrentFuture, PrefectFuture, wait_all
from prefect.engine.slots import SlotGivenUp
from prefect.rules.inputs import replace
from prefect.schemas.states import State

__all__ = [
    "DoneAndNotDoneFutures",
    "PrefectConcurrentFuture",
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
    if isinstance(future, PrefectConcurrentFuture):
        return future.done()
    state: State[Any] = future.state
    return state.is_final()
