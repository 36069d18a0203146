"""`prefect flow-run inspect` says why a run that is due has not begun."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prefect.client.current import get_caller
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import create_deployment
from prefect.operations.flow_runs import create_flow_run, set_flow_run_state
from prefect.operations.flows import create_flow
from prefect.operations.workers import send_worker_heartbeat
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentFlowRunCreate, DeploymentResponse
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import now


@pytest.fixture
def why(prefect):
    """Return what is said of a run."""

    def said(run: FlowRun) -> str:
        return prefect("flow-run", "inspect", str(run.id)).out

    prefect("work-pool", "create", "here", "--type", "process")
    return said


def deploy(**values: Any) -> DeploymentResponse:
    flow = get_caller().call(create_flow, FlowCreate(name="hello"))
    return get_caller().call(create_deployment, DeploymentCreate(name="daily", flow_id=flow.id, **values))


def run_of(deployment: DeploymentResponse, **values: Any) -> FlowRun:
    data = DeploymentFlowRunCreate(**values)
    return get_caller().call(create_flow_run_from_deployment, deployment.id, data)


def take(run: FlowRun) -> FlowRun:
    get_caller().call(set_flow_run_state, run.id, State(type=StateType.PENDING))
    return run


def beat() -> None:
    get_caller().call(send_worker_heartbeat, "here", "w1", 30)


def test_there_is_no_worker(why, prefect):
    run = run_of(deploy(work_pool_name="here"))
    assert "No worker of work pool 'here' is there: prefect worker start --pool 'here'" in why(run)
    beat()
    assert "No worker asks for the runs of work queue 'default'" in why(run)
    prefect("work-queue", "pause", "default", "--pool", "here")
    assert "Work queue 'default' is paused" in why(run)
    prefect("work-pool", "pause", "here")
    assert "Work pool 'here' is paused" in why(run)


def test_limits_are_reached_and_by_whom(why, prefect):
    beat()
    deployment = deploy(work_pool_name="here")
    take(run_of(deployment, name="first"))
    waits = run_of(deployment)
    prefect("work-pool", "set-concurrency-limit", "here", "1")
    prefect("work-queue", "set-concurrency-limit", "default", "1", "--pool", "here")

    said = why(waits)
    for what in ("work pool 'here'", "work queue 'default'"):
        assert f"At most 1 run of {what} is under way at a time, and one is: 'first'." in said


def test_a_deployments_own_limit_is_reached(why):
    deployment = deploy(concurrency_limit=1)
    take(run_of(deployment, name="first"))
    waits = take(run_of(deployment))

    assert "At most 1 run of its deployment is under way at a time, and one is: 'first'." in why(waits)


def test_nobody_serves_it_or_it_was_taken(why):
    run = run_of(deploy())
    assert "Nobody serves deployment 'daily'" in why(run)
    assert "A worker or a runner has taken it" in why(take(run))


def test_nobody_looks_for_a_run_without_a_deployment(why):
    flow = get_caller().call(create_flow, FlowCreate(name="hello"))
    run = get_caller().call(
        create_flow_run, FlowRunCreate(flow_id=flow.id, state=State(type=StateType.SCHEDULED))
    )
    assert "It has no deployment, and no work pool: nobody looks for it." in why(run)


def test_a_run_that_is_not_due_or_has_begun_waits_for_nothing(why):
    later = State(
        type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=now() + timedelta(hours=1))
    )
    run = run_of(deploy(work_pool_name="here"), state=later)
    assert "Waits:" not in why(run)
    get_caller().call(set_flow_run_state, run.id, State(type=StateType.RUNNING), force=True)
    assert "Waits:" not in why(run)
