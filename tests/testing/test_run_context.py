"""`run_context`: code that needs a run, tested without one."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

import prefect.testing
from prefect import flow, task
from prefect.context import FlowRunContext, TaskRunContext, get_run_context
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.settings import get_current_settings


@task
def greet(name: str) -> str:
    get_run_logger().info("greeting %s in attempt %d", name, task_run.run_count)
    return f"{flow_run.name}: hello {name}"


@flow
def report() -> str:
    return f"{flow_run.parameters['day']}.csv"


def test_a_tasks_function_needs_a_run():
    with pytest.raises(MissingContextError, match=r"prefect\.testing\.run_context"):
        greet.fn("you")


def test_a_tasks_function_works_in_a_run(run_context, caplog):
    with run_context(flow_run={"name": "brave-otter"}, task_run={"run_count": 2}):
        assert greet.fn("you") == "brave-otter: hello you"
    assert "greeting you in attempt 2" in caplog.messages


def test_a_flows_function_works_in_a_run(run_context):
    with run_context(flow_run={}, parameters={"day": "monday"}):
        assert report.fn() == "monday.csv"


def test_the_contexts_are_those_of_real_runs(run_context):
    with run_context() as context:
        assert type(context) is TaskRunContext
        assert get_run_context() is context
        flow_context = FlowRunContext.get()
        assert flow_context is not None
        assert isinstance(flow_context.flow_run, FlowRun)
        assert task_run.flow_run_id == flow_run.id == str(flow_context.flow_run.id)
        assert UUID(task_run.id)
    assert FlowRunContext.get() is None


def test_only_what_is_asked_for_is_there(run_context):
    with run_context(flow_run={"name": "a"}) as context:
        assert type(context) is FlowRunContext
        assert task_run.id is None
    with run_context(task_run={"name": "t"}) as context:
        assert type(context) is TaskRunContext
        assert (flow_run.id, task_run.name) == (None, "t")
    with run_context(deployment={"name": "d"}) as context:
        assert type(context) is FlowRunContext


def test_every_fact_can_be_given(run_context):
    given_flow = {
        "id": "run-1",
        "name": "a",
        "tags": ["x"],
        "flow_name": "f",
        "flow_version": "7",
        "parameters": {"p": 1},
        "parent_flow_run_id": "run-0",
        "parent_deployment_id": "deployment-0",
        "root_flow_run_id": "run-0",
        "run_count": 3,
        "max_retries": 5,
        "state_name": "Retrying",
        "job_variables": {"image": "i"},
        "work_pool_name": "pool",
        "work_queue_name": "queue",
    }
    given_task = {"id": "task-1", "name": "t", "tags": ["y"], "task_name": "n", "run_count": 2, "retries": 4}
    given_deployment = {"id": "d-1", "name": "d", "version": "v", "tags": ["z"], "parameters": {"q": 2}}
    with run_context(given_flow, given_task, given_deployment, parameters={"r": 3}):
        assert {name: getattr(flow_run, name) for name in given_flow} == given_flow
        assert {name: getattr(task_run, name) for name in given_task} == given_task
        assert {name: getattr(deployment, name) for name in given_deployment} == given_deployment
        assert task_run.parameters == {"r": 3}
        assert deployment.flow_run_id == "run-1"


def test_runs_can_be_given(run_context):
    run = FlowRun(flow_id=uuid4(), name="mine", parameters={"a": 1})
    made = TaskRun(task_key="k", dynamic_key="0", name="t", run_count=2)
    with run_context(run, made):
        assert (flow_run.id, flow_run.parameters) == (str(run.id), {"a": 1})
        assert (task_run.id, task_run.run_count) == (str(made.id), 2)


@pytest.mark.parametrize("section", ["flow_run", "task_run", "deployment"])
def test_an_unknown_fact_is_an_error_that_lists_the_known(run_context, section):
    with (
        pytest.raises(TypeError, match=f"{section} has no 'nmae'. It has .*name"),
        run_context(**{section: {"nmae": "x"}}),
    ):
        pass


def test_blocks_can_be_nested(run_context):
    with run_context(flow_run={"name": "outer"}):
        with run_context(task_run={"name": "inner"}):
            assert (flow_run.name, task_run.name) == (None, "inner")
        assert (flow_run.name, task_run.name) == ("outer", None)


def test_nothing_is_left_on_disk(run_context, run_python):
    code = """
from pathlib import Path
import os
from prefect.testing import run_context
from prefect.logging import get_run_logger
with run_context():
    get_run_logger().info("hello")
assert not Path(os.environ["PREFECT_HOME"]).exists()
"""
    assert "hello" in run_python("-c", code).stderr


def test_the_settings_are_as_before_afterwards(run_context):
    before = get_current_settings()
    with run_context():
        pass
    assert get_current_settings() is before


def test_the_package_gives_it_too():
    with prefect.testing.run_context(flow_run={"name": "a"}):
        assert flow_run.name == "a"


def test_the_plugin_costs_pytest_next_to_nothing(run_python):
    code = """
import sys
import pytest
import prefect.testing.plugin
heavy = {"sqlalchemy", "pydantic", "rich", "httpx", "asyncio"} & set(sys.modules)
print(sorted(heavy), "prefect.engine.flow_run" in sys.modules, "prefect.context" in sys.modules)
"""
    alone = run_python("-c", "import sys, pytest; print('asyncio' in sys.modules)").stdout
    heavy = "['asyncio']" if "True" in alone else "[]"
    assert run_python("-c", code).stdout == f"{heavy} False False\n"
