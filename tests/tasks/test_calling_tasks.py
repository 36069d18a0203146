"""Calling tasks: every kind of function, every kind of method."""

from __future__ import annotations

import asyncio
import functools
from typing import Any
from unittest.mock import AsyncMock

import pytest

from prefect import flow, get_run_logger, task
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError, ParameterBindError, ReservedArgumentError
from prefect.runtime import flow_run, task_run
from recorded import history_of, settled, task_run_of, task_runs_of


@task
def double(x: int) -> int:
    """Twice a number."""
    return 2 * x


@task
async def adouble(x: int) -> int:
    return 2 * x


@task
def fail() -> None:
    raise ValueError("nope")


@task
async def afail() -> None:
    raise ValueError("nope")


@pytest.mark.parametrize("called", [double, adouble])
def test_a_task_without_a_flow_runs_and_is_recorded(called: Any) -> None:
    assert settled(called(4)) == 8
    state = settled(called(4, return_state=True))
    assert state.is_completed() and state.result() == 8
    run = task_run_of(state)
    assert run.flow_run_id is None
    assert run.start_time is not None and run.end_time is not None
    assert history_of(state) == ["Pending", "Running", "Completed"]


@pytest.mark.parametrize("called", [fail, afail])
def test_a_failed_task_raises_what_the_function_raised(called: Any) -> None:
    with pytest.raises(ValueError, match="nope"):
        settled(called())
    state = settled(called(return_state=True))
    assert state.is_failed() and state.message == "Task run encountered an exception ValueError: nope"
    assert isinstance(state.result(raise_on_failure=False), ValueError)
    assert history_of(state) == ["Pending", "Running", "Failed"]


def test_a_failed_tasks_traceback_shows_the_users_line() -> None:
    with pytest.raises(ValueError, match="nope") as caught:
        fail()
    assert caught.traceback[-1].name == "fail"


def test_a_task_in_a_flow_belongs_to_it() -> None:
    @flow
    def around() -> tuple[str, str | None]:
        double(1)
        return flow_run.id, double(2, return_state=True).state_details.flow_run_id

    state = around(return_state=True)
    own_id, seen = state.result()
    assert str(seen) == own_id
    runs = task_runs_of(state)
    assert [run.name.rpartition("-")[0] for run in runs] == ["double", "double"]
    assert all(run.flow_run_run_count == 1 for run in runs)


def test_tasks_call_tasks() -> None:
    names: list[Any] = []

    @task
    def inner() -> str | None:
        names.append(task_run.task_name)
        return task_run.id

    @task
    def outer() -> tuple[Any, Any, Any]:
        before = task_run.id
        return before, inner(), task_run.id

    before, within, after = outer()
    assert before == after != within
    assert names == ["inner"]


def test_flows_run_inside_tasks() -> None:
    @flow
    def inside() -> tuple[Any, Any]:
        assert TaskRunContext.get() is None
        return flow_run.parent_flow_run_id, flow_run.id

    @task
    def middle() -> Any:
        return inside()

    @flow
    def outside() -> Any:
        return flow_run.id, middle()

    root, (parent, own) = outside()
    assert parent == root != own


def test_a_sync_flow_runs_an_async_tasks_coroutine() -> None:
    @flow
    def around() -> Any:
        coroutine = adouble(3)
        assert asyncio.iscoroutine(coroutine)
        return asyncio.run(coroutine), adouble.submit(4).result()

    assert around() == (6, 8)


def test_an_async_flow_calls_sync_tasks_directly() -> None:
    @flow
    async def around() -> Any:
        return double(3), await adouble(4), double.submit(5).result()

    state = asyncio.run(around(return_state=True))
    assert state.result() == (6, 8, 10)
    assert len(task_runs_of(state)) == 3


def test_a_sync_task_that_submits_async_ones_from_an_async_flow() -> None:
    @task
    def middle() -> int:
        return adouble.submit(21).result()

    @flow
    async def around() -> int:
        return middle()

    assert asyncio.run(around()) == 42


class Shop:
    """Methods as tasks, the decorators in both orders."""

    def __init__(self, price: int = 3) -> None:
        self.price = price

    @task
    def cost(self, count: int) -> int:
        return self.price * count

    @task
    async def acost(self, count: int) -> int:
        return self.price * count

    @task
    @staticmethod
    def tax(cost: int) -> int:
        return cost // 10

    @staticmethod
    @task
    def tax_within(cost: int) -> int:
        return cost // 10

    @task
    @classmethod
    def name(cls, suffix: str) -> str:
        return cls.__name__ + suffix

    @classmethod
    @task
    def name_within(cls, suffix: str) -> str:
        return cls.__name__ + suffix


@pytest.mark.parametrize("method", ["cost", "acost"])
def test_instance_methods(method: str) -> None:
    cheap, dear = Shop(1), Shop(100)
    assert settled(getattr(cheap, method)(2)) == 2
    assert settled(getattr(dear, method)(2)) == 200
    assert settled(getattr(cheap, method)(count=3)) == 3
    assert getattr(dear, method).submit(5).result() == 500
    assert getattr(cheap, method).map([1, 2]).result() == [1, 2]
    assert settled(getattr(Shop, method)(dear, 2)) == 200


@pytest.mark.parametrize("method", ["tax", "tax_within"])
@pytest.mark.parametrize("holder", [Shop, Shop()], ids=["class", "instance"])
def test_static_methods(method: str, holder: Any) -> None:
    assert getattr(holder, method)(50) == 5
    assert getattr(holder, method).submit(50).result() == 5


