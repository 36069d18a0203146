"""Has deployments run: `run_deployment`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from prefect.client.awaiting import awaited, either_way
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.context import FlowRunContext, TaskRunContext
from prefect.engine.inputs import TaskInputs, pending, resolve, task_inputs
from prefect.engine.notes import notes_of
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, ParameterTypeError
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import read_deployment, read_deployment_by_name
from prefect.operations.flow_runs import read_flow_run
from prefect.operations.task_runs import create_task_run
from prefect.rules.inputs import PARENTS
from prefect.schemas.actions import TaskRunCreate
from prefect.schemas.base import jsonable
from prefect.schemas.deployments import DeploymentFlowRunCreate, DeploymentResponse
from prefect.schemas.objects import FlowRun, TaskRunResult
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import now

__all__ = ["arun_deployment", "run_deployment"]

_FIRST_PAUSE = 0.1


@either_way
def run_deployment(  # noqa: PLR0913 - the parameters are those of the interface
    name: str | UUID,
    client: Any = None,
    parameters: dict[str, Any] | None = None,
    scheduled_time: datetime | None = None,
    flow_run_name: str | None = None,
    timeout: float | None = None,
    poll_interval: float | None = 5,
    tags: Iterable[str] | None = None,
    idempotency_key: str | None = None,
    work_queue_name: str | None = None,
    as_subflow: bool | None = True,
    job_variables: dict[str, Any] | None = None,
) -> FlowRun:
    """Make a run of a deployment, and wait until it has ended. Asynchronous code awaits it.

    Args:
        name: The flow's name and the deployment's, `flow/deployment`, or the deployment's id.
        client: Accepted for the interface's sake: the settings say where deployments are.
        parameters: In the place of the deployment's, each by its name. Futures are waited for.
        scheduled_time: When the run is due, in UTC if it says no timezone; None: now.
        flow_run_name: The run's name.
        timeout: Seconds to wait; None: as long as it takes; 0: not to wait.
        poll_interval: Seconds from one look at the run to the next, at most.
        tags: Beside the deployment's.
        idempotency_key: A second run of the flow with the same key is not made: the first is given.
        work_queue_name: A queue of the deployment's work pool, in place of its own.
        as_subflow: Whether a run that a flow or a task makes is nested in it.
        job_variables: In the place of the deployment's, each by its name.

    Returns:
        The run, as it is when it has ended, or the time is over.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
        prefect.exceptions.ParameterTypeError: The parameters do not fit the deployment's flow.
        prefect.exceptions.UpstreamTaskError: A task whose future is among the parameters did not complete.
        ValueError: The name is none of a deployment, or the time to wait is negative.
    """
    if timeout is not None and timeout < 0:
        raise ValueError("`timeout` must not be negative: 0 is not to wait.")
    caller = get_caller()
    deployment = _find(caller, name)
    given = parameters or {}
    for future in pending(given):
        future.wait()
    data = DeploymentFlowRunCreate(
        state=_scheduled_for(scheduled_time or now()),
        name=flow_run_name,
        parameters=jsonable(resolve(given)),
        tags=sorted(set(tags or ())),
        idempotency_key=idempotency_key,
        parent_task_run_id=_stand_in(caller, deployment, name, given) if as_subflow else None,
        work_queue_name=work_queue_name,
        job_variables=job_variables or {},
    )
    run = _made(caller, deployment, data)
    return _awaited(caller, run, timeout, 5.0 if poll_interval is None else float(poll_interval))


arun_deployment = awaited(run_deployment)


def _made(client: Caller, deployment: DeploymentResponse, data: DeploymentFlowRunCreate) -> FlowRun:
    try:
        return client.call(create_flow_run_from_deployment, deployment.id, data)
    except ObjectAlreadyExists as error:
        # That is how the interface says that parameters do not fit.
        raise ParameterTypeError(f"Deployment {deployment.name!r}: {error}") from error


def _scheduled_for(due: datetime) -> State[Any]:
    if due.tzinfo is None:
        due = due.replace(tzinfo=UTC)
    return State(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=due))


def _find(client: Caller, name: str | UUID) -> DeploymentResponse:
    try:
        try:
            deployment_id = name if isinstance(name, UUID) else UUID(name)
        except ValueError:
            flow_name, _, deployment_name = str(name).partition("/")
            if not deployment_name or "/" in deployment_name:
                raise ValueError(
                    f"{name!r} is no name of a deployment: "
                    "that is the flow's name and its own, such as 'load/daily'."
                ) from None
            return client.call(read_deployment_by_name, flow_name, deployment_name)
        return client.call(read_deployment, deployment_id)
    except ObjectNotFound as error:
        raise ObjectNotFound(error, f"There is no deployment {str(name)!r}.") from error


def _stand_in(
    client: Caller, deployment: DeploymentResponse, name: str | UUID, parameters: dict[str, Any]
) -> UUID | None:
    """Make the task run that stands for the run in the flow run, or the task run, here, if there is one."""
    flow, around = FlowRunContext.get(), TaskRunContext.get()
    flow_run = None if flow is None else flow.flow_run
    task_run = None if around is None else around.task_run
    if flow_run is None and task_run is None:
        return None
    inputs: TaskInputs = task_inputs(parameters, None if flow is None else notes_of(flow).tracker)
    if task_run is not None:
        inputs[PARENTS] = [TaskRunResult(id=task_run.id)]
    shown = deployment.name if isinstance(name, UUID) else str(name)
    data = TaskRunCreate(
        task_key=f"prefect.run-deployment.{deployment.id}",
        dynamic_key=str(uuid4()),
        name=shown,
        flow_run_id=None if flow_run is None else flow_run.id,
        task_inputs=inputs,
    )
    return client.call(create_task_run, data).id


def _awaited(client: Caller, run: FlowRun, timeout: float | None, interval: float) -> FlowRun:
    deadline = None if timeout is None else monotonic() + timeout
    pause = min(_FIRST_PAUSE, interval)
    while run.state is None or not run.state.is_final():
        left = None if deadline is None else deadline - monotonic()
        if left is not None and left <= 0:
            break
        time.sleep(pause if left is None else min(pause, left))
        pause = min(pause * 1.5, interval)
        run = client.call(read_flow_run, run.id)
    return run
