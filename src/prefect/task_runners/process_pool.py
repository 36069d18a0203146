"""Processes of this machine that run what `remote` packs, and tell of it while they do.

What a process tells comes by a pipe that all of one pool share. A process may be killed while it writes to
it; then the pool, which cannot go on without a member, and the pipe are given up together. All that was
written before is read to the end first, so it is known of each run whether it had begun. An answer comes by
the executor's own way, which may be faster: it says how many messages were written before it.

Servers are told by the process that made the pool, as everything comes by it anyhow: a process that is killed
takes nothing along.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from prefect.logging.loggers import get_logger
from prefect.task_runners.remote import RemoteRun, SharedPart, run_parcel

__all__ = ["ProcessPool"]

_READ_OUT = 10.0
"""Seconds to read what processes that have ended have written."""
_LOOK = 1.0
"""Seconds between two looks whether anybody still reads."""


class _Running:
    """A run that a process has, and how many of its messages were taken."""

    __slots__ = ("run", "taken")

    def __init__(self, run: RemoteRun) -> None:
        self.run = run
        self.taken = 0


class ProcessPool:
    """Some processes, and what they tell.

    Args:
        max_workers: How many.
    """

    def __init__(self, max_workers: int) -> None:
        # Spawned, since a fork would copy locks that other threads hold.
        context = multiprocessing.get_context("spawn")
        self._told: Any = context.SimpleQueue()
        self._place = Path(tempfile.mkdtemp(prefix="prefect-tasks-"))
        self._shared: set[str] = set()
        self._runs: dict[bytes, _Running] = {}
        self._lock = threading.Lock()
        self._taking = threading.Condition()
        self._is_closed = False
        self._executor = ProcessPoolExecutor(max_workers, context, _begin, (self._told, str(self._place)))
        self._reader = threading.Thread(target=self._read, name="prefect-processes", daemon=True)
        self._reader.start()

    def run(self, run: RemoteRun) -> None:
        """Have a process run a task, and wait until it has ended.

        Args:
            run: The run.

        Raises:
            prefect.exceptions.SerializationError: It cannot be sent.
            concurrent.futures.process.BrokenProcessPool: A process has ended, and so has the pool.
        """
        shared, packed = run.pack()
        self._share(shared)
        run_id = run.record.run.id.bytes
        running = self._runs[run_id] = _Running(run)
        try:
            answer, told = self._result(run_id, packed.parcel)
            with self._taking:
                while running.taken < told and self._reader.is_alive():
                    self._taking.wait(_LOOK)
                run.take(answer)
        except BrokenProcessPool:
            self.close()  # while what was told of the run is still taken
            raise
        finally:
            self._runs.pop(run_id, None)

    def _result(self, run_id: bytes, parcel: bytes) -> tuple[bytes, int]:
        try:
            return self._executor.submit(_run_here, run_id, parcel).result()
        except CancelledError:
            raise BrokenProcessPool("The pool was ended.") from None
        except RuntimeError as error:
            if self._is_closed and not isinstance(error, BrokenProcessPool):
                raise BrokenProcessPool("The pool was ended.") from error
            raise

    def close(self, *, kill: bool = False) -> None:
        """End the processes, and read what they have told.

        Args:
            kill: Do not wait for what they do.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if kill:
                for process in list((self._executor._processes or {}).values()):
                    process.terminate()
            self._executor.shutdown(wait=not kill, cancel_futures=kill)
            # With the last of those that write, reading comes to an end.
            self._told._writer.close()
            self._reader.join(_READ_OUT)
            shutil.rmtree(self._place, ignore_errors=True)

    def _share(self, shared: SharedPart) -> None:
        with self._lock:
            if shared.key in self._shared or self._is_closed:
                return
            (self._place / shared.key).write_bytes(shared.content)
            self._shared.add(shared.key)

    def _read(self) -> None:
        while True:
            try:
                run_id, message = self._told.get()
            except (EOFError, OSError):
                return
            running = self._runs.get(run_id)
            if running is None:
                continue
            with self._taking:
                try:
                    running.run.take(message)
                except Exception:  # noqa: BLE001 - the other runs must go on
                    get_logger("task_runners").exception("What a process told of a task could not be taken")
                running.taken += 1
                self._taking.notify_all()


# --- in the processes ---------------------------------------------------------------------------------------

_tell: Callable[[tuple[bytes, bytes]], None] = lambda _: None  # noqa: E731 - until a process begins
_shared_place = Path()


def _begin(told: Any, shared_place: str) -> None:
    """Begin in a new process of a pool."""
    global _tell, _shared_place
    _tell, _shared_place = told.put, Path(shared_place)
    _end_with_parent()


def _run_here(run_id: bytes, parcel: bytes) -> tuple[bytes, int]:
    """Run a task; return the answer, and how many messages went before it."""
    told = 0

    def send(message: bytes) -> None:  # called by one thread at a time
        nonlocal told
        _tell((run_id, message))
        told += 1

    answer, _ = run_parcel(parcel, _find_shared, send=send, most=None, tells_server=False)
    return answer, told


def _find_shared(key: str) -> bytes:
    return (_shared_place / key).read_bytes()


def _end_with_parent() -> None:
    """End this process when the one that made it is gone: a killed one cannot tell its pool to end."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait: Callable[[], None] = parent.join

    def follow() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=follow, name="prefect-parent", daemon=True).start()
