"""Calling flows: every kind of function, nested ones, methods."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import setting
from prefect import flow, task
from prefect.context import FlowRunContext
from prefect.exceptions import ParameterBindError, UnfinishedRun
from prefect.runtime import flow_run, task_run
from recorded import flow_run_of, history_of, settled, task_runs_of, upstream_of


@flow
def double(x: int = 2) -> int:
    return 2 * x


@flow
async def adouble(x: int = 2) -> int:
    return 2 * x


@task
def one() -> int:
    return 1


@task
def boom() -> None:
    raise ValueError("nope")


@pytest.mark.parametrize("called", [double, adouble])
def test_a_flow_runs_and_is_recorded(called: Any) -> None:
    assert settled(called(4)) == 8
    state = settled(called(4, return_state=True))
    assert state.is_completed() and state.result() == 8
    run = flow_run_of(state)
    assert run.parameters == {"x": 4}
    assert run.run_count == 1
    assert run.start_time is not None and run.end_time is not None and run.total_run_time >= 0
    assert history_of(state) == ["Pending", "Running", "Completed"]


def test_a_failed_flow_raises_what_the_function_raised() -> None:
    @flow
    def fail() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError, match="k") as caught:
        fail()
    assert caught.traceback[-1].name == "fail"
    state = fail(return_state=True)
    assert state.message == "Flow run encountered an exception: KeyError: 'k'"
    assert history_of(state) == ["Pending", "Running", "Failed"]


def test_methods_in_both_orders() -> None:
    class Shop:
        def __init__(self, price: int) -> None:
            self.price = price

        @flow
        def cost(self, count: int) -> Any:
            return self.price * count, flow_run.parameters

        @flow
        async def acost(self, count: int) -> int:
            return self.price * count

        @flow
        @staticmethod
        def tax(cost: int) -> int:
            return cost // 10

        @staticmethod
        @flow
        def tax_within(cost: int) -> int:
            return cost // 10

        @flow
        @classmethod
        def name(cls) -> str:
            return cls.__name__

        @classmethod
        @flow
        def name_within(cls) -> str:
            return cls.__name__

    shop = Shop(3)
    assert shop.cost(2) == (6, {"count": 2})
    assert asyncio.run(shop.acost(2)) == 6
    assert Shop(5).cost("4")[0] == 20  # coerced as in functions
    assert [shop.tax(50), Shop.tax(50), shop.tax_within(50), Shop.tax_within(50)] == [5] * 4
    assert [shop.name(), Shop.name(), shop.name_within(), Shop.name_within()] == ["Shop"] * 4


def test_names() -> None:
    @flow
    def some_long_name() -> None: ...

    assert some_long_name.name == "some-long-name"
    assert flow(name="Other")(some_long_name.fn).name == "Other"
    assert flow(lambda: 3).name == "unknown-lambda"
    assert flow(lambda: 3)() == 3


def test_bind_errors_come_before_any_run() -> None:
    with pytest.raises(ParameterBindError, match="function 'double': too many positional arguments"):
        double(1, 2)
    with pytest.raises(ParameterBindError, match="unexpected keyword argument 'y'"):
        double(y=1)


@flow
def child(x: int = 0) -> Any:
    return flow_run.id, flow_run.parent_flow_run_id, flow_run.root_flow_run_id, TagOf.here()


class TagOf:
    @staticmethod
    def here() -> Any:
        context = FlowRunContext.get()
        return None if context is None or context.flow is None else context.flow.name


def test_nested_flows_know_their_parent() -> None:
    @flow
    def parent() -> Any:
        return flow_run.id, child(), TagOf.here()

    own, (child_id, parent_id, root_id, inner), outer = parent()
    assert own == parent_id == root_id != child_id
    assert (inner, outer) == ("child", "parent")


def test_a_nested_flow_has_a_task_run_that_stands_for_it() -> None:
    @flow
    def parent() -> Any:
        return child(one.submit())

    state = parent(return_state=True)
    first, stand_in = task_runs_of(state)
    child_run = flow_run_of(state.result()[0])
    assert child_run.parent_task_run_id == stand_in.id
    assert stand_in.state is not None
    assert stand_in.state.state_details.child_flow_run_id == child_run.id
    assert history_of(child_run) == ["Pending", "Running", "Completed"]
    # A server that makes it notes that it is pending, and then that the nested run is.
    assert history_of(stand_in)[-3:] == ["Pending", "Running", "Completed"]
    assert upstream_of(stand_in) == {"x": {first.id}}
    assert child_run.parameters == {"x": 1}


def test_flows_nest_deeply() -> None:
    @flow
    def nest(depth: int) -> list[Any]:
        below = nest(depth - 1) if depth else []
        return [(flow_run.id, flow_run.parent_flow_run_id, flow_run.root_flow_run_id), *below]

    chain = nest(4)
    ids = [own for own, _, _ in chain]
    assert [parent for _, parent, _ in chain] == [None, *ids[:-1]]
    assert {root for _, _, root in chain} == {ids[0]}


def test_async_flows_gather_nested_ones() -> None:
    @flow
    async def leaf(x: int) -> Any:
        await asyncio.sleep(0)
        return x, flow_run.parent_flow_run_id

    @flow
    async def parent() -> Any:
        return flow_run.id, await asyncio.gather(*[leaf(x) for x in range(10)])

    own, leaves = asyncio.run(parent())
    assert leaves == [(x, own) for x in range(10)]


def test_a_sync_flow_calls_an_async_flow_within_its_own_loop() -> None:
    @flow
    def parent() -> Any:
        return flow_run.id, asyncio.run(inner())

    @flow
    async def inner() -> Any:
        return flow_run.parent_flow_run_id

    own, seen = parent()
    assert own == seen


def test_a_sync_flow_within_an_async_one() -> None:
    @flow
    async def parent() -> Any:
        return flow_run.id, child(), one.submit().result()

    own, (_, parent_id, _, _), result = asyncio.run(parent())
    assert own == parent_id and result == 1


@pytest.mark.parametrize("wait_for", [False, True])
def test_a_nested_flow_does_not_run_after_a_failed_run(wait_for: bool) -> None:
    ran = []

    @flow
    def inner(x: Any = None) -> None:
        ran.append(1)

    @flow
    def parent() -> Any:
        failed = boom.submit()
        return inner(wait_for=[failed]) if wait_for else inner(failed)

    with pytest.raises(UnfinishedRun, match="did not reach a 'COMPLETED' state"):
        parent()
    assert not ran


def test_a_flow_waits_for_tasks_it_left_behind() -> None:
    import threading

    go, done = threading.Event(), []

    @task
    def late() -> None:
        assert go.wait(50)
        done.append(1)

    @flow
    def leaves() -> None:
        late.submit()
        go.set()

    state = leaves(return_state=True)
    assert done == [1]
    assert [run.state_name for run in task_runs_of(state)] == ["Completed"]


def test_a_failed_task_left_behind_does_not_fail_the_flow() -> None:
    @flow
    def leaves() -> int:
        boom.submit()
        return 3

    state = leaves(return_state=True)
    assert state.is_completed() and state.result() == 3
    assert [run.state_name for run in task_runs_of(state)] == ["Failed"]


def test_the_same_flow_runs_in_several_threads_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    many = setting.sized(24, peer=8)

    @flow
    def work(x: int) -> Any:
        return [task_name(x) for _ in range(3)], flow_run.parameters

    @task
    def task_name(x: int) -> Any:
        return x, task_run.parameters["x"]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(work, range(many)))
    assert results == [([(x, x)] * 3, {"x": x}) for x in range(many)]


def test_runs_may_nest_recursively_to_pythons_own_limit_only() -> None:
    @task
    def count(n: int) -> int:
        return 0 if n == 0 else 1 + count(n - 1)

    assert count(30) == 30


def test_version_is_the_files_checksum_unless_given() -> None:
    assert double.version is not None and len(double.version) == 8
    assert double.version == adouble.version
    assert flow(version="7")(double.fn).version == "7"
    run = flow_run_of(double(1, return_state=True))
    assert run.flow_version == double.version
