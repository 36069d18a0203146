"""Has a worker tell in time what runs have told it, though they tell no more for a while.

One thread of the process sees to it, and sleeps while there is nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic, sleep

from prefect.logging.loggers import get_logger
from prefect.types import call_in_forked_child

__all__ = ["PAUSE", "remind"]

PAUSE = 0.1
"""Seconds that what a run tells may wait for more to go with it."""


class _Reminders:
    def __init__(self) -> None:
        self._due: deque[tuple[float, Callable[[], object]]] = deque()
        self._is_there = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, call: Callable[[], object]) -> bool:
        with self._is_there:
            if self._thread is None and not self._start():
                return False
            self._due.append((monotonic() + PAUSE, call))
            if len(self._due) == 1:
                self._is_there.notify()
            return True

    def _start(self) -> bool:
        thread = threading.Thread(target=self._run, name="prefect-reminders", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no thread: who asked does without
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._is_there:
                while not self._due:
                    self._is_there.wait()
                at, call = self._due.popleft()
            sleep(max(0.0, at - monotonic()))
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever a way of messages raises that is no more
                get_logger("task_runners").debug("What a run has told cannot be sent: %r", error)


_reminders = _Reminders()


def remind(call: Callable[[], object]) -> bool:
    """Have a function called, by another thread, when `PAUSE` has passed.

    Returns:
        Whether it will be: the system may have no thread for it.
    """
    return _reminders.add(call)


def _begin_anew() -> None:
    global _reminders
    _reminders = _Reminders()


call_in_forked_child(_begin_anew)
