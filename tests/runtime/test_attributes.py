"""What the runtime modules answer: inside of a run, outside of one, and for names that are not there."""

from __future__ import annotations

import contextvars
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from prefect.context import (
    FlowRunContext,
    TaskRunContext,
    add_live_root,
    current_flow_run,
    remove_live_root,
)
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.objects import FlowRun, FlowRunPolicy, TaskRun, TaskRunPolicy
from prefect.settings import temporary_settings

MODULES = [flow_run, task_run, deployment]
THEN = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)

FLOW_RUN_EMPTY = {
    "id": None,
    "name": None,
    "tags": [],
    "parameters": {},
    "flow_name": None,
    "flow_version": None,
    "start_time": None,
    "run_count": 0,
    "max_retries": 0,
    "state_name": None,
    "parent_flow_run_id": None,
    "parent_deployment_id": None,
    "root_flow_run_id": None,
    "job_variables": None,
    "work_pool_name": None,
    "work_queue_name": None,
    "api_url": None,
    "ui_url": None,
}
TASK_RUN_EMPTY = {
    "id": None,
    "name": None,
    "tags": [],
    "parameters": {},
    "task_name": None,
    "run_count": 0,
    "retries": 0,
    "start_time": None,
    "flow_run_id": None,
    "api_url": None,
    "ui_url": None,
}
DEPLOYMENT_EMPTY = {
    "id": None,
    "name": None,
    "version": None,
    "tags": [],
    "parameters": {},
    "flow_run_id": None,
}


@pytest.fixture
def run() -> FlowRun:
    return FlowRun(
        flow_id=uuid4(),
        name="brave-otter",
        tags=["a", "b"],
        flow_version="7",
        parameters={"x": 1},
        run_count=2,
        start_time=THEN,
        expected_start_time=THEN - timedelta(hours=1),
        state_name="Running",
        empirical_policy=FlowRunPolicy(retries=3),
        job_variables={"image": "x"},
        work_pool_name="pool",
        work_queue_name="queue",
        deployment_id=uuid4(),
        deployment_version="v2",
    )


@pytest.mark.parametrize(
    ("module", "empty"),
    [(flow_run, FLOW_RUN_EMPTY), (task_run, TASK_RUN_EMPTY), (deployment, DEPLOYMENT_EMPTY)],
)
def test_outside_of_runs_everything_is_empty(module, empty):
    assert {name: getattr(module, name) for name in empty} == empty
    assert set(module.FIELDS) - set(empty) <= {"scheduled_start_time"}


def test_outside_of_runs_the_scheduled_start_time_is_now():
    before = datetime.now(UTC)
    assert before <= flow_run.scheduled_start_time <= datetime.now(UTC)


def test_a_flow_run_tells_its_facts(run):
    with FlowRunContext(flow_run=run, parameters={"x": 1, "live": object}):
        assert flow_run.id == str(run.id)
        assert flow_run.name == "brave-otter"
        assert flow_run.tags == ["a", "b"]
        assert flow_run.parameters == {"x": 1, "live": object}
        assert flow_run.flow_version == "7"
        assert flow_run.scheduled_start_time == THEN - timedelta(hours=1)
        assert flow_run.start_time == THEN
        assert flow_run.run_count == 2
        assert flow_run.max_retries == 3
        assert flow_run.state_name == "Running"
        assert flow_run.root_flow_run_id == flow_run.id
        assert flow_run.parent_flow_run_id is None
        assert flow_run.job_variables == {"image": "x"}
        assert (flow_run.work_pool_name, flow_run.work_queue_name) == ("pool", "queue")
        assert deployment.id == str(run.deployment_id)
        assert deployment.version == "v2"
        assert deployment.parameters == {"x": 1}
        assert deployment.flow_run_id == flow_run.id
    assert flow_run.id is None


def test_a_task_run_tells_its_facts_beside_those_of_its_flow_run(run):
    made = TaskRun(
        task_key="k",
        dynamic_key="0",
        name="t-0",
        tags=["t"],
        run_count=1,
        flow_run_id=run.id,
        start_time=THEN,
        empirical_policy=TaskRunPolicy(retries=2),
    )
    with FlowRunContext(flow_run=run), TaskRunContext(task_run=made, parameters={"y": 2}):
        assert task_run.id == str(made.id)
        assert (task_run.name, task_run.tags, task_run.parameters) == ("t-0", ["t"], {"y": 2})
        assert (task_run.run_count, task_run.retries, task_run.start_time) == (1, 2, THEN)
        assert task_run.flow_run_id == flow_run.id == str(run.id)
    assert task_run.id is None


