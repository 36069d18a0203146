"""Takes runs to Ray, and their answers home.

Nobody waits for a run in a thread of its own: one thread takes all answers in, as many at a time as are
there. A run that is given futures is sent when they have finished: until then it is known here alone, so
what becomes of it does not depend on workers. Their values stay where they are; Ray takes them from worker to
worker.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import ray
from ray import exceptions as errors

from prefect.engine.future import is_ending_runs
from prefect.exceptions import SerializationError
from prefect.logging.loggers import get_logger
from prefect.schemas.states import State, StateType
from prefect.states import exception_to_crashed_state, exception_to_failed_state
from prefect.task_runners.ray.answers import Answers
from prefect.task_runners.ray.cluster import Cluster, Fetch
from prefect.task_runners.ray.entry import ID_LENGTH, flush_worker, remote_function
from prefect.task_runners.ray.notices import Mailbox
from prefect.task_runners.remote import LatelyEnded, NestedRuns, RemoteRun, SharedPart, errands

__all__ = ["Dispatch"]

_BACKLOG = 2_000
"""How many runs may be under way before `.submit()` waits; more, where there are many processors."""
_LOST_SECONDS = 25.0
"""How long a cluster may be away. Ray ends the whole process after a minute."""
_FLUSH_SECONDS = 10.0
_NOT_BEGUN = "The flow run ended before this task began."
_NOT_ENDED = "The flow run ended before this task did."
_GONE = "The worker of this task ended before the task did: killed, out of memory, or its machine is gone"
_LEFT = "This process has left the Ray cluster before the task ended: `ray.shutdown()` was called."
_WORKER_GONE = (
    errors.WorkerCrashedError,
    errors.NodeDiedError,
    errors.LocalRayletDiedError,
    errors.OutOfMemoryError,
    errors.ObjectLostError,
)


class _Entry:
    """A run that has not ended."""

    __slots__ = ("answer", "id", "left", "options", "outcome", "run")

    def __init__(self, run: RemoteRun, options: dict[str, Any]) -> None:
        self.run = run
        self.id: UUID = run.record.run.id
        self.options = options
        self.left = 0
        """How many futures it waits for."""
        self.answer: Any = None
        """What Ray will answer by; None before it is sent."""
        self.outcome: Any = None
        """What Ray will know its value by."""


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
        self._functions: dict[str, tuple[Any, dict[str, Any], Any]] = {}
        """By the key of what runs share: the function, the last options, and the function with those."""
        self._answers: Answers[_Entry] = Answers(self._answered)
        self._lately = LatelyEnded()
        self._nested = NestedRuns()
        self._name = f"prefect-{uuid4()}"
        self._mailbox: Mailbox | None = None
        self._is_asleep = False
        self._changed = threading.Condition()
        self._most = max(_BACKLOG, 4 * cluster.processors)
        # Whoever waits for room gets a good deal of it: to be woken for each run costs much.
        self._enough = self._most // 2
        self._away_since: float | None = None
        self._is_lost = False
        self._why_lost = ""
        self._errands = errands.Errands(
            "prefect-ray", pace=self._pace, sweep=self._look_for_answers, look=self._look
        )

    def add(self, run: RemoteRun, options: dict[str, Any]) -> None:
        """Have a run carried out; waits while very many are under way."""
        entry = _Entry(run, options)
        try:
            self._add(entry)
        except BaseException as error:
            # Ctrl-C, most likely: nobody gets the future, so nobody would hear of the run again.
            self._end(entry, exception_to_crashed_state(error))
            raise

    def _add(self, entry: _Entry) -> None:
        with self._changed:
            if len(self._entries) >= self._most and not is_ending_runs():
                self._changed.wait_for(lambda: len(self._entries) <= self._enough)
            self._entries[entry.id] = entry
        waiting = entry.run.waits_for()
        entry.left = len(waiting)
        for future in waiting:
            future.add_done_callback(lambda _: self._errands.put(lambda: self._advance(entry)))
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
        self._errands.close()
        self._lately.tell_again()
        self._functions.clear()
        if self._mailbox is not None and not self._is_lost:
            self._mailbox.close()
        self.cluster.leave(is_lost=self._is_lost)
        self._nested.finish()

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
            self._nested.add([entry.run], _NOT_ENDED)

    def _send(self, entry: _Entry) -> None:
        run = entry.run
        if self._is_lost:
            self._end(entry, State(type=StateType.CRASHED, message=self._why_lost))
            return
        try:
            shared, packed = run.pack(_scatter)
        except SerializationError as error:
            run.fail(error)
            self._forget(entry)
            return
        try:
            function = self._function(shared, run.task.name, entry.options)
            answer, outcome = function.remote(packed.parcel, *packed.handles)
        except Exception as error:  # noqa: BLE001 - options that Ray does not know, a cluster that is gone
            failure = RuntimeError(f"Ray does not take a run of task {run.task.name!r}: {error}")
            self._end(entry, exception_to_failed_state(failure, "Task run encountered an exception"))
            return
        entry.answer, entry.outcome = answer, outcome
        if entry.id not in self._entries:
            ray.cancel(answer)  # given up meanwhile
        self._answers.add(answer, entry)
        if self._is_asleep:
            self._is_asleep = False
            self._errands.put(_nothing)

    def _function(self, shared: SharedPart, task_name: str, options: dict[str, Any]) -> Any:
        plain, last, function = self._functions.get(shared.key) or (None, None, None)
        if plain is None:
            plain = remote_function(shared, task_name, self._name, is_shown=self.cluster.has_dashboard)
        if last != options:
            function = plain.options(**options) if options else plain
            self._functions[shared.key] = plain, dict(options), function
        return function

    def _answered(self, entry: _Entry, answered: Future[Any]) -> None:
        # In a thread of Ray's, which has more to do than this.
        self._errands.put(lambda: self._take(entry, answered.exception() or answered.result()))

    def _advance(self, entry: _Entry) -> None:
        entry.left -= 1
        if not entry.left and entry.id in self._entries:
            self._send(entry)

    def _pace(self) -> float | None:
        """Return how long it may take until answers are looked for."""
        if not self._answers:
            self._is_asleep = True
            if not self._answers:
                return None
            self._is_asleep = False  # one was sent just now
        return self._answers.due()

    def _look_for_answers(self) -> bool:
        if not ray.is_initialized():
            self._lose(_LEFT)  # to ask Ray for anything would start another one
            return False
        try:
            found = self._answers.look()
        except Exception:  # noqa: BLE001 - whatever a lost connection raises: `_look` tells whether it is
            self._answers.put_off(errands.SILENCE)
            return False
        if self._answers.has_late and self._mailbox is None and not self.has_server:
            self._mailbox = Mailbox(self._name, lambda told: self._errands.put(lambda: self._heed(told)))
        for (entry, _), answer in zip(found, _read([answer for _, answer in found]), strict=True):
            self._take(entry, answer)
        return bool(found)

    def _heed(self, notices: list[tuple[bytes, bytes]]) -> None:
        for run_id, message in notices:
            entry = self._entries.get(UUID(bytes=run_id))
            if entry is not None and entry.answer is not None:
                try:
                    entry.run.take(message, is_copy=True)
                except Exception as unread:  # noqa: BLE001 - as below; the answer is what counts
                    get_logger("task_runners").debug("A notice of a worker cannot be read: %r", unread)

    def _take(self, entry: _Entry, answer: Any) -> None:
        self._away_since = None
        if entry.id not in self._entries:
            return  # given up meanwhile
        run = entry.run
        if not isinstance(answer, BaseException):
            fetch = Fetch(entry.outcome, run.record.run.name)
            run.future.handle = entry.outcome
            try:
                run.take(answer[ID_LENGTH:], fetch, is_kept=False)
                self._lately.add(run, answer[:ID_LENGTH].decode(), answer[ID_LENGTH:])
            except Exception as unread:  # noqa: BLE001 - whatever reading what another release has written raises
                run.crash(f"What the worker answered cannot be read: {unread!r}")
            if run.future.handle is not None:
                self.cluster.kept.add(fetch)
            self._forget(entry)
        elif isinstance(answer, errors.TaskCancelledError):
            self._end(entry, State(type=StateType.CANCELLED, message=_NOT_BEGUN))
        elif isinstance(answer, _WORKER_GONE):
            self._lately.tell_again()  # Ray does not say which worker it was
            self._nested.crash([run], _GONE)
            self._repeat(entry, f"{_GONE} ({type(answer).__name__}).")
        else:
            # Not the task's own, which is in the answer: the worker lacks a module, say.
            text = str(answer.cause if isinstance(answer, errors.RayTaskError) else answer).strip()
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
        self._errands.put_later(delay, lambda: self._advance(entry))

    def _look(self) -> None:
        """Notice that the cluster is gone: Ray itself says nothing, and ends this process in a minute."""
        if not any(entry.answer is not None for entry in list(self._entries.values())):
            return
        if not ray.is_initialized():
            self._lose(_LEFT)
            return
        if self.cluster.is_reachable():
            self._away_since = None
            return
        at = monotonic()
        if self._away_since is None:
            self._away_since = at
            get_logger("task_runners").warning("The Ray cluster at %s does not answer.", self.cluster.address)
        elif at - self._away_since >= _LOST_SECONDS:
            self._lose(
                f"The Ray cluster at {self.cluster.address} was lost: its head has not answered for "
                f"{at - self._away_since:.0f} seconds."
            )

    def _lose(self, message: str) -> None:
        self._is_lost, self._why_lost = True, message
        self._answers.clear()
        for entry in list(self._entries.values()):
            self._end(entry, State(type=StateType.CRASHED, message=message))
            self._nested.add([entry.run], message)

    def _flush_workers(self) -> None:
        """Have the workers tell the server all, before this process takes it that all is told.

        Nobody can name a worker of Ray's to it; but each of those that are idle gets one of many calls.
        """
        flush = ray.remote(num_cpus=1, max_retries=0)(flush_worker)
        calls = [flush.remote() for _ in range(self.cluster.processors)]
        done, late = ray.wait(calls, num_returns=len(calls), timeout=_FLUSH_SECONDS)
        for call in late:
            ray.cancel(call)
        told = {worker for worker in _read(done) if isinstance(worker, str)}
        self._lately.forget(told)
        get_logger("task_runners").debug("%d workers have told the server all", len(told))

    def _end(self, entry: _Entry, state: State[Any]) -> None:
        entry.run.end(state)
        self._forget(entry)

    def _forget(self, entry: _Entry) -> None:
        entry.answer = entry.outcome = None
        with self._changed:
            self._entries.pop(entry.id, None)
            if len(self._entries) in (0, self._enough):
                self._changed.notify_all()


def _read(answers: list[Any]) -> list[Any]:
    """Return what Ray has answered, or raised in place of an answer."""
    if not answers:
        return []
    try:
        read: list[Any] = ray.get(answers)
    except Exception as error:  # noqa: BLE001 - whatever became of one of them
        if len(answers) == 1:
            return [error]
        return [_read([answer])[0] for answer in answers]
    return read


def _nothing() -> None:
    """Only wake the thread."""


def _scatter(value: Any) -> Any:
    return ray.put(value)
