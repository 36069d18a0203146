"""How runs begin: their records, and what they take from the run around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.context.model import _TAGS, inherited
from prefect.context.runs import _FLOW_RUN, _TASK_RUN, FlowRunContext, carried_flow_run
from prefect.engine.inputs import task_inputs
from prefect.engine.journal import enter
from prefect.engine.notes import notes_of
from prefect.rules.inputs import PARENTS
from prefect.rules.names import random_name
from prefect.schemas.objects import FlowRun, FlowRunPolicy, TaskRun, TaskRunRecord, TaskRunResult
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.schemas.states import State, StateDetails, StateType
from prefect.settings import get_current_settings
from prefect.types import uuid7

if TYPE_CHECKING:
    from prefect.flows import Flow
    from prefect.tasks import Task

__all__ = ["inherited_log_prints", "is_programs_own", "new_flow_run", "new_task_run"]

_NO_FLOW = UUID(int=0)
"""What a run names as its flow until it is written down."""


def new_flow_run(flow: Flow[Any, Any], parameters: dict[str, Any]) -> FlowRun:
    """Make the record of a new run.

    Args:
        flow: The flow.
        parameters: Its arguments.
    """
    tags = _TAGS.get() or inherited().tags
    delay = flow.retry_delay_seconds
    return FlowRun(
        flow_id=_NO_FLOW,
        name=random_name(),
        id=uuid7(),
        flow_version=flow.version,
        parameters=parameters,
        empirical_policy=FlowRunPolicy(
            retries=flow.retries, retry_delay=delay if isinstance(delay, int | float) else None
        ),
        tags=sorted({*flow.tags, *tags.current_tags}) if tags is not None else sorted(flow.tags),
    )


def new_task_run(
    task: Task[Any, Any],
    parameters: dict[str, Any],
    wait_for: Iterable[Any] | None,
    run_id: UUID | None = None,
) -> TaskRunRecord:
    """Make the record of a new task run in the flow run that is current here, if one is.

    Args:
        task: The task.
        parameters: Its arguments as given, futures included.
        wait_for: Runs to wait for.
        run_id: Its id, where one was given out already.
    """
    flow = _FLOW_RUN.get()
    if run_id is None:
        run_id = uuid7()
    key = f"{run_id.int:032x}"
    carried = carried_flow_run() if flow is None else None
    tags_here = _TAGS.get() or inherited().tags
    run = TaskRun(
        task_key=task.task_key,
        dynamic_key=key,
        name=f"{task.name}-{key[-3:]}",
        id=run_id,
        task_version=task.version,
        empirical_policy=task.policy,
        tags=task.sorted_tags if tags_here is None else sorted({*task.tags, *tags_here.current_tags}),
    )
    tracker = None
    if flow is not None:
        flow_run = flow.flow_run
        if flow_run is not None:
            run.flow_run_id = flow_run.id
            run.flow_run_run_count = flow_run.run_count
        tracker = notes_of(flow).tracker
    elif carried is not None:
        run.flow_run_id = UUID(carried.id)
        run.flow_run_run_count = carried.run_count
    if parameters or wait_for is not None:
        run.task_inputs = task_inputs(parameters, tracker, wait_for)
    around = _TASK_RUN.get()
    if around is not None and around.task_run is not None:
        run.task_inputs[PARENTS] = [TaskRunResult(id=around.task_run.id)]
    details = StateDetails(flow_run_id=run.flow_run_id, task_run_id=run_id)
    record = TaskRunRecord(run=run, states=[])
    enter(record, State(type=StateType.PENDING, state_details=details))
    return record


def inherited_log_prints(parent: FlowRunContext | None) -> bool | None:
    """Return whether a run whose flow does not say so logs its prints.

    Args:
        parent: The flow run around, where there is one in this process.
    """
    around = parent or carried_flow_run()
    return around.log_prints if around is not None else get_current_settings().logging.log_prints


def is_programs_own(parent: FlowRunSnapshot | None) -> bool:
    """Whether a run that begins in no flow run of this process is no part of one elsewhere either.

    Args:
        parent: The flow run around it. The one that started the whole process does not count.
    """
    return parent is None or parent is inherited().flow_run
