"""Tasks in processes of this machine."""

from __future__ import annotations

import os
import threading
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self
from weakref import WeakSet

from prefect.engine.future import wait_all
from prefect.engine.inputs import pending, resolve
from prefect.exceptions import ConfigurationError, SerializationError, UpstreamTaskError
from prefect.schemas.states import TERMINAL_STATES, State
from prefect.settings import get_current_settings
from prefect.task_runners.process_pool import ProcessPool
from prefect.task_runners.remote import RemoteRun
from prefect.task_runners.threads import Submitted, ThreadPoolTaskRunner
from prefect.types import call_in_forked_child

__all__ = ["ProcessPoolTaskRunner"]

_INNOCENT = 3
"""How often a run is given to new processes that had not begun when a process of its pool ended."""
_PROCESS_GONE = (
    "The process that ran this task ended before the task did: killed, out of memory, or the script calls "
    "the flow without `if __name__ == '__main__':`."
)
_NO_GUARD = (
    "ProcessPoolTaskRunner starts processes that import this script, and the script calls the flow when it "
    "is imported. Call it below `if __name__ == '__main__':`."
)


_runners: WeakSet[ProcessPoolTaskRunner] = WeakSet()
_of_parent: list[ProcessPool] = []


class ProcessPoolTaskRunner(ThreadPoolTaskRunner):
    """Runs tasks in processes of this machine, for work that Python's threads cannot share a processor for.

    Tasks, arguments and results travel pickled. A task knows its run and its flow's facts there
    (`prefect.runtime`), but `FlowRunContext.get()` is None: live objects stay with their process.

    Args:
        max_workers: How many processes run tasks; by default the setting
            `PREFECT_TASKS_RUNNER_PROCESS_POOL_MAX_WORKERS`, else the number of processors.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__(max_workers)
        self._processes: ProcessPool | None = None
        self._processes_lock = threading.Lock()
        _runners.add(self)

    @property
    def max_workers(self) -> int:
        """How many tasks run at a time."""
        if self._max_workers is None:
            return get_current_settings().tasks.runner.process_pool_max_workers or os.cpu_count() or 1
        return self._max_workers

    def duplicate(self) -> Self:
        """Return a runner of the same configuration, with no processes."""
        return type(self)(max_workers=self._max_workers)

    def finish(self) -> None:
        """Wait until all submitted tasks have ended, and end the processes."""
        super().finish()
        self._end(self._processes)

    def cancel_all(self) -> None:
        """Take back what has not begun, and end the processes at once: their runs end as Crashed."""
        super().cancel_all()
        self._end(self._processes, kill=True)

    def _run(self, submitted: Submitted) -> State[Any]:
        """Have a process run the task, and wait for it in this thread."""
        try:
            wait_all(pending(submitted.parameters, submitted.wait_for))
            parameters = resolve(submitted.parameters, submitted.wait_for)
        except UpstreamTaskError:
            return super()._run(submitted)  # finds the same, and says so in the run's state
        run = RemoteRun(submitted.task, parameters, None, self, submitted.record)
        while run.record.run.state_type not in TERMINAL_STATES and not run.future.done():
            self._try(run)
        return run.future.state

    def _try(self, run: RemoteRun) -> None:
        """Have a process run the task once."""
        processes, run_count = self._started(), run.record.run.run_count
        try:
            processes.run(run)
        except SerializationError as error:
            run.fail(error)
        except BrokenProcessPool:
            self._end(processes)
            run.deaths += 1
            has_begun = run.record.run.run_count > run_count
            if has_begun and run.record.run.run_count <= run.task.retries:
                run.await_retry(_PROCESS_GONE)
            elif has_begun or run.deaths > _INNOCENT:
                run.crash(_PROCESS_GONE)
        except RuntimeError as error:
            if "bootstrapping" not in str(error):
                raise
            # This process is itself one of a pool, and runs the script that it was to import.
            raise ConfigurationError(_NO_GUARD) from None

    def _started(self) -> ProcessPool:
        with self._processes_lock:
            if self._processes is None:
                self._processes = ProcessPool(self.max_workers)
            return self._processes

    def _end(self, processes: ProcessPool | None, *, kill: bool = False) -> None:
        with self._processes_lock:
            if self._processes is processes:
                self._processes = None
        if processes is not None:
            processes.close(kill=kill)


def _after_fork() -> None:
    for runner in list(_runners):
        runner._processes_lock = threading.Lock()
        if runner._processes is not None:
            _of_parent.append(runner._processes)  # kept, so that nobody ends what goes on in the parent
            runner._processes = None


call_in_forked_child(_after_fork)