class Branch(Shop):
    pass


@pytest.mark.parametrize("method", ["name", "name_within"])
@pytest.mark.parametrize("holder", [Branch, Branch()], ids=["class", "instance"])
def test_class_methods(method: str, holder: Any) -> None:
    assert getattr(holder, method)("!") == "Branch!"


def test_a_methods_parameters_leave_out_the_object() -> None:
    class Thing:
        @task
        def look(self, x: int) -> Any:
            return task_run.parameters

    assert Thing().look(1) == {"x": 1}


def test_methods_keep_options_and_hooks() -> None:
    seen = []

    class Thing:
        @task(name="seeing", on_completion=[lambda *given: seen.append(given[0].name)])
        def look(self) -> Any:
            return task_run.task_name

    assert Thing().look() == "seeing"
    assert seen == ["seeing"]


def test_partials_lambdas_and_objects_that_can_be_called() -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    class AsyncAdder:
        async def __call__(self, x: int) -> int:
            return x + 1

    assert task(functools.partial(lambda a, b: a - b, 10))(4) == 6
    assert task(lambda: 5)() == 5
    assert task(Adder())(1) == 2
    assert settled(task(AsyncAdder())(1)) == 2
    assert task(Adder()).name == "Adder"
    assert task(lambda: 1).name == "<lambda>"
    assert settled(task(functools.partial(adouble.fn))(2)) == 4


def test_an_object_that_says_it_is_async_is() -> None:
    made = task(AsyncMock(return_value=3))

    assert made.isasync
    assert settled(made()) == 3
    assert made.submit().result() == 3
    assert settled(flow(AsyncMock(return_value=4), name="stand-in")()) == 4


def test_what_python_does_not_bind_is_not_bound() -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    class Holder:
        part = task(functools.partial(lambda a, b: (a, b), 1))
        adder = task(Adder())

    assert Holder().part(2) == (1, 2)
    assert Holder().adder(2) == 3


def test_arguments_of_all_kinds_reach_the_function() -> None:
    @task
    def everything(a: Any, /, b: Any, *args: Any, c: Any = 3, **kwargs: Any) -> Any:
        return (a, b, args, c, kwargs), task_run.parameters

    given, parameters = everything(1, 2, 7, 8, z=9)
    assert given == (1, 2, (7, 8), 3, {"z": 9})
    assert parameters == {"a": 1, "b": 2, "args": (7, 8), "c": 3, "kwargs": {"z": 9}}
    assert everything(1, b=2)[0] == (1, 2, (), 3, {})


@pytest.mark.parametrize("call", [double.__call__, double.submit])
def test_arguments_that_do_not_fit_raise_at_the_call(call: Any) -> None:
    with pytest.raises(ParameterBindError, match="Error binding parameters for function 'double': too many"):
        call(1, 2)
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        call()


@pytest.mark.parametrize("name", ["return_state", "wait_for"])
def test_reserved_parameters_are_refused(name: str) -> None:
    function = eval(f"lambda {name}: 1")
    with pytest.raises(ReservedArgumentError, match=f"Task '<lambda>' has a parameter named '{name}'"):
        task(function)
    with pytest.raises(ReservedArgumentError, match=f"Flow .* has a parameter named '{name}'"):
        flow(function)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="must be callable: @task was given 5"):
        task(5)  # type: ignore[call-overload]


def test_unknown_options_are_refused() -> None:
    with pytest.raises(TypeError, match=r"@task got unknown option\(s\): retires"):
        task(retires=3)(double.fn)  # type: ignore[call-overload]


def test_the_contexts_are_there_in_a_task_and_gone_afterwards() -> None:
    @task
    def look() -> Any:
        inside = TaskRunContext.get()
        assert inside is not None and inside.task is look
        return FlowRunContext.get() is not None

    @flow
    def around() -> Any:
        found = look()
        assert TaskRunContext.get() is None
        return found

    assert around() is True
    assert TaskRunContext.get() is None and FlowRunContext.get() is None
    with pytest.raises(MissingContextError):
        get_run_logger()


def test_a_task_keeps_its_functions_identity() -> None:
    assert double.__name__ == "double" and double.__doc__ == "Twice a number."
    assert double.fn(2) == 4
    assert double.description == "Twice a number."
    assert repr(double) == "<prefect.tasks.Task 'double'>"


def test_stop_iteration_of_a_plain_function_is_a_failure_like_others() -> None:
    @task
    def stop() -> None:
        next(iter(()))

    assert stop(return_state=True).is_failed()
    with pytest.raises(StopIteration):
        stop()


def test_a_task_may_be_made_a_flow() -> None:
    attempts = []

    @task(retries=1)
    def unsteady(x: int) -> int:
        attempts.append(task_run.run_count)
        if len(attempts) < 2:
            raise ValueError("not yet")
        return x + 1

    assert flow(unsteady)(1) == 2
    assert attempts == [1, 2]  # it ran as a task, with its options


def test_a_callable_objects_attributes_are_its_own() -> None:
    class Doubled:
        fn = name = "its own"

        def __init__(self) -> None:
            self.fn = self.name = "its own"

        def __call__(self, x: int) -> int:
            return 2 * x

    double = task(Doubled())
    assert double(2) == 4
    assert double.name == "Doubled"
