"""Workers as users start them: processes, whose runs are processes."""

from __future__ import annotations

import os
import signal

import pytest

from prefect.operations.flow_runs import read_flow_runs
from prefect.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import StateType

pytestmark = [pytest.mark.timeout(120), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import os, time
from prefect import flow, task, get_run_logger
from prefect.runtime import deployment, flow_run

@task
def tell():
    get_run_logger().info("the parameters are %s", flow_run.parameters)

@flow
def hello(x: int = 1):
    get_run_logger().info("my name is %s", flow_run.name)
    get_run_logger().info("i belong to deployment %s", deployment.name)
    get_run_logger().info("the colour is %s in %s", os.environ.get("COLOUR"), os.path.basename(os.getcwd()))
    tell()

@flow
def sleeper():
    get_run_logger().info("asleep")
    time.sleep(600)

@flow
def nap():
    time.sleep(0.3)
"""


@pytest.fixture(autouse=True)
def script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)


@pytest.mark.parametrize("word", ["worker", "agent"])
def test_the_run_of_a_deployment_is_carried_out(place, word):
    place.pool()
    deployment = place.deploy(parameters={"x": 4}, job_variables={"env": {"COLOUR": "red"}})

    with place.working(word, "start", "--pool", "here", "--work-queue", "default", "--name", "w1"):
        run = place.run_of(deployment, name="mine")
        ended = place.end_of(run)

    assert ended.state_name == "Completed", (ended.state, place.printed)
    logs = place.command("flow-run", "logs", "mine")
    assert "my name is mine" in logs
    assert "i belong to deployment daily" in logs
    assert "the parameters are {'x': 4}" in logs
    assert "the colour is red" in logs
    assert ended.labels["prefect.worker.name"] == "w1"
    assert ended.infrastructure_pid is not None
    assert "my name is mine" in place.printed


def test_a_run_that_is_cancelled_ends_with_its_process(place):
    place.pool()
    run = place.run_of(place.deploy("sleeper"), name="long")

    with place.working("worker", "start", "--pool", "here"):
        begun = place.until(run, lambda found: found.state_name == "Running" and found.infrastructure_pid)
        place.command("flow-run", "cancel", "long")
        ended = place.end_of(run)

    assert ended.state_name == "Cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.infrastructure_pid or "0"), 0)


def test_a_process_that_is_killed_leaves_a_run_that_crashed(place):
    place.pool()
    run = place.run_of(place.deploy("sleeper"))

    with place.working("worker", "start", "--pool", "here"):
        begun = place.until(run, lambda found: found.state_name == "Running" and found.infrastructure_pid)
        os.kill(int(begun.infrastructure_pid or "0"), signal.SIGKILL)
        ended = place.end_of(run)

    assert ended.state_name == "Crashed"
    assert "SIGKILL" in ended.state.message


def test_a_worker_that_is_told_to_end_ends_its_runs_first(place):
    place.pool()
    run = place.run_of(place.deploy("sleeper"))

    with place.working("worker", "start", "--pool", "here", "--name", "w1") as process:
        place.until(run, lambda found: found.state_name == "Running")
        process.terminate()
        assert process.wait(50) == 0

    assert place.read(run).state_name == "Crashed"
    assert "Worker 'w1' stopped." in place.printed


def test_a_worker_that_looks_once_carries_out_as_many_runs_as_it_may(here):
    here.pool()
    deployment = here.deploy("nap")
    runs = [here.run_of(deployment) for _ in range(3)]

    here.command("worker", "start", "--pool", "here", "--run-once", "--limit", "2")

    states = sorted(here.read(run).state_type or "" for run in runs)
    assert states == ["COMPLETED", "COMPLETED", "SCHEDULED"]  # by name it may be Late


def test_a_schedule_is_carried_out_without_a_server(here):
    here.pool()
    here.deploy("nap")
    here.command("deployment", "schedule", "create", "nap/daily", "--interval", "1")
    planned = FlowRunQuery(
        flow_runs=FlowRunFilter(
            tags=FlowRunFilterTags(all_=["auto-scheduled"]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.COMPLETED])),
        )
    )

    with here.working("worker", "start", "--pool", "here", "--prefetch-seconds", "1"):
        here.wait_for(lambda: here.client.call(read_flow_runs, planned))


def test_what_cannot_work_is_said(here):
    here.pool("docks", type="harbour")
    for words, problem in (
        (("--pool", "nope"), "no work pool 'nope'. Give --type"),
        (("--pool", "nope", "--type", "process", "--no-create-pool-if-not-found"), "no work pool 'nope'"),
        (("--pool", "docks"), "no workers of type 'harbour'"),
        (("--pool", "docks", "--type", "process"), "is for workers of type 'harbour'"),
        (("--pool", "here", "--type", "process", "--limit", "0"), "limit from 1 on"),
        ((), "Which work pool?"),
    ):
        with here.working("worker", "start", "--run-once", *words) as process:
            assert process.wait(50) == 1
        assert problem in here.printed, here.printed


def test_a_folder_that_is_not_there_is_said(here):
    here.pool()
    run = here.run_of(here.deploy("nap"), job_variables={"working_dir": "/no/such/folder"})

    here.command("worker", "start", "--pool", "here", "--run-once")

    found = here.read(run)
    assert found.state_name == "Crashed"
    assert "no folder '/no/such/folder'" in found.state.message


def test_a_command_that_does_not_begin_the_run_is_not_tried_for_ever(here):
    here.pool()
    run = here.run_of(here.deploy("nap"), job_variables={"command": "true"})

    here.command("worker", "start", "--pool", "here", "--run-once")

    found = here.read(run)
    assert found.state_name == "Crashed"
    assert "did not begin the run" in found.state.message
