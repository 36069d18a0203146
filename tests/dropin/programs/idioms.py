"""Idioms: how flows and tasks meet the rest of Python."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pydantic

from prefect import allow_failure, flow, get_run_logger, tags, task, unmapped
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import PrefectException
from prefect.futures import PrefectFuture, PrefectFutureList, resolve_futures_to_states, wait
from prefect.runtime import flow_run, task_run
from prefect.states import Completed, Crashed, Failed, State, StateType
from prefect.utilities.annotations import quote


@task
def same(x: Any) -> Any:
    return x


@task
def fail(x: Any = None) -> None:
    raise ValueError(f"failed with {x}")


def program_exceptions_stay_what_they_are() -> None:
    class RowError(Exception):
        def __init__(self, row: int, reason: str) -> None:
            super().__init__(f"row {row}: {reason}")
            self.row = row

    original = RowError(3, "empty")

    @task
    def parse() -> None:
        try:
            {}["x"]
        except KeyError as error:
            raise original from error

    @flow
    def run() -> None:
        parse()

    try:
        run()
    except RowError as error:
        print(error.row, error, error is original, type(error.__cause__).__name__)
    state = run(return_state=True)
    print(state.message, state.result(raise_on_failure=False) is original)


def program_exception_groups() -> None:
    @flow
    def run() -> None:
        raise ExceptionGroup("several", [ValueError(1), KeyError("k")])

    try:
        run()
    except* ValueError as group:
        print("values", len(group.exceptions))
    except* KeyError as group:
        print("keys", len(group.exceptions))


def program_exceptions_caught_in_flows() -> None:
    cleaned: list[str] = []

    @flow
    def run() -> str:
        try:
            fail(1)
        except ValueError as error:
            return f"recovered from {error}"
        finally:
            cleaned.append("finally")
        return "unreached"

    print(run(), cleaned)


def program_submitted_exceptions() -> None:
    @flow
    def run() -> Any:
        future = fail.submit(2)
        try:
            future.result()
        except ValueError as error:
            print("raised", error)
        print(repr(future.result(raise_on_failure=False)), future.state.is_failed())
        return len([f for f in [future, same.submit(1)] if f.wait() is None and f.state.is_failed()])

    print(run())


def program_decorators_below() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            print("calling", function.__name__, args, kwargs)
            return function(*args, **kwargs)

        return wrapper

    @task
    @logged
    def add(a: int, b: int = 2) -> int:
        return a + b

    @flow
    @logged
    def run(x: int) -> int:
        return add(x) + add(x, b=5)

    print(run(1), add.name, run.name)


def program_decorators_above() -> None:
    def twice(called: Any) -> Any:
        @functools.wraps(called)
        def wrapper(*args: Any) -> Any:
            return called(*args), called(*args)

        return wrapper

    @twice
    @flow
    def run(x: int) -> int:
        return x

    print(run(3), run.__name__)


def program_inherited_methods() -> None:
    class Base(abc.ABC):
        @abc.abstractmethod
        def rows(self) -> list[int]: ...

        @task
        def load(self) -> list[int]:
            return self.rows()

        @flow
        def run(self) -> int:
            return sum(self.load())

    class Ones(Base):
        def rows(self) -> list[int]:
            return [1, 1]

    class More(Ones):
        @task
        def load(self) -> list[int]:
            return [*super().rows(), 5]

    print(Ones().run(), More().run(), isinstance(Ones.run, type(Base.run)))


def program_pydantic_models_with_tasks() -> None:
    class Job(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(frozen=True)
        n: int

    @task
    def make(n: int) -> Job:
        return Job(n=n)

    @task
    def double(job: Job) -> Job:
        return job.model_copy(update={"n": job.n * 2})

    @flow
    def run() -> list[Job]:
        return double.map(make.map([1, 2])).result()

    print(run())


def program_futures_as_values() -> None:
    @flow
    def run() -> None:
        future = same.submit(1)
        futures = same.map([1, 2])
        print(isinstance(future, PrefectFuture), isinstance(futures, PrefectFutureList), bool(future))
        print(isinstance(futures, list), future == future, future in [future], len({future, *futures}))
        print(
            futures.index(futures[1]),
            [f.result() for f in futures[1:]],
            [f.result() for f in reversed(futures)],
        )
        print(type(future.task_run_id).__name__)

    run()


def program_resolve_futures() -> None:
    @flow
    def run() -> None:
        states = resolve_futures_to_states({"a": [same.submit(1)], "b": same.submit(2), "c": 3})
        print(states["a"][0].result(), states["b"].name, states["c"])

    run()


def program_maps_of_all_sorts() -> None:
    @task
    def pair(a: Any, b: Any = None) -> Any:
        return a, b

    @flow
    def run() -> None:
        first = same.submit([10, 20])
        print(pair.map(first).result())
        print(pair.map([1, 2], unmapped(first)).result())
        print(pair.map([1, 2], b=same.submit(5)).result() if False else "-")
        print(pair.map([1, 2], "ab").result())
        print(pair.map({"k": 1, "l": 2}).result())
        print(sorted(pair.map({7}).result()))
        print(pair.map(iter([1, 2])).result() if False else "-")
        print(pair.map([[1, 2], [3]], None).result())
        print(pair.map([same.submit(1), 2], [3, same.submit(4)]).result())

    run()


def program_maps_over_failures() -> None:
    @task
    def look(x: Any) -> str:
        return type(x).__name__

    @flow
    def run() -> None:
        inputs = [same.submit(1), fail.submit(2)]
        print([state.name for state in look.map(inputs, return_state=True)])
        print(look.map([allow_failure(future) for future in inputs]).result())
        print(look.map(allow_failure(inputs)).result())

    run()


def program_maps_with_wait_for() -> None:
    order: list[str] = []

    @task
    def note(what: str, delay: float = 0.0) -> None:
        time.sleep(delay)
        order.append(what)

    @flow
    def run() -> None:
        first = note.submit("first", 0.05)
        note.map(["b", "b"], wait_for=[first]).wait()
        wait([note.submit("last")])

    run()
    print(order)


def program_quoted_arguments() -> None:
    @task
    def count(xs: list[Any]) -> int:
        return len(xs)

    @flow
    def run() -> int:
        return count(quote([1, 2, 3]))  # type: ignore[arg-type]

    print(run())


def program_thread_pools_of_flows() -> None:
    @flow(flow_run_name="child-{x}")
    def child(x: int) -> str | None:
        return flow_run.name

    with ThreadPoolExecutor(3) as pool:
        print(list(pool.map(child, range(3))))


def program_asyncio_around_flows() -> None:
    @task
    async def slow(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @flow
    async def run() -> Any:
        got = await asyncio.gather(slow(0.01), fail_async(), return_exceptions=True)
        async with asyncio.TaskGroup() as group:
            grouped = [group.create_task(slow(0.001)) for _ in range(2)]
        try:
            await asyncio.wait_for(slow(5), timeout=0.05)
        except TimeoutError:
            late = "too late"
        return [str(item) for item in got], [item.result() for item in grouped], late

    @task
    async def fail_async() -> None:
        raise ValueError("async failure")

    print(asyncio.run(run()))


def program_flows_in_threads_of_asyncio() -> None:
    @flow
    def blocking(x: int) -> int:
        return same(x)  # type: ignore[no-any-return]

    async def main() -> Any:
        return await asyncio.gather(*[asyncio.to_thread(blocking, i) for i in range(3)])

    print(asyncio.run(main()))


def program_generators_submitted() -> None:
    @task
    def numbers(n: int) -> Iterator[int]:
        yield from range(n)

    @flow
    def run() -> Any:
        return list(numbers.submit(3).result())

    print(run())


def program_generators_left_early() -> None:
    closed: list[str] = []

    @task
    def numbers() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append("closed")

    @flow
    def run() -> int:
        for number in numbers():
            if number == 2:
                return number
        return -1

    print(run(), closed)


def program_generators_that_fail() -> None:
    @task
    def numbers() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    @flow
    def run() -> Iterator[int]:
        got = []
        try:
            for number in numbers():
                got.append(number)
        except ValueError as error:
            print("raised", error)
        yield from got

    print(list(run()))


def program_context_managers_in_flows() -> None:
    events: list[str] = []

    @contextlib.contextmanager
    def connection() -> Iterator[str]:
        events.append("open")
        try:
            yield "connection"
        finally:
            events.append("close")

    @flow
    def run() -> str:
        with connection() as opened, tags("db"):
            return f"{same(opened)} {sorted(same_tags())}"

    @task
    def same_tags() -> list[str]:
        return task_run.tags

    print(run(), events)


def program_large_nested_values() -> None:
    @flow
    def run() -> Any:
        data = same({"rows": [{"id": i, "tags": {"a", "b"}, "at": (i, [i])} for i in range(3)]})
        return same(data)["rows"][2]["at"], same(data) == data

    print(run())


def program_state_constructors() -> None:
    state: State[Any] = State(type="FAILED", message="by text")  # type: ignore[arg-type]
    print(state.type, state.name, state.is_failed(), StateType["FAILED"] is state.type)
    print(State(type=StateType.COMPLETED, name="Odd", data=5).name, Completed(data=5).data)
    print(Failed() == Failed(), Crashed(message="m").is_crashed(), isinstance(Completed(), State))
    print(State.model_validate({"type": "COMPLETED", "message": "from json"}).message)


def program_hooks_of_all_sorts() -> None:
    seen: list[str] = []

    class Notifier:
        def __init__(self, to: str) -> None:
            self.to = to

        def __call__(self, flow: Any, flow_run: Any, state: Any) -> None:
            seen.append(f"{self.to} {state.name}")

        def method(self, flow: Any, flow_run: Any, state: Any) -> None:
            seen.append(f"method of {self.to}")

    def notify(flow: Any, flow_run: Any, state: Any, channel: str = "none") -> None:
        seen.append(f"{channel} {state.name}")

    def by_name(task: Any, task_run: Any, state: Any) -> None:
        seen.append(f"{task.name} {state.name}")

    @task(on_completion=[by_name])
    def step() -> None: ...

    @flow(on_completion=[functools.partial(notify, channel="chat"), Notifier("mail").method])
    def run() -> None:
        step()

    run()
    print(seen)


def program_hooks_added_by_options() -> None:
    seen: list[str] = []

    @flow(on_completion=[lambda flow, run, state: seen.append("first")])
    def run() -> None: ...

    run.with_options(on_completion=[lambda flow, run, state: seen.append("second")])()
    run()
    print(seen, len(run.on_completion_hooks), len(run.with_options(name="x").on_completion_hooks))


def program_crashed_hooks() -> None:
    seen: list[str] = []

    @flow(on_crashed=[lambda flow, run, state: seen.append(f"{state.name} {state.type.value}")])
    def run() -> None:
        raise SystemExit(1)

    try:
        run()
    except SystemExit:
        print(seen)


def program_retries_changed_by_options() -> None:
    calls: list[int] = []

    @task(retries=5)
    def work() -> None:
        calls.append(1)
        raise ValueError("always")

    @flow
    def run() -> Any:
        return work.with_options(retries=0)(return_state=True).name, work.with_options(retries=1)(
            return_state=True
        ).name

    print(run(), len(calls))


def program_contexts_by_hand() -> None:
    @task
    def work() -> Any:
        context = TaskRunContext.get()
        assert context is not None
        return context.task_run.tags, context.task_run.state.name, sorted(context.parameters)

    @flow
    def run(x: int = 1) -> None:
        context = FlowRunContext.get()
        assert context is not None and context.flow_run is not None
        print(
            context.flow_run.flow_id is not None,
            context.task_runner.name if hasattr(context.task_runner, "name") else "",
        )
        print(isinstance(context.flow_run.model_dump(), dict), "name" in context.flow_run.model_dump_json())
        with tags("t"):
            print(work())

    run()


def program_loggers_as_arguments() -> None:
    @task
    def work(logger: Any) -> str:
        logger.info("inside")
        return type(logger).__name__

    @flow
    def run() -> str:
        return work(get_run_logger())

    print(run())


def program_errors_share_a_base() -> None:
    @flow
    def run(x: int) -> None: ...

    for call in (lambda: run(), lambda: run("x"), lambda: run(1, 2)):  # type: ignore[call-arg, arg-type]
        try:
            call()
        except PrefectException as error:
            print(type(error).__name__, isinstance(error, TypeError))


def program_nested_flow_arguments() -> None:
    @flow
    def child(xs: list[int], label: str = "x") -> str:
        return f"{label}{sum(xs)}"

    @flow
    def parent() -> Any:
        mapped = same.map([1, 2, 3])
        single = same.submit("label ")
        return child(mapped, single), child([same.submit(4), 5])  # type: ignore[arg-type, list-item]

    print(parent())


def program_partial_flows() -> None:
    @flow
    def run(a: int, b: int) -> int:
        return a - b

    print(functools.partial(run, b=2)(5), list(map(functools.partial(run, 10), [1, 2])))


def program_flow_of_dictionaries_of_futures() -> None:
    @flow
    def run() -> Any:
        return {"a": same.submit(1), "b": [same.submit(2)]}

    result = run()
    state = run(return_state=True)
    print(state.name, state.message, sorted(result), type(result["a"]).__name__)


def program_task_in_comprehensions_and_sorting() -> None:
    @flow
    def run() -> Any:
        return sorted([same(3), same(1)]), {same(k): same(v) for k, v in [("a", 1)]}, max(same(2), same(7))

    print(run())


def program_call_validate_parameters() -> None:
    @flow
    def run(x: int, y: list[str]) -> None: ...

    print(run.validate_parameters({"x": "5", "y": ["a"]}) == {"x": 5, "y": ["a"]})


def program_equal_tasks_in_loops() -> None:
    made = [task(lambda x, i=i: x * i, name=f"times-{i}") for i in range(3)]

    @flow
    def run() -> Any:
        return [each(2) for each in made]

    print(run(), [each.name for each in made])
