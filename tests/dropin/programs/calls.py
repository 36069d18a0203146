"""Calling flows and tasks: every kind of function, nested, as methods, with options changed."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from prefect import Flow, Task, flow, task


@task
def double(x: int) -> int:
    return 2 * x


@flow
def hello(name: str = "world") -> str:
    """Greet somebody."""
    print(f"Hello, {name}!")
    return name.upper()


def program_hello() -> None:
    print(hello(), hello("Marvin"), hello(name="Zaphod"))
    print(hello.name, hello.description, type(hello) is Flow, hello.fn("direct"))
    print(double.name, double.description, type(double) is Task, double.fn(21), double(4))


def program_nested_flows() -> None:
    @flow
    def child(x: int) -> int:
        return double(x) + 1

    @flow
    def parent(n: int) -> int:
        total = 0
        for i in range(n):
            total += child(i)
        return total

    print(parent(3))


def program_async_flow_calls_all_kinds() -> None:
    @task
    async def adouble(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    @flow
    async def achild(x: int) -> int:
        return await adouble(x)

    @flow
    def sync_child(x: int) -> int:
        return double(x)

    @flow
    async def parent() -> list[int]:
        first = await adouble(1)
        several = await asyncio.gather(*[adouble(i) for i in range(4)])
        nested = await achild(10)
        return [first, *several, nested, double(7), sync_child(8)]

    print(asyncio.run(parent()))


def program_gather_of_subflows() -> None:
    @flow
    async def child(x: int) -> int:
        return x * x

    @flow
    async def parent() -> int:
        return sum(await asyncio.gather(child(1), child(2), child(3)))

    print(asyncio.run(parent()))


def program_methods() -> None:
    class Pipeline:
        factor = 3

        def __init__(self, base: int) -> None:
            self.base = base

        @task
        def load(self, n: int) -> list[int]:
            return [self.base + i for i in range(n)]

        @flow
        def run(self, n: int = 2) -> int:
            return sum(self.load(n)) + self.scaled(1)

        @classmethod
        @task
        def scaled(cls, x: int) -> int:
            return cls.factor * x

        @staticmethod
        @flow
        def static(x: int) -> int:
            return x + 1

        @flow
        async def arun(self) -> int:
            return self.base

    pipeline = Pipeline(10)
    print(pipeline.run(), pipeline.run(3), Pipeline.scaled(5), Pipeline.static(1), pipeline.static(2))
    print(asyncio.run(pipeline.arun()), Pipeline(7).run(n=1))
    print(pipeline.load.fn.__name__, pipeline.run.name)


def program_methods_submit() -> None:
    class Square:
        def __init__(self, power: int) -> None:
            self.power = power

        @task
        def of(self, x: int) -> int:
            return int(x**self.power)

    @flow
    def run() -> Any:
        two = Square(2)
        return two.of.submit(5).result(), two.of.map([1, 2, 3]).result()

    print(run())


def program_generators() -> None:
    @task
    def numbers(n: int) -> Any:
        for i in range(n):
            yield i

    @flow
    def pages() -> Any:
        yield from numbers(3)

    @flow
    def consume() -> int:
        return sum(numbers(4))

    print(list(pages()), consume())


def program_async_generators() -> None:
    @task
    async def numbers(n: int) -> Any:
        for i in range(n):
            await asyncio.sleep(0)
            yield i

    @flow
    async def consume() -> list[int]:
        return [i async for i in numbers(4)]

    @flow
    async def stream() -> Any:
        async for i in numbers(2):
            yield i * 10

    async def read() -> list[int]:
        return [i async for i in stream()]

    print(asyncio.run(consume()), asyncio.run(read()))


def program_with_options() -> None:
    shouting = hello.with_options(name="shouting", description="LOUD", retries=2, timeout_seconds=20)
    print(shouting.name, shouting.description, shouting.retries, shouting.timeout_seconds, hello.retries)
    print(shouting("you"))
    renamed = double.with_options(name="twice", tags=["math"], retries=1, task_run_name="t-{x}")
    print(renamed.name, renamed.tags, renamed.retries, double.name, double.tags, renamed(3))
    print(renamed.with_options().name, renamed.with_options(tags=["new"]).tags)


def program_tasks_call_tasks() -> None:
    @task
    def outer(x: int) -> int:
        return double(double(x))

    @task
    def spread(xs: list[int]) -> list[int]:
        return double.map(xs).result()

    @flow
    def run() -> Any:
        return outer(1), outer.submit(2).result(), spread([1, 2])

    print(outer(1))
    print(run())


def program_tasks_call_flows() -> None:
    @flow
    def inner(x: int) -> int:
        return x + 100

    @task
    def outer(x: int) -> int:
        return inner(x)

    @flow
    def run() -> int:
        return outer(1) + outer.submit(2).result()

    print(run())


def program_wraps_functions() -> None:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    added = task(add)
    partial = task(functools.partial(add, 1), name="add-one")
    lambda_task = task(lambda x: x + 1)

    @flow
    def run() -> Any:
        return added(1, 2), partial(5), lambda_task(1)

    print(run(), added.name, partial.name, lambda_task.name, added.__name__, added.__doc__)
    print(flow(lambda: 5).name, flow(lambda: 5, name="five")())


def program_recursive_flow() -> None:
    @flow
    def countdown(n: int) -> list[int]:
        return [n] if n == 0 else [n, *countdown(n - 1)]

    print(countdown(2))


def program_returns_none_and_odd_things() -> None:
    @flow
    def nothing() -> None:
        pass

    @flow
    def empty() -> list[Any]:
        return []

    @flow
    def function() -> Any:
        return len

    @flow
    def exception_value() -> Any:
        return ValueError("just a value")

    print(nothing(), empty(), function()("abc"))
    print(repr(exception_value(return_state=True).result()))
    print(repr(task(lambda: KeyError("value"))()))


def program_sync_flow_calls_async_task() -> None:
    @task
    async def fetch(x: int) -> int:
        return x

    @flow
    def run() -> Any:
        future = fetch.submit(1)
        return future.result(), fetch.map([2, 3]).result()

    print(run())

    @flow
    def forgotten() -> str:
        coroutine = fetch(1)
        name = type(coroutine).__name__
        coroutine.close()
        return name

    print(forgotten())


def program_mutates_arguments() -> None:
    @task
    def append(xs: list[int]) -> None:
        xs.append(1)

    @flow
    def run() -> list[int]:
        xs: list[int] = []
        append(xs)
        append.submit(xs).wait()
        return xs

    print(run())


def program_closures_and_globals() -> None:
    seen: list[str] = []

    @task
    def note(what: str) -> None:
        seen.append(what)

    @flow
    def run() -> None:
        for what in "abc":
            note(what)

    run()
    run()
    print(seen)


def program_attributes() -> None:
    @flow(name="my flow", description="what", version="7", retries=2, retry_delay_seconds=3, log_prints=True)
    def first() -> None: ...

    @task(name="my task", tags=["b", "a"], version="8", retries=3, retry_delay_seconds=[1, 2, 3])
    def second() -> None: ...

    print(first.name, first.version, first.description, first.retries, first.retry_delay_seconds)
    print(first.log_prints, first.timeout_seconds, first.isasync, first.persist_result)
    print(second.name, sorted(second.tags), second.version, second.retries, second.retry_delay_seconds)
    print(second.isasync, second.log_prints, second.timeout_seconds, second.persist_result)
    print(first.should_validate_parameters, first.flow_run_name, second.task_run_name)
    print(type(first.task_runner).__name__, second.cache_expiration, second.refresh_cache)
    print(second.fn.__name__, first.fn.__name__, second.description)
