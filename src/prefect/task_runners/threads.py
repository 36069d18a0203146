"""Tasks in threads of this process."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Iterable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Self

from prefect.engine.beginning import new_task_run
from prefect.engine.entry import current_journal, run_submitted
from prefect.engine.future import PrefectConcurrentFuture
from prefect.engine.journal import Journal, enter
from prefect.engine.slots import Hold, held_slot
from prefect.logging.loggers import get_logger
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.settings import get_current_settings
from prefect.states import exception_to_crashed_state
from prefect.task_runners.base import TaskRunner
from prefect.task_runners.pool import Pool
from prefect.types import call_in_forked_child, fork_safe, process_mark

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["PrefectTaskRunner", "ThreadPoolTaskRunner", "default_task_runner"]

_BACKLOG = 1_000
"""How many task runs may wait for a thread before `.submit()` waits too: memory stays bounded."""
_DEFAULT_WORKERS = 256


class Submitted:
    """A task run on its way through a pool.

    Args:
        task: The task.
        parameters: Its arguments.
        wait_for: Runs to wait for.
    """

    __slots__ = ("context", "future", "journal", "parameters", "record", "runner", "task", "wait_for")

    def __init__(
        self,
        runner: ThreadPoolTaskRunner,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[Any] | None,
    ) -> None:
        self.runner = runner
        self.task = task
        self.parameters = parameters
        self.wait_for = wait_for
        self.journal: Journal = current_journal()
        self.record: TaskRunRecord = new_task_run(task, parameters, wait_for)
        self.context: Context = copy_context()
        self.future: PrefectConcurrentFuture[Any] = PrefectConcurrentFuture(self.record.run.id)
        self.future.follow(self.record)
        self.journal.note(self.record)

    def __call__(self) -> None:
        """Run the task in this thread; never raises."""
        running, mark = self.runner._running, process_mark[0]
        running.add(self)
        slot = held_slot.get()
        hold = None if slot is None else Hold(slot)
        try:
            state = self.context.run(self._run, hold)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody above it who could handle anything
            if process_mark[0] is not mark:
                _end_child(error)
            ended = self.record.run.state
            if ended is None or not ended.is_final():
                ended = self.end(exception_to_crashed_state(error))
            state = ended
        finally:
            running.discard(self)
            if hold is not None:
                hold.end()
        if process_mark[0] is not mark:
            _end_child()
        self.future.complete(state)

    def _run(self, hold: Hold | None) -> State[Any]:
        held_slot.set(hold)  # in place of the one of the run that has submitted this one
        return self.runner._run(self)

    def end(self, state: State[Any]) -> State[Any]:
        """Put the run in a final state from outside, if it is not in one."""
        if self.record.run.state is not None and self.record.run.state.is_final():
            return self.record.run.state
        details = self.record.states[0].state_details
        state = state.model_copy(update={"state_details": details})
        enter(self.record, state)
        self.journal.note(self.record)
        return state


def _end_child(error: BaseException | None = None) -> None:
    from prefect.engine.forked_threads import end_child  # noqa: PLC0415 - few tasks fork

    end_child(error)


class ThreadPoolTaskRunner(TaskRunner):
    """Runs tasks in threads of this process.

    Args:
        max_workers: How many tasks run at a time; by default the setting
            `PREFECT_TASK_RUNNER_THREAD_POOL_MAX_WORKERS`, else 256. A task that waits for another is not
            counted.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be 1 or more, not {max_workers}.")
        self._max_workers = max_workers
        self._pool: Pool | None = None
        self._running: set[Submitted] = set()

    @property
    def max_workers(self) -> int:
        """How many tasks run at a time."""
        if self._max_workers is None:
            return get_current_settings().tasks.runner.thread_pool_max_workers or _DEFAULT_WORKERS
        return self._max_workers

    @property
    def is_started(self) -> bool:
        """Whether any task was submitted."""
        return self._pool is not None

    def duplicate(self) -> Self:
        """Return a runner of the same configuration, with no tasks."""
        return type(self)(max_workers=self._max_workers)

    def submit(
        self, task: Task[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
    ) -> PrefectConcurrentFuture[Any]:
        """Have a task run; see `TaskRunner.submit`. Waits while 1,000 tasks are waiting for a thread."""
        submitted = Submitted(self, task, parameters, wait_for)
        try:
            (self._pool or self._start()).put(submitted)
        except BaseException as error:
            # Ctrl-C, most likely: nobody gets the future, so nobody would hear of the run again.
            submitted.future.complete(submitted.end(exception_to_crashed_state(error)))
            raise
        return submitted.future

    def _start(self) -> Pool:
        with _starting:
            if self._pool is None:
                self._pool = Pool(self.max_workers, _BACKLOG, self.name)
            return self._pool

    def finish(self) -> None:
        """Wait until all submitted tasks have ended, and let the threads go."""
        if self._pool is not None:
            self._pool.join()
            pool, self._pool = self._pool, None
            if pool is not None:  # nobody else has finished it meanwhile
                pool.close()

    def cancel_queued(self) -> None:
        """Take back the tasks that have not begun; their runs end as Cancelled."""
        if self._pool is None:
            return
        for work in self._pool.take_queued():
            if isinstance(work, Submitted):
                message = "The flow run ended before this task began."
                work.future.complete(work.end(State(type=StateType.CANCELLED, message=message)))

    def cancel_all(self) -> None:
        """Take back what has not begun, and stop waiting for the rest: its runs end as Crashed."""
        self.cancel_queued()
        for work in list(self._running):
            message = "The flow run ended before this task did."
            work.future.complete(work.end(State(type=StateType.CRASHED, message=message)))
        # A retry gets slots of its own: some of these may be held for long by what nobody waits for.
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.abandon()
            pool.close()

    def _run(self, submitted: Submitted) -> State[Any]:
        """Run a task in this thread, in the context it was submitted from."""
        ending = run_submitted(
            submitted.task, submitted.parameters, submitted.record, submitted.journal, submitted.wait_for
        )
        return ending.state

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.max_workers == other.max_workers

    __hash__ = TaskRunner.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_workers={self._max_workers})"


PrefectTaskRunner = ThreadPoolTaskRunner

_default: ThreadPoolTaskRunner | None = None
_starting = fork_safe(threading.Lock())


def default_task_runner() -> ThreadPoolTaskRunner:
    """Return the runner of tasks that are submitted outside of a flow: threads that the process shares."""
    global _default
    if _default is None:
        _default = ThreadPoolTaskRunner()
        atexit.register(_end_default)
        get_logger("task_runners").debug("Tasks submitted outside of a flow run in threads of this process.")
    return _default


def _end_default() -> None:
    """Let what was submitted run to its end, unless the program ends because something went wrong."""
    if _default is None:
        return
    if getattr(sys, "last_type", None) is None:
        _default.finish()
    else:
        _default.cancel_all()


def _forget_default() -> None:
    global _default
    _default = None  # a forked child has none of its threads


call_in_forked_child(_forget_default)
