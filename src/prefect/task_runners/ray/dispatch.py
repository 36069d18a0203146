"""Takes runs to Ray, and their answers home.

Nobody waits for a run in a thread of its own: Ray says when an answer is there, and one thread takes all of
them in. A run that is given futures is sent when they have finished: until then it is known here alone, so
what becomes of it does not depend on workers. Their values stay where they are; Ray takes them from worker to
worker.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import UUID

import ray
from ray import exceptions as errors

from prefect.exceptions import SerializationError
from prefect.logging.loggers import get_logger
from prefect.schemas.states import State, StateType
from prefect.states import exception_to_failed_state
from prefect.task_runners.ray.cluster import Cluster, Fetch
from prefect.task_runners.ray.entry import flush_worker, remote_function
from prefect.task_runners.remote import RemoteRun

__all__ = ["Dispatch"]

_BACKLOG = 1_000
"""How many runs may be under way before `.submit()` waits; more, where there are many processors."""
_LOOK_SECONDS = 5.0
_LOST_SECONDS = 25.0
"""How long a cluster may be away. Ray ends the whole process after a minute."""
_FLUSH_SECONDS = 10.0
_NOT_BEGUN = "The flow run ended before this task began."
_NOT_ENDED = "The flow run ended before this task did."
_GONE = "The worker of this task ended before the task did: killed, out of memory, or its machine is gone"
_WORKER_GONE = (
    errors.WorkerCrashedError,
    errors.NodeDiedError,
    errors.LocalRayletDiedError,
    errors.OutOfMemoryError,
    errors.ObjectLostError,
)


class _Entry:
    """A run that has not ended."""

    __slots__ = ("answer", "left", "options", "outcome", "run")

    def __init__(self, run: RemoteRun, options: dict[str, Any]) -> None:
        self.run = run
        self.options = options
        self.left = 0
        """How many futures it waits for."""
        self.answer: Any = None
        """What Ray will answer by; None before it is sent."""
        self.outcome: Any = None
        """What Ray will know its value by."""

    @property
    def id(self) -> UUID:
        """The run's id."""
        return self.run.record.run.id


