"""The facts of a run are right in every place where code of it runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prefect import flow, tags, task
from prefect.client.local import LocalClient
from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger
from prefect.operations import read_logs
from prefect.recorder import get_recorder
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.queries import LogQuery
from prefect.store import open_store
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect.testing import prefect_test_harness

seen: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture(autouse=True)
def harness():
    seen.clear()
    with prefect_test_harness():
        yield


def facts() -> dict[str, Any]:
    """Every fact of the flow run that does not change while it runs, and those of the task run."""
    flow_facts = {name: getattr(flow_run, name) for name in dir(flow_run) if name != "state_name"}
    return {
        "flow_run": flow_facts,
        "task_run": {name: getattr(task_run, name) for name in dir(task_run)},
        "deployment": {name: getattr(deployment, name) for name in dir(deployment)},
    }


def see(where: str) -> None:
    seen.append((where, facts()))
    get_run_logger().debug("seen in %s", where)


def seen_in(where: str) -> dict[str, Any]:
    (found,) = [found for name, found in seen if name == where]
    return found


def hook(where: str):
    def look(*_: Any) -> None:
        see(where)

    return look


def test_a_flow_and_its_callbacks_and_hooks_see_the_same_run():
    def name_it() -> str:
        seen.append(("name", facts()))
        return f"named-{flow_run.parameters['x']}"

    @flow(
        flow_run_name=name_it,
        on_running=[hook("running")],
        on_completion=[hook("completion")],
        version="7",
        retries=2,
        retry_delay_seconds=0,
    )
    def my_flow(x: int) -> None:
        see("body")

    with tags("a"):
        my_flow(1)
    body = seen_in("body")["flow_run"]
    assert body["name"] == "named-1"
    assert body["tags"] == ["a"]
    assert body["parameters"] == {"x": 1}
    assert body["flow_name"] == "my-flow"
    assert body["flow_version"] == "7"
    assert (body["run_count"], body["max_retries"]) == (1, 2)
    assert body["start_time"] >= body["scheduled_start_time"]
    assert body["root_flow_run_id"] == body["id"]
    for where in ("running", "completion"):
        assert seen_in(where)["flow_run"] == body
        assert seen_in(where)["task_run"]["id"] is None
    callback = seen_in("name")["flow_run"]
    assert (callback["id"], callback["parameters"]) == (body["id"], {"x": 1})


def test_failing_runs_hooks_see_their_run():
    @task(on_failure=[hook("task failure")])
    def bad_task() -> None:
        see("task")
        raise ValueError("bad")

    @flow(on_failure=[hook("flow failure")])
    def bad_flow() -> None:
        see("flow")
        bad_task()

    assert bad_flow(return_state=True).is_failed()
    assert seen_in("flow failure")["flow_run"]["id"] == seen_in("flow")["flow_run"]["id"]
    assert seen_in("task failure")["task_run"]["id"] == seen_in("task")["task_run"]["id"]
    assert seen_in("task failure")["flow_run"]["id"] == seen_in("flow")["flow_run"]["id"]


def test_a_task_and_its_callbacks_and_hooks_see_the_same_runs():
    def name_it() -> str:
        seen.append(("name", facts()))
        return f"named-{task_run.parameters['x']}"

    @task(
        task_run_name=name_it,
        on_running=[hook("running")],
        on_completion=[hook("completion")],
        tags=["t"],
        retries=3,
    )
    def my_task(x: int) -> None:
        see("task")

    @flow
    def my_flow() -> None:
        see("flow")
        my_task(5)

    my_flow()
    body = seen_in("task")
    assert body["flow_run"] == seen_in("flow")["flow_run"]
    assert body["task_run"]["name"] == "named-5"
    assert body["task_run"]["task_name"] == "my_task"
    assert body["task_run"]["tags"] == ["t"]
    assert body["task_run"]["parameters"] == {"x": 5}
    assert (body["task_run"]["run_count"], body["task_run"]["retries"]) == (1, 3)
    assert body["task_run"]["flow_run_id"] == body["flow_run"]["id"]
    for where in ("running", "completion"):
        assert seen_in(where)["task_run"] == body["task_run"]
        assert seen_in(where)["flow_run"] == body["flow_run"]
    assert seen_in("name")["task_run"]["id"] == body["task_run"]["id"]
    assert seen_in("name")["flow_run"]["id"] == body["flow_run"]["id"]


@pytest.mark.parametrize("delay", [0, 0.001])
def test_run_counts_are_1_2_3_on_three_attempts(delay):
    @task(retries=2, retry_delay_seconds=delay)
    def my_task() -> None:
        see(f"task {task_run.run_count}")
        if task_run.run_count < 3:
            raise ValueError

    @flow(retries=2, retry_delay_seconds=delay)
    def my_flow() -> None:
        see(f"flow {flow_run.run_count}")
        if flow_run.run_count < 3:
            raise ValueError
        my_task()

    my_flow()
    assert [where for where, _ in seen] == ["flow 1", "flow 2", "flow 3", "task 1", "task 2", "task 3"]
    assert len({found["flow_run"]["id"] for _, found in seen}) == 1


def test_async_runs_count_their_attempts_too():
    @task(retries=2)
    async def my_task() -> int:
        see(f"task {task_run.run_count}")
        if task_run.run_count < 3:
            raise ValueError
        return task_run.run_count

    @flow(retries=2)
    async def my_flow() -> list[int]:
        if flow_run.run_count < 3:
            raise ValueError
        return await asyncio.gather(my_task(), my_task())

    assert asyncio.run(my_flow()) == [3, 3]
    assert sorted(where for where, _ in seen) == ["task 1", "task 1", "task 2", "task 2", "task 3", "task 3"]


def test_nested_flows_know_their_parents():
    @flow
    def third() -> None:
        see("third")

    @flow
    def second() -> None:
        see("second")
        third()
        see("second again")

    @flow
    def first() -> None:
        see("first")
        second()

    first()
    runs = {where: found["flow_run"] for where, found in seen}
    assert runs["second"] == runs["second again"]
    assert runs["second"]["parent_flow_run_id"] == runs["first"]["id"]
    assert runs["third"]["parent_flow_run_id"] == runs["second"]["id"]
    assert {run["root_flow_run_id"] for run in runs.values()} == {runs["first"]["id"]}
    assert len({run["id"] for run in runs.values()}) == 3


def test_a_flow_in_a_task_is_no_part_of_the_tasks_context():
    @flow
    def inner() -> None:
        see("inner")

    @task
    def my_task() -> None:
        inner()
        see("task")

    @flow
    def outer() -> None:
        my_task()

    outer()
    assert seen_in("inner")["task_run"]["id"] is None
    assert seen_in("inner")["flow_run"]["parent_flow_run_id"] == seen_in("task")["flow_run"]["id"]
    assert seen_in("task")["task_run"]["id"] is not None


@task
def sees(x: int) -> dict[str, Any]:
    context = TaskRunContext.get()
    assert context is not None
    assert context.task_run is not None
    assert str(context.task_run.id) == task_run.id
    get_run_logger().info("%s", x)
    return {**facts(), "flow context": FlowRunContext.get() is not None}


@task
def prints(x: int) -> None:
    print("printed", x)


@pytest.mark.parametrize("runner", [ThreadPoolTaskRunner, ProcessPoolTaskRunner])
def test_task_runners_carry_what_tasks_inherit(runner):
    @flow(task_runner=runner(max_workers=1), log_prints=True, persist_result=True)
    def my_flow() -> tuple[Any, Any]:
        future = prints.submit(1)
        future.wait()
        return future.task_run_id, future.state.data.metadata

    task_run_id, kept = my_flow()
    get_recorder().flush()
    logs = LocalClient(open_store()).call(read_logs, LogQuery())
    assert "printed 1" in [log.message for log in logs if log.task_run_id == task_run_id]
    assert kept.storage_key


@pytest.mark.parametrize("runner", [ThreadPoolTaskRunner, ProcessPoolTaskRunner])
def test_task_runners_carry_the_run(runner):
    @flow(task_runner=runner(max_workers=2))
    def my_flow(x: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        with tags("inside"):
            return facts(), [future.result() for future in sees.map([1, 2])]

    with tags("a"):
        here, there = my_flow(3)
    for x, found in enumerate(there, 1):
        assert found["flow_run"] == here["flow_run"]
        assert found["deployment"] == here["deployment"]
        assert found["task_run"]["parameters"] == {"x": x}
        assert found["task_run"]["tags"] == ["a", "inside"]
        assert found["task_run"]["flow_run_id"] == here["flow_run"]["id"]
        assert found["task_run"]["run_count"] == 1
        assert found["flow context"] is (runner is ThreadPoolTaskRunner)
    assert len({found["task_run"]["id"] for found in there}) == 2
