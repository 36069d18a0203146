"""`run_deployment`: runs of deployments that code asks for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from http_servers import serving
from prefect import flow, tags, task
from prefect.client.current import get_caller
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, ParameterTypeError, UpstreamTaskError
from prefect.operations.flow_runs import read_flow_run, set_flow_run_state
from prefect.operations.task_runs import read_task_run
from prefect.schemas.objects import TaskRunResult
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.store import open_store
from prefect.testing import prefect_test_harness


@flow
def load(day: str, times: int = 1) -> None:
    """Load."""


@pytest.fixture(autouse=True)
def _store():
    with prefect_test_harness():
        yield


@pytest.fixture
def deployment_id():
    return load.to_deployment("daily", parameters={"day": "monday"}, tags=["of-it"]).apply()


@task
def three():
    return 3


@task
def fails():
    raise ValueError("no")


def stand_in_of(run):
    return get_caller().call(read_task_run, run.parent_task_run_id)


def test_a_run_is_nested_in_the_flow_that_asks_for_it(deployment_id):
    @flow
    def parent(nested: bool):
        return run_deployment("load/daily", timeout=0, parameters={"times": three()}, as_subflow=nested)

    inner, outer = parent(True), parent(False)

    stand_in = stand_in_of(inner)
    assert get_caller().call(read_flow_run, stand_in.flow_run_id).name
    assert stand_in.state_name == "Scheduled"
    assert outer.parent_task_run_id is None
    assert inner.parameters == {"day": "monday", "times": 3}


@pytest.mark.parametrize("in_flow", [True, False])
def test_a_run_is_nested_in_the_task_that_asks_for_it(deployment_id, in_flow):
    @task
    def asks():
        from prefect.runtime import task_run

        return run_deployment(deployment_id, timeout=0), task_run.id

    @flow
    def around():
        return asks()

    run, task_run_id = around() if in_flow else asks()

    stand_in = stand_in_of(run)
    assert (stand_in.flow_run_id is not None) is in_flow
    assert [str(each.id) for each in stand_in.task_inputs["__parents__"]] == [task_run_id]


def test_futures_become_their_results(deployment_id):
    @flow
    def parent():
        future = three.submit()
        return run_deployment(deployment_id, parameters={"times": future}, timeout=0), future.task_run_id

    run, task_run_id = parent()

    assert run.parameters["times"] == 3
    assert stand_in_of(run).task_inputs["times"] == [TaskRunResult(id=task_run_id)]

    @flow
    def stumbles():
        return run_deployment(deployment_id, parameters={"times": fails.submit()}, timeout=0)

    with pytest.raises(UpstreamTaskError):
        stumbles()


@pytest.mark.parametrize("kind", ["name", "id", "text of the id"])
def test_a_deployment_is_named_in_three_ways(deployment_id, kind):
    name = {"name": "load/daily", "id": deployment_id, "text of the id": str(deployment_id)}[kind]

    with tags("of-the-block"):
        run = run_deployment(name, timeout=0, flow_run_name="mine", tags=("t", "t"))

    assert (run.deployment_id, run.name, sorted(run.tags)) == (deployment_id, "mine", ["of-it", "t"])


def test_a_time_without_a_timezone_is_utc(deployment_id):
    run = run_deployment(deployment_id, timeout=0, scheduled_time=datetime(2040, 1, 1, 12))

    assert run.expected_start_time == datetime(2040, 1, 1, 12, tzinfo=UTC)


def test_one_key_makes_one_run(deployment_id):
    first = run_deployment(deployment_id, timeout=0, idempotency_key="k")
    second = run_deployment(str(deployment_id), timeout=0, idempotency_key="k")

    assert first.id == second.id


def test_it_waits_as_long_as_is_said_and_until_the_run_has_ended(deployment_id):
    assert run_deployment(deployment_id, timeout=0.05, poll_interval=1000).state_name == "Scheduled"

    async def main():
        async def end():
            run = run_deployment(deployment_id, timeout=0, idempotency_key="k", as_subflow=False)
            run = await run
            get_caller().call(set_flow_run_state, run.id, State(type=StateType.COMPLETED), force=True)

        waiting = run_deployment(deployment_id, idempotency_key="k", poll_interval=0.05)
        return (await asyncio.gather(waiting, end()))[0]

    assert asyncio.run(main()).state_name == "Completed"


@pytest.mark.parametrize("is_served", [False, True], ids=["embedded", "http"])
def test_what_cannot_be_run_is_said(deployment_id, is_served):
    def check():
        missing = uuid4()
        for name in ("no/such", missing):
            with pytest.raises(ObjectNotFound, match=f"no deployment '{name}'"):
                run_deployment(name)
        for name in ("nothing", "a/b/c", "a/"):
            with pytest.raises(ValueError, match="flow's name and its own"):
                run_deployment(name)
        with pytest.raises(ParameterTypeError, match=r"'daily'.*'times'"):
            run_deployment(deployment_id, parameters={"times": "many"})
        with pytest.raises(ValueError, match="negative"):
            run_deployment(deployment_id, timeout=-1)

    if not is_served:
        check()
        return
    with serving(open_store()) as url, temporary_settings({PREFECT_API_URL: url}):
        check()
