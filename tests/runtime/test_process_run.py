"""Outside of a run, in a process that was started for one."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from prefect.client.local import LocalClient
from prefect.context import FlowRunContext, TaskRunContext, child_environment
from prefect.operations import create_flow, create_flow_run, record_task_runs, update_flow_run
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunUpdate
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.settings import get_current_settings
from prefect.store import open_store
from prefect.testing import prefect_test_harness

READ_ALL = """
import json
from prefect.runtime import deployment, flow_run, task_run
print(json.dumps({
    f"{module.__name__.rpartition('.')[2]}.{name}": getattr(module, name)
    for module in (flow_run, task_run, deployment) for name in dir(module)
}, default=str))
"""


@pytest.fixture
def client():
    with prefect_test_harness():
        yield LocalClient(open_store())


def new_flow_run(client: LocalClient, **facts) -> FlowRun:
    flow = client.call(create_flow, FlowCreate(name="the-flow"))
    return client.call(create_flow_run, FlowRunCreate(flow_id=flow.id, **facts))


def nested_flow_run(client: LocalClient, parent: FlowRun, **facts) -> FlowRun:
    task = TaskRun(task_key="t", dynamic_key=str(uuid4()), flow_run_id=parent.id)
    state = State(type=StateType.RUNNING)
    client.call(record_task_runs, [TaskRunRecord(run=task, states=[state])])
    return new_flow_run(client, parent_task_run_id=task.id, **facts)


def test_one_lookup_finds_everything_and_is_kept(client, monkeypatch):
    deployment_id = uuid4()
    root = new_flow_run(client, deployment_id=deployment_id, parameters={"root": True})
    middle = nested_flow_run(client, root)
    run = nested_flow_run(
        client,
        middle,
        name="inner",
        tags=["a"],
        parameters={"x": 1},
        flow_version="7",
        job_variables={"v": 1},
    )
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(run.id))
    assert flow_run.name == "inner"
    client.call(update_flow_run, run.id, FlowRunUpdate(name="changed", tags=["changed"]))
    assert (flow_run.name, flow_run.tags) == ("inner", ["a"])
    assert flow_run.id == deployment.flow_run_id == str(run.id)
    assert flow_run.flow_name == "the-flow"
    assert flow_run.flow_version == "7"
    assert flow_run.parameters == {"x": 1}
    assert flow_run.job_variables == {"v": 1}
    assert flow_run.parent_flow_run_id == str(middle.id)
    assert flow_run.root_flow_run_id == str(root.id)
    assert flow_run.parent_deployment_id == deployment.id == str(deployment_id)
    assert deployment.parameters == {"root": True}
    assert flow_run.state_name == "Pending"
    assert flow_run.scheduled_start_time == run.expected_start_time
    assert task_run.id is None


def test_the_context_goes_before_the_variable(client, monkeypatch):
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(new_flow_run(client, name="variable").id))
    assert flow_run.name == "variable"
    with FlowRunContext(flow_run=FlowRun(flow_id=uuid4(), name="context")):
        assert flow_run.name == "context"
    other = new_flow_run(client, name="other")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(other.id))
    assert flow_run.name == "other"


def test_of_an_unknown_run_the_id_is_known_and_a_warning_says_why(client, monkeypatch, caplog):
    run_id = str(uuid4())
    new_flow_run(client)
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", run_id)
    with caplog.at_level(logging.WARNING, "prefect.runtime"):
        assert (flow_run.id, flow_run.name, flow_run.tags, flow_run.run_count) == (run_id, None, [], 0)
    assert [run_id in message for message in caplog.messages] == [True], "one warning"


@pytest.mark.parametrize("run_id", ["0198c0de-0000-7000-8000-000000000001", "garbage"])
def test_a_read_makes_no_store(client, monkeypatch, run_id):
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", run_id)
    assert (flow_run.id, flow_run.name, deployment.id) == (run_id, None, None)
    assert list(get_current_settings().home.iterdir()) == []


def test_a_store_that_is_no_store_leaves_reads_empty(client, monkeypatch, caplog):
    (get_current_settings().home / "prefect.db").write_text(
        "this is no database, but it is long enough" * 100
    )
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(uuid4()))
    assert flow_run.name is None
    assert "not a sound database" in caplog.text


def read_all(environment: dict[str, str]) -> dict[str, object]:
    import os

    done = subprocess.run(
        [sys.executable, "-c", READ_ALL],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_child_processes_read_the_run_with_no_store_at_all(client):
    then = datetime(2026, 1, 31, tzinfo=UTC)
    run = FlowRun(
        flow_id=uuid4(),
        name="brave-otter",
        tags=["a"],
        run_count=2,
        start_time=then,
        expected_start_time=then,
        deployment_id=uuid4(),
        work_pool_name="pool",
        job_variables={"image": "x"},
    )
    task = TaskRun(
        task_key="t", dynamic_key="0", name="t-0", flow_run_id=run.id, run_count=1, start_time=then
    )
    with (
        FlowRunContext(flow_run=run, parameters={"x": 1}),
        TaskRunContext(task_run=task, parameters={"y": "z"}),
    ):
        here = {
            f"{module.__name__.rpartition('.')[2]}.{name}": getattr(module, name)
            for module in (flow_run, task_run, deployment)
            for name in dir(module)
        }
        environment = child_environment()
    assert read_all(environment) == json.loads(json.dumps(here, default=str))


def test_what_is_large_or_secret_stays_out_of_the_environment(client):
    large, secret = {"x": "y" * 100_000}, {"env": {"PASSWORD": "hush"}}
    run = new_flow_run(client, parameters=large, job_variables=secret)
    with FlowRunContext(flow_run=run, parameters=large):
        environment = child_environment()
    assert sum(map(len, [*environment, *environment.values()])) <= 2048
    assert "hush" not in str(environment)
    there = read_all(environment)
    assert there["flow_run.parameters"] == large
    assert there["flow_run.job_variables"] == secret


def test_there_is_nothing_to_hand_on_outside_of_runs():
    assert child_environment() == {}


def test_a_snapshot_of_another_run_is_not_taken_for_this_one(client, monkeypatch):
    with FlowRunContext(flow_run=FlowRun(flow_id=uuid4(), name="grandparent")):
        for name, value in child_environment().items():
            monkeypatch.setenv(name, value)
    assert flow_run.name == "grandparent"
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(new_flow_run(client, name="mine").id))
    assert flow_run.name == "mine"


def test_a_snapshot_that_cannot_be_read_is_looked_up(client, monkeypatch):
    run = new_flow_run(client, name="mine")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(run.id))
    monkeypatch.setenv("PREFECT__FLOW_RUN_SNAPSHOT", "{")
    assert flow_run.name == "mine"


def test_a_flow_of_the_child_is_no_part_of_the_task_that_started_it(monkeypatch):
    with TaskRunContext(task_run=TaskRun(task_key="t", dynamic_key="0", name="t-0")):
        for name, value in child_environment().items():
            monkeypatch.setenv(name, value)
    assert task_run.name == "t-0"
    with FlowRunContext(flow_run=FlowRun(flow_id=uuid4())):
        assert task_run.name is None
