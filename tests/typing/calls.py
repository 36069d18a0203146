"""What type checkers see of flows and tasks. Nothing here runs: `make types` checks it.

A line that must be an error carries an ignore comment; were it no error, the comment would be one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, assert_type

from prefect import Flow, State, Task, flow, get_run_logger, tags, task, unmapped
from prefect.context import FlowRunContext, TaskRunContext, get_run_context
from prefect.futures import PrefectFuture, PrefectFutureList, as_completed, wait
from prefect.runtime import deployment, flow_run, task_run


@task
def double(x: int, *, by: float = 2.0) -> float:
    return x * by


@task(retries=2, retry_delay_seconds=[1, 2], tags=["slow"], log_prints=True)
async def fetch(url: str) -> bytes:
    return url.encode()


@task
def numbers(n: int) -> Generator[int, None, None]:
    yield from range(n)


@flow
def pipeline(day: str, limit: int = 10) -> dict[str, float]:
    return {day: double(limit)}


@flow(name="async pipeline", timeout_seconds=10)
async def async_pipeline(day: str) -> list[bytes]:
    return [await fetch(day)]


@flow
async def stream() -> AsyncGenerator[int, None]:
    yield 1


# Calls
assert_type(double(1), float)
assert_type(double(1, by=3.0), float)
assert_type(double(1, return_state=True), State[float])
assert_type(double(1, wait_for=[]), float)
assert_type(numbers(3), Generator[int, None, None])
assert_type(pipeline("today"), dict[str, float])
assert_type(pipeline("today", return_state=True), State[dict[str, float]])
assert_type(stream(), AsyncGenerator[int, None])


async def awaited() -> None:
    assert_type(await fetch("x"), bytes)
    assert_type(await fetch("x", return_state=True), State[bytes])
    assert_type(await async_pipeline("today"), list[bytes])
    assert_type(await async_pipeline("today", return_state=True), State[list[bytes]])


# Submitting and mapping
assert_type(double.submit(1), PrefectFuture[float])
assert_type(double.submit(1).result(), float)
assert_type(double.submit(1, wait_for=[]), PrefectFuture[float])
assert_type(double.submit(1, return_state=True), State[float])
assert_type(fetch.submit("x"), PrefectFuture[bytes])
assert_type(fetch.submit("x").result(), bytes)
assert_type(double.map([1, 2], by=unmapped(2.0)), PrefectFutureList[float])
assert_type(double.map([1, 2]).result(), list[float])
assert_type(double.map([1, 2], return_state=True), list[State[float]])
assert_type(fetch.map(["x"]), PrefectFutureList[bytes])
assert_type(next(as_completed([double.submit(1)])), PrefectFuture[float])
assert_type(wait([double.submit(1)]).done, set[PrefectFuture[float]])

# Definitions
assert_type(double.with_options(name="twice")(1), float)
assert_type(pipeline.with_options(retries=1)("today"), dict[str, float])

# Runtime
assert_type(flow_run.id, str | None)
assert_type(flow_run.tags, list[str])
assert_type(flow_run.run_count, int)
assert_type(flow_run.parameters, dict[str, Any])
assert_type(task_run.name, str | None)
assert_type(task_run.run_count, int)
assert_type(deployment.name, str | None)

# Contexts
assert_type(FlowRunContext.get(), FlowRunContext | None)
assert_type(get_run_context(), FlowRunContext | TaskRunContext)
get_run_logger().info("typed")
with tags("a") as current:
    assert_type(current, set[str])

# What must be an error
double("one")  # type: ignore[call-overload]
double(1, by="two")  # type: ignore[call-overload]
double.submit("one")  # type: ignore[call-overload]
pipeline()  # type: ignore[call-overload]
pipeline("today", limit="many")  # type: ignore[call-overload]


@task(retires=3)  # type: ignore[call-overload, untyped-decorator]
def misspelt() -> None: ...


def takes_a_flow(some: Flow[[str, int], dict[str, float]]) -> None: ...


def takes_a_task(some: Task[[str], Coroutine[Any, Any, bytes]]) -> None: ...


takes_a_task(fetch)
takes_a_task(double)  # type: ignore[arg-type]