class Dispatch:
    """The runs of one flow run on Ray.

    Args:
        cluster: Where they run.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.has_server = False
        """Whether workers tell a server what happens."""
        self._entries: dict[UUID, _Entry] = {}
        self._functions: dict[str, Any] = {}
        self._events: SimpleQueue[tuple[_Entry, Future[Any] | None] | None] = SimpleQueue()
        self._changed = threading.Condition()
        self._most = max(_BACKLOG, 4 * cluster.processors)
        self._away_since: float | None = None
        self._is_lost = False
        self._thread = threading.Thread(target=self._take_in, name="prefect-ray", daemon=True)
        self._thread.start()

    def add(self, run: RemoteRun, options: dict[str, Any]) -> None:
        """Have a run carried out; waits while very many are under way."""
        entry = _Entry(run, options)
        with self._changed:
            if threading.current_thread() is not self._thread:  # it makes the room
                self._changed.wait_for(lambda: len(self._entries) < self._most)
            self._entries[entry.id] = entry
        waiting = run.waits_for()
        entry.left = len(waiting)
        for future in waiting:
            future.add_done_callback(lambda _: self._events.put((entry, None)))
        if not waiting:
            self._send(entry)

    def join(self) -> None:
        """Wait until all runs have ended, and let the cluster go."""
        with self._changed:
            self._changed.wait_for(lambda: not self._entries)
        if self.has_server and not self._is_lost:
            self._flush_workers()
        self.close()

    def close(self) -> None:
        """End the thread, and let the cluster go."""
        self._events.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._functions.clear()
        self.cluster.leave(is_lost=self._is_lost)

    def cancel_queued(self) -> None:
        """Take back the runs that have not begun."""
        for entry in list(self._entries.values()):
            if entry.answer is None:
                self._end(entry, State(type=StateType.CANCELLED, message=_NOT_BEGUN))
            elif not self._is_lost:
                ray.cancel(entry.answer)  # one that has begun takes no notice: see `entry`

    def cancel_all(self, seconds: float) -> None:
        """Take back what has not begun, and end the workers of the rest.

        Args:
            seconds: How long Ray may take to say what has not begun.
        """
        self.cancel_queued()
        with self._changed:
            self._changed.wait_for(lambda: not self._entries, timeout=seconds)
        for entry in list(self._entries.values()):
            if entry.answer is not None and not self._is_lost:
                ray.cancel(entry.answer, force=True)
            self._end(entry, State(type=StateType.CRASHED, message=_NOT_ENDED))

    def _send(self, entry: _Entry) -> None:
        run = entry.run
        try:
            shared, packed = run.pack(_scatter)
        except SerializationError as error:
            run.fail(error)
            self._forget(entry)
            return
        try:
            function = self._functions.get(shared.key)
            if function is None:
                function = self._functions[shared.key] = remote_function(shared, run.task.name)
            if entry.options:
                function = function.options(**entry.options)
            answer, outcome = function.remote(packed.parcel, *packed.handles)
        except Exception as error:  # noqa: BLE001 - options that Ray does not know, a cluster that is gone
            failure = RuntimeError(f"Ray does not take a run of task {run.task.name!r}: {error}")
            self._end(entry, exception_to_failed_state(failure, "Task run encountered an exception"))
            return
        entry.answer, entry.outcome = answer, outcome
        if entry.id not in self._entries:
            ray.cancel(answer)  # given up meanwhile
        # In a thread of Ray's, which has more to do than this.
        answer.future().add_done_callback(lambda answered: self._events.put((entry, answered)))

    def _take_in(self) -> None:
        while True:
            try:
                event = self._events.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._look()
                continue
            if event is None:
                return
            self._away_since = None
            entry, answered = event
            if answered is not None:
                self._take(entry, answered)
                continue
            entry.left -= 1
            if not entry.left and entry.id in self._entries:
                self._send(entry)

    def _take(self, entry: _Entry, answered: Future[Any]) -> None:
        if entry.id not in self._entries:
            return  # given up meanwhile
        run = entry.run
        error = answered.exception()
        if error is None:
            fetch = Fetch(entry.outcome, run.record.run.name)
            run.future.handle = entry.outcome
            try:
                run.take(answered.result(), fetch, is_kept=False)
            except Exception as unread:  # noqa: BLE001 - whatever reading what another release has written raises
                run.crash(f"What the worker answered cannot be read: {unread!r}")
            if run.future.handle is not None:
                self.cluster.kept.add(fetch)
            self._forget(entry)
        elif isinstance(error, errors.TaskCancelledError):
            self._end(entry, State(type=StateType.CANCELLED, message=_NOT_BEGUN))
        elif isinstance(error, _WORKER_GONE):
            self._repeat(entry, f"{_GONE} ({type(error).__name__}).")
        else:
            # Not the task's own, which is in the answer: the worker lacks a module, say.
            text = str(error.cause if isinstance(error, errors.RayTaskError) else error).strip()
            message = f"The worker cannot run this task: {text}"
            self._end(entry, State(type=StateType.CRASHED, message=message))

    def _repeat(self, entry: _Entry, why: str) -> None:
        run = entry.run
        run.deaths += 1
        if run.deaths > run.task.retries:
            self._end(entry, State(type=StateType.CRASHED, message=why))
            return
        run.record.run.run_count = max(run.record.run.run_count, run.deaths)  # the worker could not say so
        run.await_retry(why)
        entry.answer = entry.outcome = None
        delay = run.task.retry_delay(run.deaths)
        if delay <= 0:
            self._send(entry)
            return
        entry.left = 1
        timer = threading.Timer(delay, self._events.put, [(entry, None)])
        timer.daemon = True
        timer.start()

    def _look(self) -> None:
        """Notice that the cluster is gone: Ray itself says nothing, and ends this process in a minute."""
        if not any(entry.answer is not None for entry in list(self._entries.values())):
            return
        if self.cluster.is_reachable():
            self._away_since = None
            return
        at = monotonic()
        if self._away_since is None:
            self._away_since = at
            get_logger("task_runners").warning("The Ray cluster at %s does not answer.", self.cluster.address)
        elif at - self._away_since >= _LOST_SECONDS:
            self._is_lost = True
            message = (
                f"The Ray cluster at {self.cluster.address} was lost: its head has not answered for "
                f"{at - self._away_since:.0f} seconds."
            )
            for entry in list(self._entries.values()):
                self._end(entry, State(type=StateType.CRASHED, message=message))

    def _flush_workers(self) -> None:
        """Have the workers tell the server all, before this process takes it that all is told.

        Nobody can name a worker of Ray's to it; but each of those that are idle gets one of many calls.
        """
        flush = ray.remote(num_cpus=1, max_retries=0)(flush_worker)
        calls = [flush.remote() for _ in range(self.cluster.processors)]
        done, late = ray.wait(calls, num_returns=len(calls), timeout=_FLUSH_SECONDS)
        for call in late:
            ray.cancel(call)
        get_logger("task_runners").debug("%d workers were asked to tell the server all", len(done))

    def _end(self, entry: _Entry, state: State[Any]) -> None:
        entry.run.end(state)
        self._forget(entry)

    def _forget(self, entry: _Entry) -> None:
        entry.answer = entry.outcome = None
        with self._changed:
            self._entries.pop(entry.id, None)
            self._changed.notify_all()


def _scatter(value: Any) -> Any:
    return ray.put(value)
