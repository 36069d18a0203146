"""One thread for all that comes from a cluster: nothing of ours runs in the threads of its library."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic

from prefect.logging.loggers import get_logger

__all__ = ["SILENCE", "Errands"]

SILENCE = 5.0
"""Seconds without an errand after which it is looked why."""


class Errands:
    """Does in a thread what it is given, in order; and what is to be done now and then.

    Args:
        name: Of the thread.
        pace: Returns the seconds until the next sweep; None where there is nothing to sweep.
        sweep: Called so often; returns whether anything was heard by it.
        look: Called after some seconds of silence.
    """

    def __init__(
        self,
        name: str,
        *,
        pace: Callable[[], float | None],
        sweep: Callable[[], bool],
        look: Callable[[], object],
    ) -> None:
        self._pace = pace
        self._sweep = sweep
        self._look = look
        self._queue: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def put(self, errand: Callable[[], object]) -> None:
        """Have something done."""
        self._queue.put(errand)

    def put_later(self, seconds: float, errand: Callable[[], object]) -> None:
        """Have something done in a while; at once, where the system gives no thread to wait in."""
        timer = threading.Timer(seconds, self._queue.put, [errand])
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            self._queue.put(errand)

    def close(self) -> None:
        """Do what was given so far, and end the thread."""
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _serve(self) -> None:
        heard_at = swept_at = monotonic()
        while True:
            pace = self._pace()
            try:
                errand = self._queue.get(timeout=SILENCE if pace is None else pace)
            except Empty:
                pass
            else:
                if errand is None:
                    return
                heard_at = monotonic()
                _attempt(errand)
                del errand  # or it would keep what it told of until the next comes
            if pace is not None and monotonic() - swept_at >= pace:
                swept_at = monotonic()
                if _attempt(self._sweep):
                    heard_at = swept_at
            if monotonic() - heard_at >= SILENCE:
                heard_at = monotonic()
                _attempt(self._look)


def _attempt(work: Callable[[], object]) -> object:
    try:
        return work()
    except Exception:  # noqa: BLE001 - the other runs must go on
        get_logger("task_runners").exception("What a cluster told could not be taken")
        return None
