"""Tasks in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self

import cloudpickle

from prefect.context import hydrated_context, serialize_context
from prefect.engine.entry import run_submitted
from prefect.engine.future import wait_all
from prefect.engine.inputs import pending, resolve
from prefect.engine.journal import enter
from prefect.engine.notes import open_journal
from prefect.exceptions import ConfigurationError, SerializationError, UpstreamTaskError
from prefect.recorder import get_recorder
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State, StateType
from prefect.settings import get_current_settings
from prefect.states import exception_to_failed_state
from prefect.task_runners.threads import Submitted, ThreadPoolTaskRunner

__all__ = ["ProcessPoolTaskRunner"]


_PROCESS_GONE = (
    "The process that ran this task ended before the task did: killed, out of memory, or the script calls "
    "the flow without `if __name__ == '__main__':`."
)
_NO_GUARD = (
    "ProcessPoolTaskRunner starts processes that import this script, and the script calls the flow when it "
    "is imported. Call it below `if __name__ == '__main__':`."
)


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
        self._executor: ProcessPoolExecutor | None = None
        self._executor_lock = threading.Lock()

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
        with self._executor_lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    def cancel_all(self) -> None:
        """Take back what has not begun, and end the processes at once: their runs end as Crashed."""
        super().cancel_all()
        with self._executor_lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            for process in list((executor._processes or {}).values()):
                process.terminate()
            executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, submitted: Submitted) -> State[Any]:
        """Have a process run the task, and wait for it in this thread."""
        try:
            waiting = pending(submitted.parameters, submitted.wait_for)
            wait_all(waiting)
            parameters = resolve(submitted.parameters, submitted.wait_for)
        except UpstreamTaskError:
            return super()._run(submitted)  # finds the same, and says so in the run's state
        try:
            payload = _pickled(submitted, parameters)
        except SerializationError as error:
            return submitted.end(exception_to_failed_state(error, "Task run encountered an exception"))
        try:
            answer = self._processes().submit(_run_in_process, payload).result()
        except BrokenProcessPool:
            with self._executor_lock:
                self._executor = None
            return submitted.end(State(type=StateType.CRASHED, message=_PROCESS_GONE))
        except RuntimeError as error:
            if "bootstrapping" not in str(error):
                raise
            # This process is itself one of a pool, and runs the script that it was to import.
            raise ConfigurationError(_NO_GUARD) from None
        state: State[Any] = cloudpickle.loads(answer)
        enter(submitted.record, state)
        return state

    def _processes(self) -> ProcessPoolExecutor:
        with self._executor_lock:
            if self._executor is None:
                # Spawned, since a fork would copy locks that other threads hold.
                self._executor = ProcessPoolExecutor(
                    self.max_workers, multiprocessing.get_context("spawn"), _end_with_parent
                )
            return self._executor


def _end_with_parent() -> None:
    """End this process when the one that made it is gone: a killed one cannot tell its pool to end."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="prefect-parent", daemon=True).start()


def _pickled(submitted: Submitted, parameters: dict[str, Any]) -> bytes:
    context = serialize_context()
    try:
        return cloudpickle.dumps((submitted.task, parameters, submitted.record, context))  # type: ignore[no-any-return]
    except Exception as error:
        culprit = "The task itself"
        for name, value in parameters.items():
            try:
                cloudpickle.dumps(value)
            except Exception:  # noqa: BLE001 - whatever a value's own pickling raises
                culprit = f"Argument {name!r}, a {type(value).__name__},"
                break
        raise SerializationError(
            f"{culprit} of task {submitted.task.name!r} cannot be sent to another process: {error}"
        ) from error


def _run_in_process(payload: bytes) -> bytes:
    """Run a task here, in a process of the pool."""
    task, parameters, record, context = cloudpickle.loads(payload)
    with hydrated_context(context):
        journal = open_journal()
        state = run_submitted(task, parameters, record, journal, None).state
        try:
            answer = _travelling(state)
        except Exception as error:  # noqa: BLE001 - whatever a value's own pickling raises
            value = state.data.result if isinstance(state.data, ResultRecord) else state.data
            failure = SerializationError(
                f"The result of task {task.name!r}, a {type(value).__name__}, cannot be sent back: {error}"
            )
            details = {"state_details": state.state_details}
            state = exception_to_failed_state(failure, "Task run encountered an exception", **details)
            record.states.pop()  # nobody got the result, so the run has not completed
            enter(record, state)
            journal.note(record)
            answer = _travelling(state)
        get_recorder().flush()
    return answer


def _travelling(state: State[Any]) -> bytes:
    error = state.data.result if isinstance(state.data, ResultRecord) else None
    if not isinstance(error, BaseException):
        return cloudpickle.dumps(state)  # type: ignore[no-any-return]
    # Tracebacks do not travel; their text does.
    error.add_note(f"In process {os.getpid()}:\n{''.join(traceback.format_exception(error))}")
    try:
        pickled: bytes = cloudpickle.dumps(state)
        cloudpickle.loads(pickled)  # exceptions that want more than their args fail only here
    except Exception:  # noqa: BLE001 - whatever an exception's own pickling raises
        return cloudpickle.dumps(state.model_copy(update={"data": None}))  # type: ignore[no-any-return]
    return pickled
