"""Carries out a flow run that is there in this process, which a runner or worker started for it."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.client.patience import PATIENCE, patiently
from prefect.deployments.sources import load_flow
from prefect.deployments.steps.core import run_steps
from prefect.engine.entry import carry_out_flow_run
from prefect.exceptions import Abort, MissingFlowError, ObjectNotFound, PrefectException
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import flow_run_logger, get_logger
from prefect.operations.flow_runs import read_flow_run, set_flow_run_state
from prefect.recorder import get_recorder
from prefect.rules.beginning import BEGINS_ONCE
from prefect.rules.exits import LEFT_EXIT, STOPPED_EXIT
from prefect.runtime.lookup import facts_of_flow_run
from prefect.runtime.process_run import remember
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateType
from prefect.settings.runtime_variables import (
    CAPTURED_OUTPUT,
    FLOW_ENTRYPOINT,
    FLOW_RUN_CLAIM,
    FLOW_RUN_ID,
    become_process_of,
    run_variable,
)

if TYPE_CHECKING:
    from prefect.flows import Flow
    from prefect.schemas.deployments import DeploymentResponse

__all__ = ["execute_flow_run", "execute_process_run", "load_deployed_flow"]

_DONE, _FAILED = 0, 1


def execute_process_run() -> int:
    """Carry out the flow run that this process was started for.

    Returns:
        The exit code: 0, also for a run that is not to be carried out here; 3 where it was cancelled or took
        too long; 1 where it did not complete otherwise.
    """
    text = run_variable(FLOW_RUN_ID)
    try:
        run_id = UUID(text or "")
    except ValueError:
        sys.stderr.write(f"{FLOW_RUN_ID} must be the id of a flow run, not {text or 'empty'}.\n")
        return _FAILED
    return execute_flow_run(run_id)


def execute_flow_run(run_id: UUID, entrypoint: str | None = None) -> int:
    """Carry out a flow run in this process; see `execute_process_run`.

    Args:
        run_id: The run.
        entrypoint: Where its flow is; None: where its deployment or the environment says.
    """
    become_process_of(str(run_id))
    ensure_logging_setup()
    logger = get_logger("engine")
    try:
        client = get_caller()
        # Who started this process has reached the server: one that is away now comes back.
        run = patiently(lambda: client.call(read_flow_run, run_id), _tell)
    except PrefectException as error:
        logger.error("Flow run %s cannot be carried out: %s", run_id, error)
        return _FAILED
    claim = run_variable(FLOW_RUN_CLAIM)
    if claim is not None and (run.state is None or str(run.state.id) != claim):
        logger.info("Flow run %r is %s now: it is not run here.", run.name, run.state_name)
        return _code_of_left(run)
    try:
        with _own_output(run):
            return _code_of(_carry_out(client, run, entrypoint))
    except Abort as reason:
        logger.info("%s", reason)
        return _code_of_left(run)
    except BaseException:
        _end_processes()
        raise
    finally:
        get_recorder().flush()


def _own_output(run: FlowRun) -> AbstractContextManager[None]:
    if run_variable(CAPTURED_OUTPUT) is None:
        return nullcontext()
    from prefect.runner.own_output import kept_by_itself  # noqa: PLC0415 - only where it is kept

    return kept_by_itself(run)


def _code_of_left(run: FlowRun) -> int:
    """Return the exit code where the run is another process's; its worker must not take it for one's own."""
    return LEFT_EXIT if BEGINS_ONCE in run.labels else _DONE


def _code_of(state: State[Any]) -> int:
    if state.is_cancelled() or state.name == "TimedOut":
        _end_processes()
        return STOPPED_EXIT
    return _DONE if state.is_completed() else _FAILED


def _end_processes() -> None:
    """End what the run has started by multiprocessing: Python would wait for it, and not end this process."""
    multiprocessing = sys.modules.get("multiprocessing")
    for each in multiprocessing.active_children() if multiprocessing is not None else ():
        each.terminate()


def _carry_out(client: Caller, run: FlowRun, entrypoint: str | None) -> State[Any]:
    try:
        deployment = patiently(lambda: _deployment_of(client, run), _tell)
        facts = patiently(lambda: facts_of_flow_run(client, run, deployment), _tell)
        remember(facts)  # what the script reads as it is imported is looked up no more
        flow = load_flow(entrypoint) if entrypoint is not None else load_deployed_flow(deployment)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's script raises
        return _crash(client, run, error)
    return carry_out_flow_run(flow, run, facts)


def _tell(error: PrefectException) -> None:
    get_logger("engine").warning("%s The run waits for it, for %d minutes.", error, PATIENCE // 60)


def _crash(client: Caller, run: FlowRun, error: BaseException) -> State[Any]:
    flow_run_logger(run).error("The flow of this run could not be loaded: %s", error, exc_info=error)
    message = f"The flow of this run could not be loaded: {type(error).__name__}: {error}"
    state: State[Any] = State(type=StateType.CRASHED, message=message)
    return client.call(set_flow_run_state, run.id, state).state or state


def _deployment_of(client: Caller, run: FlowRun) -> DeploymentResponse | None:
    if run.deployment_id is None:
        return None
    from prefect.operations.deployments import read_deployment  # noqa: PLC0415 - SQLAlchemy

    try:
        return client.call(read_deployment, run.deployment_id)
    except ObjectNotFound as error:
        raise ObjectNotFound(error, f"Its deployment {run.deployment_id} was deleted.") from error


def load_deployed_flow(deployment: DeploymentResponse | None) -> Flow[Any, Any]:
    """Return a deployment's flow; the process stays in the folder where its code is.

    Args:
        deployment: The deployment; None: the process's environment says where the flow is.

    Raises:
        prefect.exceptions.MissingFlowError: Nobody says where the flow is, or it is not there.
        prefect.exceptions.ScriptError: The script raised when it was loaded.
        FileNotFoundError: There is no such file or folder.
    """
    entrypoint = run_variable(FLOW_ENTRYPOINT) or (deployment.entrypoint if deployment is not None else None)
    if entrypoint is None:
        what = (
            "It has no deployment"
            if deployment is None
            else f"Deployment {deployment.name!r} has no entrypoint"
        )
        raise MissingFlowError(
            f"{what}, so nobody says where its flow is. Deploy the flow with flow.deploy() or flow.serve()."
        )
    if deployment is not None and deployment.pull_steps:
        run_steps(deployment.pull_steps)
    elif deployment is not None and deployment.path:
        os.chdir(os.path.expanduser(deployment.path))
    return load_flow(entrypoint)
