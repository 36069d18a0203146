"""Several processes that serve one listener, and the one that watches over them.

They know nothing of each other: what they share is the database. One that ends by itself is replaced.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType

from prefect.exceptions import PrefectException

__all__ = ["supervise"]

logger = logging.getLogger("prefect.server")

LEAST_SECONDS = 5.0
"""A process that lived shorter than this is not replaced before that time has passed."""
_STOPPING = (signal.SIGTERM, signal.SIGINT)


def supervise(count: int, work: Callable[[], None], announce: Callable[[], None] | None = None) -> None:
    """Have processes work until this one gets SIGINT or SIGTERM, which it passes on to them.

    Args:
        count: How many.
        work: What each does.
        announce: Is called when they are there.
    """
    pool = _Pool(count, work)
    before = {number: signal.signal(number, pool.stop) for number in _STOPPING}
    try:
        pool.fill()
        if announce is not None:
            announce()
        pool.watch()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Pool:
    def __init__(self, count: int, work: Callable[[], None]) -> None:
        self._count = count
        self._work = work
        self._began: dict[int, float] = {}
        self._stopping: int | None = None
        # Nothing is written: what counts is that it is closed when this process ends, however that happens.
        self._life, self._own_life = os.pipe()

    def fill(self) -> None:
        while self._stopping is None and len(self._began) < self._count:
            # No signal between the fork and the note of it: it would pass the new process by.
            signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
            pid = os.fork()
            if pid == 0:
                self._be_worker()
            self._began[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def watch(self) -> None:
        while self._began:
            pid, status = os.wait()
            began = self._began.pop(pid, None)
            if began is None or self._stopping is not None:
                continue
            logger.error(
                "The server's process %d ended (exit code %d); another takes its place.",
                pid,
                os.waitstatus_to_exitcode(status),
            )
            time.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - began)))
            self.fill()

    def stop(self, number: int, frame: FrameType | None = None) -> None:
        self._stopping = number
        for pid in self._began:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue

    def _be_worker(self) -> None:
        """Do the work, and never return: this process is a copy of one that has other things to do."""
        code = 1
        try:
            for number in _STOPPING:
                signal.signal(number, signal.SIG_DFL)
            os.close(self._own_life)
            threading.Thread(target=_end_with, args=(self._life,), daemon=True).start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            self._work()
            code = 0
        except PrefectException as error:
            logger.error("%s", error)
        except BaseException:  # noqa: BLE001 - whatever it is, the process ends with it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _end_with(life: int) -> None:
    """End this process when the one that watches over it has ended, and nobody would pass signals on."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
