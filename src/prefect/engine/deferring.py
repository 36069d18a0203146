"""Task runs that others will run: written down with what they are to be called with, for a worker to take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prefect.client.current import get_caller
from prefect.context import serialize_context
from prefect.engine.beginning import new_task_run
from prefect.engine.future import PrefectConcurrentFuture
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.operations.task_runs import create_task_run
from prefect.recorder import get_recorder
from prefect.results import ResultStore
from prefect.results.deferred import keep_parameters
from prefect.rules.inputs import PARENTS, replace
from prefect.schemas.actions import TaskRunCreate
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateDetails, StateType
from prefect.settings import get_current_settings
from prefect.types import now, uuid7

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["CARRIED", "defer"]

CARRIED = "carried"
"""Under what the facts of the run around are kept, beside `parameters` and `wait_for`."""
_NOT_CARRIED = frozenset({"settings", "task_run", "task_run_parameters"})
"""A worker has settings of its own; and the run is a task run itself."""


def defer(
    task: Task[Any, Any],
    parameters: dict[str, Any],
    wait_for: Iterable[Any] | None = None,
    dependencies: Mapping[str, Iterable[Any]] | None = None,
) -> TaskRun:
    """Write down a task run that a worker will take.

    Args:
        task: The task.
        parameters: Its arguments by name. Futures of this process are waited for; the worker waits for those
            of runs that are deferred too.
        wait_for: Runs that must have completed before.
        dependencies: Further runs that arguments came from, by the arguments' names.

    Returns:
        The run.

    Raises:
        prefect.exceptions.SerializationError: An argument cannot be pickled.
        prefect.exceptions.StoreUnavailable: The result storage cannot be written.
        prefect.exceptions.StoreError: The store cannot be written.
        prefect.exceptions.ServerUnreachable: The server does not answer.
        Exception: What the run of a future among the arguments raised.
    """
    run = new_task_run(task, parameters, wait_for).run
    run.task_inputs.pop(PARENTS, None)  # it goes on without the task around
    for name, sources in (dependencies or {}).items():
        run.task_inputs.setdefault(name, []).extend(sources)
    content: dict[str, Any] = {
        "parameters": {name: _resolved(value) for name, value in parameters.items()},
        "context": {},  # what other implementations look for; ours is beside it
        CARRIED: {name: fact for name, fact in serialize_context().items() if name not in _NOT_CARRIED},
    }
    if wait_for is not None:
        content["wait_for"] = _waited_for(wait_for)
    identifier, at = uuid7(), now()
    # Before there is a run: a worker may take it at once.
    keep_parameters(ResultStore().update_for_task(task), identifier, content)
    details = StateDetails(scheduled_time=at, deferred=True, task_parameters_id=identifier)
    state: State[Any] = State(type=StateType.SCHEDULED, timestamp=at, state_details=details)
    made = get_caller().call(create_task_run, _creation_of(run, state))
    _tell(made)
    return made


def _resolved(value: Any) -> Any:
    return replace(value, (PrefectConcurrentFuture,), lambda future: future.result())


def _waited_for(wait_for: Iterable[Any]) -> Any:
    def ended(future: PrefectConcurrentFuture[Any]) -> State[Any]:
        future.wait()
        return future.state.model_copy(update={"data": None})

    return replace(wait_for, (PrefectConcurrentFuture,), ended)


def _creation_of(run: TaskRun, state: State[Any]) -> TaskRunCreate:
    return TaskRunCreate(
        id=run.id,
        name=run.name,
        flow_run_id=run.flow_run_id,
        task_key=run.task_key,
        dynamic_key=run.dynamic_key,
        task_version=run.task_version,
        empirical_policy=run.empirical_policy,
        tags=run.tags,
        task_inputs=run.task_inputs,
        state=state,
    )


def _tell(run: TaskRun) -> None:
    ensure_logging_setup()
    get_logger("tasks").info("Created task run %r (%s) for a worker to run", run.name, run.id)
    if run.state is not None and get_current_settings().api.url is not None:
        # Servers make no event of a task run: that it waits is for its client to say.
        get_recorder().task_run(TaskRunRecord(run=run, states=[run.state]))
