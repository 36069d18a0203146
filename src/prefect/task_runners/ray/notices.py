"""That a task runs, and what it logs, told while it does: of one that takes long, the answer comes late.

A quick task costs nothing by it: a worker tells only of what has run for a second, and where it tells is made
when the first answer is overdue. A notice may be lost; the answer has all that it said.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import sleep
from typing import Any, NamedTuple

import ray

from prefect.logging.loggers import get_logger
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State
from prefect.task_runners.remote import told
from prefect.task_runners.remote.reminders import PAUSE
from prefect.task_runners.remote.running import Show

__all__ = ["Mailbox", "show"]

_PAUSE_SECONDS = 1.0
"""How long a task runs before it is told of, and how long nobody is looked for who is not there."""
_END_SECONDS = 10.0
_log = get_logger("task_runners")


class _Notices:
    """What workers have told: an actor, which waits for who asks."""

    def __init__(self) -> None:
        self._notices: list[tuple[bytes, bytes]] = []
        self._is_there = asyncio.Event()

    async def put(self, run_id: bytes, message: bytes) -> None:
        """Take a notice."""
        self._notices.append((run_id, message))
        self._is_there.set()

    async def take(self) -> list[tuple[bytes, bytes]]:
        """Give out what has come; waits for the first."""
        await self._is_there.wait()
        self._is_there.clear()
        taken, self._notices = self._notices, []
        return taken


class Mailbox:
    """Where the workers of one flow run tell what they do.

    Args:
        name: What they know it by.
        take: Called with notices: the run's id, and a message for `RemoteRun.take`.
    """

    def __init__(self, name: str, take: Callable[[list[tuple[bytes, bytes]]], object]) -> None:
        self._name = name
        self._take = take
        self._actor: Any = None
        # A cluster that is gone would hold up the thread that is to notice it.
        self._opening = _started(self._open)

    def close(self) -> None:
        """Take no more notices."""
        if self._opening is not None:
            self._opening.join(_END_SECONDS)
        if self._actor is not None:
            ray.kill(self._actor)

    def _open(self) -> None:
        try:
            self._actor = ray.remote(num_cpus=0)(_Notices).options(name=self._name).remote()
            self._ask()
        except Exception as error:  # noqa: BLE001 - runs are seen to run a little later: no harm
            _log.debug("There is no way for Ray's workers to tell that tasks run: %r", error)

    def _ask(self) -> None:
        self._actor.take.remote().future().add_done_callback(self._took)

    def _took(self, taken: Future[Any]) -> None:
        if taken.exception() is None:  # else it is closed
            self._take(taken.result())
            self._ask()


class _Shown(NamedTuple):
    """The run that a worker has under way."""

    record: TaskRunRecord
    new_logs: Callable[[], bytes | None]
    mailbox: str


class _Watch:
    """The run that this worker has under way; its thread looks at it time and again."""

    def __init__(self) -> None:
        self._shown: _Shown | None = None
        self._seen = 0
        self._told: State[Any] | None = None
        self._is_asleep = True
        self._waking = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, shown: _Shown | None) -> None:
        """Have a run watched from now on; None: no run."""
        self._shown = shown
        self._seen += 1
        if shown is not None and self._is_asleep:
            self._is_asleep = False
            self._waking.set()
            if self._thread is None:
                self._thread = _started(self._look)
                self._is_asleep = self._thread is None

    def _look(self) -> None:
        while True:
            shown, seen = self._shown, self._seen
            sleep(_PAUSE_SECONDS)
            if self._seen != seen:
                continue  # quick tasks: to be woken for each would cost them more than all else here
            if shown is not None:
                self._follow(shown)
                continue
            self._waking.clear()
            self._is_asleep = True
            if self._seen == seen:  # else one was shown just now
                self._waking.wait()

    def _follow(self, seen: _Shown) -> None:
        """Tell of a run for as long as it is under way."""
        try:
            put = ray.get_actor(seen.mailbox).put.remote
            while self._shown is seen:
                self._tell(put, seen)
                sleep(PAUSE)
        except Exception as error:  # noqa: BLE001 - not there yet, or no more
            _log.debug("Nobody was told that task run %s runs: %r", seen.record.run.id, error)

    def _tell(self, put: Callable[[bytes, bytes], object], seen: _Shown) -> None:
        run_id, state = seen.record.run.id.bytes, seen.record.run.state
        if state is not None and state is not self._told:
            put(run_id, told(seen.record))
            self._told = state
        logs = seen.new_logs()
        if logs is not None:
            put(run_id, logs)


def _started(look: Callable[[], object]) -> threading.Thread | None:
    """Return a thread that has been started; None where the system gives no more: tasks do without."""
    thread = threading.Thread(target=look, name="prefect-ray-notices", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        _log.debug("Task runs on Ray are seen to run when they have ended: %r", error)
        return None
    return thread


_watch = _Watch()


def show(mailbox: str) -> Show:
    """Return what is to be called with the run that this worker has under way.

    Args:
        mailbox: The name of the one to tell.
    """

    def show_run(record: TaskRunRecord | None, new_logs: Callable[[], bytes | None]) -> None:
        _watch.show(None if record is None else _Shown(record, new_logs, mailbox))

    return show_run