def test_nested_runs_know_their_parents_and_deployments(run):
    contexts = []
    parent = None
    for depth in range(3):
        nested = run if depth == 0 else FlowRun(flow_id=uuid4(), name=f"depth-{depth}")
        contexts.append(FlowRunContext(flow_run=nested, parent=parent))
        parent = contexts[-1].snapshot
    with contexts[0], contexts[1], contexts[2]:
        assert flow_run.name == "depth-2"
        assert flow_run.parent_flow_run_id == str(contexts[1].flow_run.id)
        assert flow_run.root_flow_run_id == str(run.id)
        assert flow_run.parent_deployment_id == str(run.deployment_id)
        assert deployment.id == str(run.deployment_id)
        assert deployment.parameters == {"x": 1}


def test_a_run_of_no_deployment_gives_its_own_parameters():
    with FlowRunContext(flow_run=FlowRun(flow_id=uuid4()), parameters={"a": 1}):
        assert deployment.id is None
        assert deployment.parameters == {"a": 1}


def test_lists_are_the_callers_own(run):
    with FlowRunContext(flow_run=run):
        flow_run.tags.append("mine")
        assert flow_run.tags == ["a", "b"]


def test_urls_need_an_address(run):
    made = TaskRun(task_key="k", dynamic_key="0")
    with FlowRunContext(flow_run=run), TaskRunContext(task_run=made):
        with temporary_settings({"PREFECT_API_URL": "http://host:4200/api/"}):
            assert flow_run.api_url == f"http://host:4200/api/flow-runs/flow-run/{run.id}"
            assert task_run.api_url == f"http://host:4200/api/runs/task-run/{made.id}"
            assert flow_run.ui_url == f"http://host:4200/flow-runs/flow-run/{run.id}"
            assert task_run.ui_url == f"http://host:4200/runs/task-run/{made.id}"
        with temporary_settings({"PREFECT_UI_URL": "http://pages", "PREFECT_API_URL": None}):
            assert flow_run.api_url is None
            assert flow_run.ui_url == f"http://pages/flow-runs/flow-run/{run.id}"
            assert task_run.ui_url == f"http://pages/runs/task-run/{made.id}"
        with temporary_settings({"PREFECT_API_URL": None}):
            assert (flow_run.api_url, flow_run.ui_url, task_run.api_url, task_run.ui_url) == (None,) * 4


@pytest.mark.parametrize("module", MODULES)
def test_dir_lists_the_attributes(module):
    assert dir(module) == sorted(module.FIELDS)
    assert sorted(module.__all__) == dir(module)


@pytest.mark.parametrize("module", MODULES)
def test_an_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match=f"{module.__name__} has no attribute 'beep'"):
        _ = module.beep
    with pytest.raises(ImportError, match="beep"):
        exec(f"from {module.__name__} import beep")


def test_from_import_reads_the_value_of_now(run):
    with FlowRunContext(flow_run=run):
        from prefect.runtime.flow_run import id as run_id
        from prefect.runtime.flow_run import name
    assert (run_id, name) == (str(run.id), "brave-otter")


@pytest.mark.parametrize("module", MODULES)
def test_fields_can_be_patched(module, monkeypatch):
    monkeypatch.setitem(module.FIELDS, "id", lambda: "patched")
    monkeypatch.setitem(module.FIELDS, "beep", lambda: 5)
    assert (module.id, module.beep) == ("patched", 5)
    assert "beep" in dir(module)
    monkeypatch.setattr(module, "FIELDS", {"boop": lambda: 6})
    assert module.boop == 6
    with pytest.raises(AttributeError):
        _ = module.id


def test_attributes_can_be_patched(monkeypatch):
    monkeypatch.setattr(flow_run, "name", "mine")
    assert flow_run.name == "mine"


def test_getters_can_be_had():
    from prefect.runtime.flow_run import get_id

    assert get_id() is None


def in_thread(fn):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(fn()))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_without_a_context_belongs_to_the_only_flow_run(run):
    only = FlowRunContext(flow_run=run)
    add_live_root(only)
    try:
        assert in_thread(lambda: flow_run.id) == str(run.id)
        assert flow_run.id is None, "the main thread is no such thread"
        other = FlowRunContext(flow_run=FlowRun(flow_id=uuid4()))
        add_live_root(other)
        try:
            assert in_thread(lambda: flow_run.id) is None
        finally:
            remove_live_root(other)
        assert in_thread(lambda: flow_run.id) == str(run.id)
    finally:
        remove_live_root(only)
    assert in_thread(current_flow_run) is None


def test_a_thread_with_a_copied_context_has_its_run(run):
    with FlowRunContext(flow_run=run):
        context = contextvars.copy_context()
    assert in_thread(lambda: context.run(lambda: flow_run.id)) == str(run.id)
