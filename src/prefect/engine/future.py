"""Futures of runs: what `.submit()` gives, and how threads wait for one.

A thread pool's future costs a lock, a condition and a list each, several microseconds of the few that a task
may cost. Here a future is a few slots, one lock is shared by all, and what a waiting thread needs is made
only when one waits.

A thread of a task runner holds one of the runner's slots. While it waits for another run it gives the slot
up, so a task that waits for tasks it submitted itself can never starve them, whatever the number of workers.
"""

from __future__ import annotations

import abc
import time
from _thread import LockType, allocate_lock, get_ident
from collections.abc import Callable, Iterable
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from prefect.engine.slots import SlotGivenUp
from prefect.logging.loggers import get_logger
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State, StateType, result_of
from prefect.types import call_in_forked_child

__all__ = ["PrefectConcurrentFuture", "PrefectFuture", "is_ending_runs", "wait_all"]

R = TypeVar("R")


class PrefectFuture(abc.ABC, Generic[R]):
    """A run that may not have finished yet."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def task_run_id(self) -> UUID:
        """The task run's id."""

    @property
    @abc.abstractmethod
    def state(self) -> State[Any]:
        """The run's current state."""

    @abc.abstractmethod
    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has finished.

        Args:
            timeout: Seconds to wait at most; returns then all the same.
        """

    @abc.abstractmethod
    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the run and return its result.

        Args:
            timeout: Seconds to wait at most.
            raise_on_failure: Raise what a failed run raised; otherwise return it.

        Raises:
            TimeoutError: The run did not finish in time.
            Exception: What the run raised.
        """

    @abc.abstractmethod
    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], object]) -> None:
        """Have a function called with this future when the run has finished; at once, if it has."""


# Guards the waiters and callbacks of every future; held for a few instructions at a time.
_lock = allocate_lock()


def _remake_lock() -> None:
    global _lock
    _lock = allocate_lock()  # another thread of the parent may have held it at the fork


call_in_forked_child(_remake_lock)

_ending: set[int] = set()
"""The threads that call done callbacks just now."""


def is_ending_runs() -> bool:
    """Whether a done callback calls this: its thread makes the room that a `.submit()` would wait for."""
    return get_ident() in _ending


class PrefectConcurrentFuture(PrefectFuture[R]):
    """A task run in a thread or process of a task runner.

    Args:
        task_run_id: The task run's id.
    """

    __slots__ = ("__weakref__", "_callbacks", "_final", "_record", "_run_id", "_waiters")

    def __init__(self, task_run_id: UUID) -> None:
        self._run_id = task_run_id
        self._record: TaskRunRecord | None = None
        self._final: State[Any] | None = None
        self._waiters: list[LockType] | None = None
        self._callbacks: list[Callable[[PrefectFuture[R]], object]] | None = None

    @property
    def task_run_id(self) -> UUID:
        """The task run's id."""
        return self._run_id

    @property
    def state(self) -> State[Any]:
        """The run's current state; Pending until it starts."""
        record, final = self._record, self._final  # in this order: the end comes before the record goes
        if final is not None:
            return final
        state = record.run.state if record is not None else None
        return state if state is not None else State(type=StateType.PENDING)

    def follow(self, record: TaskRunRecord) -> None:
        """Show the states of a run from now on."""
        self._record = record

    def done(self) -> bool:
        """Whether the run has finished."""
        return self._final is not None

    def complete(self, state: State[Any]) -> None:
        """Say that the run has finished: wakes who waits, calls who asked to be called."""
        with _lock:
            if self._final is not None:
                return  # given up already: what comes late changes nothing
            self._final = state
            self._record = None
            waiters, self._waiters = self._waiters, None
            callbacks, self._callbacks = self._callbacks, None
        for waiter in waiters or ():
            waiter.release()
        if callbacks:
            self._call_back_all(callbacks)

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], object]) -> None:
        """Have a function called with this future when the run has finished; at once, if it has."""
        with _lock:
            if self._final is None:
                self._callbacks = [*(self._callbacks or ()), fn]
                return
        self._call_back(fn)

    def _call_back_all(self, callbacks: Iterable[Callable[[PrefectFuture[R]], object]]) -> None:
        me = get_ident()
        is_within = me in _ending
        _ending.add(me)
        try:
            for callback in callbacks:
                self._call_back(callback)
        finally:
            if not is_within:
                _ending.discard(me)

    def _call_back(self, fn: Callable[[PrefectFuture[R]], object]) -> None:
        try:
            fn(self)
        except Exception:  # noqa: BLE001 - the thread that completes a run must go on
            get_logger("futures").exception("A done callback of task run %s failed", self.task_run_id)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has finished, `timeout` seconds at most."""
        if self._final is not None:
            return
        waiter = allocate_lock()
        waiter.acquire()
        with _lock:
            if self._final is not None:
                return
            if self._waiters is None:
                self._waiters = [waiter]
            else:
                self._waiters.append(waiter)
        with SlotGivenUp():
            waiter.acquire(timeout=-1 if timeout is None else max(0.0, timeout))
        with _lock:
            if self._waiters is not None and waiter in self._waiters:
                self._waiters.remove(waiter)  # out of time

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the run and return its result; see `PrefectFuture.result`."""
        return result_of(self._end(timeout), raise_on_failure)  # type: ignore[no-any-return]  # it is the run's

    def _end(self, timeout: float | None) -> State[Any]:
        """Wait for the run, and return its last state.

        Raises:
            TimeoutError: It did not finish in time.
        """
        if self._final is None:
            self.wait(timeout)
        final = self._final
        if final is None:
            raise TimeoutError(f"Task run {self.task_run_id} did not complete within {timeout} seconds")
        return final

    def __repr__(self) -> str:
        return f"{type(self).__name__}(task_run_id={str(self.task_run_id)!r}, state={self.state})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self


def wait_all(futures: Iterable[PrefectFuture[Any]], timeout: float | None = None) -> None:
    """Wait for several futures, `timeout` seconds at most in all."""
    deadline = None if timeout is None else time.monotonic() + timeout
    for future in futures:
        future.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
