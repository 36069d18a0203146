"""Nested flow runs: the task run that stands for one in its parent, as the interface has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.engine.ending import Ending
from prefect.engine.inputs import TaskInputs
from prefect.engine.journal import enter
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunRecord
from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State
from prefect.types import uuid7

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["kept_ending", "mirror", "stand_in"]


def stand_in(
    run: FlowRun, flow: Flow[Any, Any], parent: FlowRun, position: int, inputs: TaskInputs
) -> TaskRunRecord:
    """Make the task run that stands for a nested flow run.

    Args:
        run: The nested run; it is told whose child it is.
        flow: Its flow.
        parent: The run around.
        position: How many runs of this flow the parent has made before.
        inputs: Which task runs its parameters came from.
    """
    task_run = TaskRun(
        task_key=flow.task_key,
        dynamic_key=str(position),
        name=f"{flow.name}-{position}",
        flow_run_id=parent.id,
        flow_run_run_count=parent.run_count,
        task_inputs=inputs,
        tags=run.tags,
    )
    run.parent_task_run_id = task_run.id
    return TaskRunRecord(run=task_run, states=[])


def mirror(state: State[Any], run: FlowRun, record: TaskRunRecord) -> None:
    """Have the task run that stands for a nested run enter the state that the run has entered.

    Args:
        state: The state.
        run: The nested run.
        record: The task run that stands for it.
    """
    details = state.state_details.model_copy(
        update={"child_flow_run_id": run.id, "task_run_id": record.run.id}
    )
    enter(record, state.model_copy(update={"state_details": details, "id": uuid7()}))


def kept_ending(run: FlowRun, logger: Any) -> Ending | None:
    """Return how a nested run ended in an earlier attempt of its parent, if its result was kept.

    Args:
        run: The nested run.
        logger: Its logger.
    """
    state = run.state
    if state is None or not state.is_completed():
        return None
    data = state.data
    if not isinstance(data, ResultRecord) or data.metadata is None:
        return None
    logger.info("Completed in an earlier attempt: its result is used again")
    return Ending(state, data.result)
