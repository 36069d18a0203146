"""The run of here in threads and processes that know nothing of it."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import multiprocessing
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect.client.local import LocalClient
from prefect.context import (
    FlowRunContext,
    TagsContext,
    TaskRunContext,
    hydrated_context,
    serialize_context,
    tags,
    with_context,
)
from prefect.logging import get_run_logger
from prefect.operations import create_flow, create_flow_run, read_logs
from prefect.runtime import deployment, flow_run, task_run
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import FlowRun, FlowRunPolicy, TaskRun
from prefect.schemas.queries import LogQuery
from prefect.settings import get_current_settings, temporary_settings
from prefect.store import open_store
from prefect.testing import prefect_test_harness

SECRET = "pnu_do_not_tell"


def everything() -> dict[str, Any]:
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in (flow_run, task_run, deployment)
        for name in dir(module)
    }


def observe(_: object = None) -> dict[str, Any]:
    """What code sees of its run, in whatever process it is called."""
    context = TaskRunContext.get()
    return {
        "runtime": everything(),
        "tags": TagsContext.get().current_tags,
        "flow context": FlowRunContext.get() is not None,
        "task run": None if context is None or context.task_run is None else str(context.task_run.id),
        "level": get_current_settings().logging.level,
    }


def log_something(_: object = None) -> None:
    get_run_logger().warning("from a process of %s", flow_run.name)


async def observe_async() -> dict[str, Any]:
    await asyncio.sleep(0)
    return observe()


def send(connection, fn: Callable[[], Any]) -> None:
    connection.send(fn())
    connection.close()


def some_flow_run(**facts: Any) -> FlowRun:
    facts = {
        "flow_id": uuid4(),
        "name": "brave-otter",
        "tags": ["a"],
        "parameters": {"x": 1},
        "run_count": 2,
        "start_time": datetime(2026, 1, 31, 8, 15, tzinfo=UTC),
        "expected_start_time": datetime(2026, 1, 31, 8, tzinfo=UTC),
        "state_name": "Running",
        "deployment_id": uuid4(),
        "empirical_policy": FlowRunPolicy(retries=3),
        "work_pool_name": "pool",
        "job_variables": {"image": "x"},
        **facts,
    }
    return FlowRun(**facts)


@pytest.fixture
def in_run():
    """Be in a task run of a flow run, as the engine would have it."""
    run = some_flow_run()
    task = TaskRun(task_key="t", dynamic_key="0", name="t-0", flow_run_id=run.id, run_count=1)
    with (
        FlowRunContext(flow_run=run, parameters={"x": 1}),
        TaskRunContext(task_run=task, parameters={"y": datetime}),
        tags("here"),
        temporary_settings({"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_API_KEY": SECRET}),
    ):
        yield


def in_process(method: str, fn: Callable[[], Any]) -> Any:
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send, args=(sender, fn))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


def in_pool(method: str, fn: Callable[..., Any]) -> Any:
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(fn, [None])[0]


def in_executor(method: str, fn: Callable[..., Any]) -> Any:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        return pool.submit(fn).result()


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def method(request):
    if request.param not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {request.param}")
    return request.param


launchers = pytest.mark.parametrize("launch", [in_process, in_pool, in_executor])


@launchers
def test_another_process_sees_the_run(in_run, method, launch):
    here = observe()
    there = launch(method, with_context(observe))
    assert here["flow context"] is True
    assert there == {**here, "flow context": False}


@launchers
def test_logs_of_another_process_arrive_at_the_run(method, launch):
    with prefect_test_harness():
        client = LocalClient(open_store())
        flow = client.call(create_flow, FlowCreate(name="f"))
        run = client.call(create_flow_run, FlowRunCreate(flow_id=flow.id, name="brave-otter"))
        with FlowRunContext(flow_run=run):
            launch(method, with_context(log_something))
        logs = client.call(read_logs, LogQuery())
    assert [(log.message, log.flow_run_id) for log in logs] == [("from a process of brave-otter", run.id)]


def test_inner_functions_can_be_sent_too(in_run):
    extra = "closure"
    assert in_executor("spawn", with_context(lambda: (extra, flow_run.name))) == ("closure", "brave-otter")


def test_a_context_is_gone_after_hydration(in_run):
    serialized = pickle.loads(pickle.dumps(serialize_context()))

    def elsewhere() -> None:
        for _ in range(2):
            with hydrated_context(serialized):
                assert flow_run.name == "brave-otter"
                assert TaskRunContext.get() is not None
        assert (flow_run.id, task_run.id, TaskRunContext.get()) == (None, None, None)
        assert TagsContext.get().current_tags == set()

    contextvars.Context().run(elsewhere)


def test_nothing_serialized_changes_nothing(in_run):
    with hydrated_context(None), hydrated_context({}):
        assert flow_run.name == "brave-otter"


def test_what_is_serialized_is_small_and_tells_no_secrets(in_run):
    variables = {"env": {"PASSWORD": SECRET}}
    with FlowRunContext(flow_run=some_flow_run(job_variables=variables), parameters={"x": "y" * 100_000}):
        pickled = pickle.dumps(serialize_context())
    assert len(pickled) <= 2048
    assert SECRET.encode() not in pickled


class OwnSecret(SecretStr):
    """As users derive them."""


@pytest.mark.parametrize("kind", [SecretStr, OwnSecret])
def test_secret_parameters_stay_behind(kind):
    with FlowRunContext(flow_run=some_flow_run(), parameters={"x": {"inner": kind(SECRET)}}):
        serialized = serialize_context()
    assert serialized["flow_run_parameters"] is None
    assert SECRET.encode() not in pickle.dumps(serialized)


@given(st.integers(0, 5000))
def test_parameters_travel_while_they_are_small(size):
    with FlowRunContext(flow_run=some_flow_run(parameters={}), parameters={"x": "y" * size}):
        parameters = serialize_context()["flow_run_parameters"]
    assert (parameters is None) == (len(pickle.dumps({"x": "y" * size})) > 1024)


def test_parameters_that_cannot_be_pickled_stay_behind():
    with FlowRunContext(flow_run=some_flow_run(), parameters={"x": threading.Lock()}):
        assert serialize_context()["flow_run_parameters"] is None


def test_what_did_not_travel_is_looked_up():
    large = {"x": list(range(5000))}
    with prefect_test_harness():
        client = LocalClient(open_store())
        flow = client.call(create_flow, FlowCreate(name="f"))
        data = FlowRunCreate(flow_id=flow.id, parameters=large, job_variables={"env": {"A": "b"}})
        run = client.call(create_flow_run, data)
        with FlowRunContext(flow_run=run):
            serialized = serialize_context()
        with hydrated_context(serialized):
            assert flow_run.parameters == large
            assert flow_run.job_variables == {"env": {"A": "b"}}


def test_threads_run_in_a_copy_of_the_context(in_run):
    library = contextvars.ContextVar("library", default="outside")
    library.set("inside")

    def work(n: int) -> tuple[Any, ...]:
        library.set(f"{library.get()}-{n}")
        return observe(), library.get()

    here = observe()
    wrapped = with_context(work)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(wrapped, range(50)))
    assert [value for _, value in found] == [f"inside-{n}" for n in range(50)]
    assert all(seen == here for seen, _ in found)


def test_a_wrapped_function_may_call_itself(in_run):
    wrapped = with_context(lambda n: flow_run.name if n == 0 else wrapped(n - 1))
    assert wrapped(3) == "brave-otter"


def test_coroutine_functions_stay_coroutine_functions(in_run):
    wrapped = with_context(observe_async)
    assert inspect.iscoroutinefunction(wrapped)
    here = observe()
    assert contextvars.Context().run(asyncio.run, wrapped()) == here

    async def at_once() -> list[Any]:
        return await asyncio.gather(*(wrapped() for _ in range(10)))

    assert contextvars.Context().run(asyncio.run, at_once()) == [here] * 10


def test_coroutine_functions_travel(in_run):
    here = observe()
    there = in_executor("spawn", run_coroutine_function(with_context(observe_async)))
    assert there == {**here, "flow context": False}


class run_coroutine_function:
    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    def __call__(self) -> Any:
        return asyncio.run(self.fn())


def test_a_run_that_a_test_made_up_travels_too(run_context):
    with run_context(flow_run={"id": "run-1", "name": "made up"}, task_run={"id": "task-1"}):
        there = in_executor("spawn", with_context(everything))
    assert there["prefect.runtime.flow_run.id"] == "run-1"
    assert there["prefect.runtime.task_run.id"] == "task-1"


def test_a_run_travels_on_from_where_it_came(in_run):
    here = everything()
    assert in_executor("spawn", with_context(travel_on)) == here


def travel_on() -> dict[str, Any]:
    return in_executor("spawn", with_context(everything))


def test_a_wrapped_function_keeps_its_name():
    assert with_context(observe).__name__ == "observe"


def test_a_function_wrapped_outside_of_runs_runs_outside_of_runs(in_run):
    wrapped = contextvars.Context().run(with_context, observe)
    assert wrapped()["runtime"]["prefect.runtime.flow_run.id"] is None
