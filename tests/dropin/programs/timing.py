"""Timeouts and retries together, in every kind of run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prefect import flow, task
from prefect.runtime import flow_run, task_run
from prefect.states import State


def nap(seconds: float) -> None:
    """Sleep in pieces, as work does that can be interrupted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def show(state: State[Any]) -> None:
    print(state.type.value, state.name, "|", state.message)


def program_timeouts_of_submitted_tasks() -> None:
    @task(timeout_seconds=0.1)
    def slow(seconds: float) -> str:
        nap(seconds)
        return "in time"

    @flow
    def run() -> None:
        late, early = slow.submit(1), slow.submit(0)
        late.wait()
        show(late.state)
        print(early.result())
        try:
            late.result()
        except TimeoutError:
            print("too late")

    run()


def program_timeouts_of_mapped_tasks() -> None:
    @task(timeout_seconds=0.2)
    def slow(seconds: float) -> float:
        nap(seconds)
        return seconds

    @flow
    def run() -> Any:
        return [state.name for state in slow.map([0, 1, 0.01], return_state=True)]

    print(run())


def program_timeouts_of_nested_flows() -> None:
    @flow(timeout_seconds=0.1)
    def child() -> None:
        nap(1)

    @flow
    def parent() -> str:
        show(child(return_state=True))
        try:
            child()
        except TimeoutError:
            return "the child was too late"
        return "unreached"

    print(parent())


def program_timeouts_that_are_not_reached() -> None:
    @task(timeout_seconds=20)
    def quick() -> int:
        return 1

    @task(timeout_seconds=20)
    async def aquick() -> int:
        return 2

    @flow(timeout_seconds=30)
    def run() -> int:
        return quick() + quick.submit().result()

    @flow(timeout_seconds=30)
    async def arun() -> int:
        return await aquick() + quick()

    print(run(), asyncio.run(arun()))


def program_timeouts_inside_tries() -> None:
    cleaned: list[str] = []

    @task(timeout_seconds=0.1)
    def slow() -> None:
        try:
            nap(1)
        finally:
            cleaned.append("cleaned")

    @flow
    def run() -> str:
        try:
            slow()
        except TimeoutError as error:
            return type(error).__name__
        return "unreached"

    print(run(), nap(0.2), cleaned)


def program_retries_of_mapped_tasks() -> None:
    calls: Counter[int] = Counter()

    @task(retries=2)
    def work(x: int) -> Any:
        calls[x] += 1
        if calls[x] <= x:
            raise ValueError(x)
        return x, task_run.run_count

    @flow
    def run() -> Any:
        return work.map(range(3)).result()

    print(run(), sorted(calls.items()))


def program_retries_of_flows_and_tasks() -> None:
    seen: list[Any] = []

    @task(retries=1)
    def work() -> None:
        seen.append((flow_run.run_count, task_run.run_count))
        raise ValueError("always")

    @flow(retries=1)
    def run() -> None:
        work()

    show(run(return_state=True))
    print(seen)


def program_retries_of_nested_flows() -> None:
    seen: list[Any] = []

    @flow(retries=1)
    def child() -> str:
        seen.append(("child", flow_run.run_count))
        if len(seen) < 4:
            raise ValueError("not yet")
        return "child"

    @flow(retries=2)
    def parent() -> str:
        seen.append(("parent", flow_run.run_count))
        return child()

    print(parent(), [name for name, _ in seen])


def program_retries_of_generators() -> None:
    calls: list[int] = []

    @task(retries=1)
    def numbers() -> Iterator[int]:
        calls.append(1)
        yield 1
        yield 2

    @flow
    def run() -> Any:
        return list(numbers()), len(calls)

    print(run())


def program_hooks_of_retried_runs() -> None:
    seen: list[str] = []

    def told(subject: Any, run: Any, state: Any) -> None:
        seen.append(f"{subject.name} {state.name}")

    @task(retries=1, on_failure=[told], on_completion=[told])
    def work(good: int) -> None:
        if task_run.run_count < good:
            raise ValueError("again")

    @flow(on_failure=[told], on_completion=[told])
    def run() -> None:
        work(2)
        work(5, return_state=True)

    run()
    print(seen)


def program_retry_delays_pass() -> None:
    moments: list[float] = []

    @task(retries=2, retry_delay_seconds=[0.05, 0.1])
    def work() -> None:
        moments.append(time.monotonic())
        raise ValueError("always")

    @flow
    def run() -> None:
        work(return_state=True)

    run()
    print(len(moments), moments[1] - moments[0] >= 0.05, moments[2] - moments[1] >= 0.1)


def program_conditions_see_the_state() -> None:
    asked: list[Any] = []

    def ask(task: Any, run: Any, state: Any) -> bool:
        asked.append((state.type.value, str(state.result(raise_on_failure=False)), run.run_count))
        return len(asked) < 2

    @task(retries=5, retry_condition_fn=ask)
    def work() -> None:
        raise ValueError("always")

    @flow
    def run() -> str:
        return work(return_state=True).name

    print(run(), asked)


def program_conditions_that_fail() -> None:
    calls: list[int] = []

    @task(retries=3, retry_condition_fn=lambda task, run, state: 1 / 0)  # type: ignore[arg-type, return-value]
    def work() -> None:
        calls.append(1)
        raise ValueError("the work's own")

    @flow
    def run() -> str:
        return str(work(return_state=True).message)

    print(run(), len(calls))


def program_cancelled_by_asyncio() -> None:
    seen: list[str] = []

    @flow(on_crashed=[lambda flow, run, state: seen.append(state.name)])
    async def slow() -> None:
        await asyncio.sleep(10)

    async def main() -> None:
        running = asyncio.create_task(slow())
        await asyncio.sleep(0.3)
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            seen.append("cancelled")

    asyncio.run(main())
    print(seen)


def program_async_timeouts_of_asyncio() -> None:
    @task
    async def slow() -> None:
        await asyncio.sleep(10)

    @flow
    async def run() -> str:
        try:
            async with asyncio.timeout(0.05):
                await slow()
        except TimeoutError:
            return "timed out"
        return "unreached"

    print(asyncio.run(run()))


def program_sync_tasks_with_timeouts_in_async_flows() -> None:
    @task(timeout_seconds=0.1)
    def slow() -> None:
        nap(1)

    @flow
    async def run() -> str:
        state = slow(return_state=True)
        return f"{state.name} {state.message}"

    print(asyncio.run(run()))
