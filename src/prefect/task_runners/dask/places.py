"""The place that a task holds among the threads of its Dask worker, given up while it waits for the cluster.

Dask's own `secede` and `rejoin` are for the thread that the worker runs the task in. Code of a task also runs
elsewhere: in the thread of a deadline, in those of tasks within it, and an event loop must not wait for a
place. So whatever thread asks does it in the name of the worker's: it takes the place of that one for the
moment.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from distributed import rejoin, secede
from distributed.threadpoolexecutor import thread_state, threads_lock
from distributed.utils import set_thread_state
from distributed.utils import thread_state as task_state

__all__ = ["HeldPlace", "held_place", "holding_place"]


class HeldPlace:
    """The place of the task that the calling thread, one of a worker's, runs."""

    def __init__(self) -> None:
        self._thread = threading.current_thread()
        # Of this thread, though others reach it by this name.
        self._facts: dict[str, Any] = thread_state.__dict__
        self._task = {name: task_state.__dict__.get(name) for name in ("key", "start_time")}
        self._turn = threading.Lock()
        """Held also while somebody waits for a place to come back to."""
        self._guard = threading.Lock()
        self._waiting = 0
        self._is_given_up = False
        self._is_over = "executor" not in self._facts

    @contextmanager
    def given_up(self) -> Generator[None, None, None]:
        """Let the worker run another task meanwhile."""
        self.give_up()
        try:
            yield
        finally:
            self.take_back()

    def give_up(self) -> None:
        """Let the worker run another task, until `take_back` was called as often as this."""
        with self._turn, self._guard:
            self._waiting += 1
            if not (self._is_over or self._is_given_up):
                self._is_given_up = True
                with self._lent():
                    self._move(self._thread, threading.current_thread())
                    secede()
                self._facts["proceed"] = False  # as `secede` says of the thread that calls it

    def take_back(self) -> None:
        """Wait until the worker has a place for the task again, unless others of it still wait."""
        with self._turn:
            self._waiting -= 1
            if self._waiting or self._is_over or not self._is_given_up:
                return
            with self._lent():
                try:
                    rejoin()
                finally:
                    self._return_to_the_worker()

    def end(self) -> None:
        """Say that the worker is done with the task; code of it that goes on has no place any more."""
        with self._guard:
            self._is_over = True

    def _return_to_the_worker(self) -> None:
        with self._guard:
            if self._is_over:  # its deadline has passed meanwhile: the place is for others
                with threads_lock:
                    executor = self._facts["executor"]
                    executor._threads.discard(threading.current_thread())
                    executor._adjust_thread_count()
                return
            self._move(threading.current_thread(), self._thread)
            self._is_given_up = False
            self._facts["proceed"] = True

    def _move(self, old: threading.Thread, new: threading.Thread) -> None:
        with threads_lock:
            threads = self._facts["executor"]._threads
            threads.discard(old)
            threads.add(new)

    @contextmanager
    def _lent(self) -> Generator[None, None, None]:
        """Have Dask take the calling thread to be the one that runs the task."""
        own: dict[str, Any] = thread_state.__dict__
        if own is self._facts:
            yield
            return
        before = dict(own)
        own.update(self._facts)
        try:
            with set_thread_state(**self._task):
                yield
        finally:
            own.clear()
            own.update(before)


held_place: ContextVar[HeldPlace | None] = ContextVar("held_place", default=None)
"""That of the task here."""


@contextmanager
def holding_place() -> Generator[None, None, None]:
    """Let the code within find the place that its task holds."""
    place = HeldPlace()
    token = held_place.set(place)
    try:
        yield
    finally:
        held_place.reset(token)
        place.end()
