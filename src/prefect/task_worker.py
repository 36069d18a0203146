"""Workers of tasks: processes that run what `task.delay()` leaves to them."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.awaiting import awaited, either_way
from prefect.context import hydrated_context
from prefect.engine.deferring import CARRIED
from prefect.engine.entry import run_submitted
from prefect.engine.journal import enter
from prefect.engine.notes import open_journal
from prefect.exceptions import PrefectException
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.recorder import get_recorder
from prefect.results import ResultStore
from prefect.results.deferred import kept_parameters
from prefect.runner.task_run_sources import TaskRunSource, open_source
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType
from prefect.states import exception_to_crashed_state
from prefect.types import now

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["TaskWorker", "read_parameters", "serve"]

_LOOK_SECONDS, _MOST_SECONDS = 0.05, 0.25
"""Between two looks at a store without work: few at first, then more."""
_AGAIN_SECONDS = 2.0
"""Until a store or server that is away is asked again."""
_INTERRUPTED = "The worker that ran this task was told to end before the task did."

_log = get_logger("task_worker")


class TaskWorker:
    """Runs what is delayed of some tasks, in threads of this process.

    Args:
        *tasks: The tasks.
        limit: How many runs there are at a time, at most; None: any number.
    """

    def __init__(self, *tasks: Task[Any, Any], limit: int | None = 10) -> None:
        if not tasks:
            raise ValueError("A worker needs tasks to serve: TaskWorker(my_task).")
        for each in tasks:
            # By what it says of itself: `Task.serve` comes here, so this cannot import tasks.
            if getattr(each, "_kind", None) != "task":
                raise TypeError(f"A worker serves tasks, and {each!r} is none: decorate it with @task.")
        if limit is not None and limit < 1:
            raise ValueError(f"'limit' must be 1 or more, or None for no limit; it is {limit}.")
        self.tasks = tasks
        self.limit = limit
        self._by_key = {each.task_key: each for each in tasks}
        self.client_id = f"{socket.gethostname()}-{os.getpid()}"
        self.started_at: datetime | None = None
        self._told_to_stop = threading.Event()
        self._wakened = threading.Condition()
        self._under_way: dict[UUID, TaskRunRecord] = {}

    @property
    def started(self) -> bool:
        """Whether it runs."""
        return self.started_at is not None and not self._told_to_stop.is_set()

    @property
    def available_tasks(self) -> int | None:
        """How many more runs it would take now; None: any number."""
        return None if self.limit is None else self.limit - len(self._under_way)

    @property
    def current_tasks(self) -> int | None:
        """How many runs it has now; None where it has no limit."""
        return None if self.limit is None else len(self._under_way)

    def _start(self, timeout: float | None = None) -> None:
        """Take and run task runs until the worker is told to stop; then let what has begun come to its end.

        In the main thread, Ctrl-C and SIGTERM tell it to. A second one ends the process at once, and what it
        runs crashes.

        Args:
            timeout: Stop after so many seconds.
        """
        ensure_logging_setup()
        self.started_at = now()
        names = ", ".join(repr(each.name) for each in self.tasks)
        _log.info("Serving %s", names)
        source = open_source(list(self._by_key), self.client_id)
        try:
            with _stopped_by_signals(self._stop_on_signal):
                self._take_runs(source, None if timeout is None else monotonic() + timeout)
                source.rest()
                self._wait_for_runs()
        finally:
            source.rest()
            self._told_to_stop.set()
            get_recorder().flush()
        _log.info("No longer serving %s", names)

    start = either_way(_start)
    astart = awaited(_start)

    def _stop(self) -> None:
        """Take no more runs; `start` returns when those that have begun have ended."""
        self._told_to_stop.set()
        with self._wakened:
            self._wakened.notify_all()

    stop = either_way(_stop)
    astop = awaited(_stop)

    async def execute_task_run(self, task_run: TaskRun) -> None:
        """Run a task run in a thread, and wait for its end.

        Args:
            task_run: The run, of one of the worker's tasks.
        """
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        await asyncio.to_thread(self._execute, task_run)

    # --- taking runs --------------------------------------------------------------------------------------

    def _take_runs(self, source: TaskRunSource, deadline: float | None) -> None:
        pause = _LOOK_SECONDS
        while not self._told_to_stop.is_set():
            left = _MOST_SECONDS if deadline is None else min(_MOST_SECONDS, deadline - monotonic())
            if left <= 0:
                return
            if self.limit is not None and len(self._under_way) >= self.limit:
                source.rest()
                with self._wakened:
                    self._wakened.wait_for(self._may_go_on, left)
                continue
            begun = monotonic()
            try:
                run = source.take(left)
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker is to go on
                _log.error("No task runs come now, next try in %g s: %s", _AGAIN_SECONDS, error)
                self._told_to_stop.wait(_AGAIN_SECONDS)
                continue
            if run is not None:
                pause = _LOOK_SECONDS
                self._begin(run)
            elif monotonic() - begun < pause:
                self._told_to_stop.wait(min(pause, left))
                pause = min(1.5 * pause, _MOST_SECONDS)

    def _may_go_on(self) -> bool:
        return self._told_to_stop.is_set() or self.limit is None or len(self._under_way) < self.limit

    def _begin(self, run: TaskRun) -> None:
        # Counted here, not in the thread, so that the limit holds.
        record = self._under_way[run.id] = _record_of(run)
        thread = threading.Thread(
            target=copy_context().run,
            args=(self._carry_out, record),
            name=f"prefect-task-{run.name}",
            daemon=True,  # at a second Ctrl-C the process ends whatever its tasks do
        )
        thread.start()

    def _wait_for_runs(self) -> None:
        if self._under_way:
            _log.info("Waiting for %d task run(s) to end", len(self._under_way))
        with self._wakened:
            while self._under_way:
                # Not for ever, so that signals are handled meanwhile.
                self._wakened.wait(_MOST_SECONDS)

    def _stop_on_signal(self) -> None:
        if not self._told_to_stop.is_set():
            self._told_to_stop.set()
            return
        for record in list(self._under_way.values()):
            if record.run.state_type not in TERMINAL_STATES:
                enter(record, State(type=StateType.CRASHED, message=_INTERRUPTED, state_details=_of(record)))
                get_recorder().task_run(record)
        self._under_way.clear()

    # --- running ------------------------------------------------------------------------------------------

    def _execute(self, run: TaskRun) -> None:
        record = self._under_way[run.id] = _record_of(run)
        self._carry_out(record)

    def _carry_out(self, record: TaskRunRecord) -> None:
        run = record.run
        _log.debug("Running task run %r (%s)", run.name, run.id)
        try:
            self._run(record)
        except Exception as error:  # noqa: BLE001 - one run must not end the others
            _log.error("Task run %r cannot be run: %s", run.name, error, exc_info=error)
            if run.state_type not in TERMINAL_STATES:
                enter(record, exception_to_crashed_state(error, state_details=_of(record)))
                get_recorder().task_run(record)
        except BaseException as error:  # noqa: BLE001 - a task that exits, or was cancelled: written down already
            _log.error("Task run %r was interrupted: %r", run.name, error)
        finally:
            self._flush()
            with self._wakened:
                self._under_way.pop(run.id, None)
                self._wakened.notify_all()

    def _run(self, record: TaskRunRecord) -> None:
        run = record.run
        task = self._by_key.get(run.task_key)
        if task is None:
            raise PrefectException(f"This worker does not serve the task {run.task_key!r}.")
        journal = open_journal()
        enter(record, State(type=StateType.PENDING, state_details=_of(record)))
        journal.note(record)
        identifier = record.states[0].state_details.task_parameters_id
        kept: dict[str, Any] = {}
        if identifier is not None:
            kept = kept_parameters(ResultStore().update_for_task(task), identifier)
        # The arguments that have defaults may be left out by other implementations.
        parameters = task.signature.complete(kept.get("parameters", {}))
        with hydrated_context(kept.get(CARRIED)):
            run_submitted(task, parameters, record, journal, kept.get("wait_for"))

    def _flush(self) -> None:
        try:
            get_recorder().flush()  # somebody waits for the run's end
        except PrefectException as error:
            _log.error("What was done is not written down yet: %s", error)


def _record_of(run: TaskRun) -> TaskRunRecord:
    return TaskRunRecord(run=run, states=[] if run.state is None else [run.state])


def _of(record: TaskRunRecord) -> StateDetails:
    return StateDetails(flow_run_id=record.run.flow_run_id, task_run_id=record.run.id)


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Generator[None, None, None]:
    """Have Ctrl-C and SIGTERM call a function, in the main thread; elsewhere Python allows no handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: object) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_parameters(result_store: ResultStore, identifier: UUID) -> dict[str, Any]:
    """Return what a task run that was delayed is to be called with.

    Args:
        result_store: The result store of its task.
        identifier: The `task_parameters_id` of its state.

    Returns:
        `parameters`, and what else was kept with them.

    Raises:
        prefect.exceptions.MissingResult: It is not there (any more), or in another storage.
        prefect.exceptions.SerializationError: It cannot be read.
    """
    return kept_parameters(result_store, identifier)


def serve(*tasks: Task[Any, Any], limit: int | None = 10, timeout: float | None = None) -> None:
    """Run what is delayed of some tasks in this process, until Ctrl-C or SIGTERM.

    Args:
        *tasks: The tasks.
        limit: How many runs there are at a time, at most; None: any number.
        timeout: Stop after so many seconds.
    """
    TaskWorker(*tasks, limit=limit)._start(timeout)
