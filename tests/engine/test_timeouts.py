"""Deadlines: the caller goes on, the state is TimedOut, and what was running is told to stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import FlowRunTimeoutError, TaskRunTimeoutError
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner
from recorded import flow_run_of, history_of, settled, task_run_of, task_runs_of

pytestmark = pytest.mark.timeout(20)


def sleeps() -> None:
    time.sleep(2)


async def asleeps() -> None:
    await asyncio.sleep(30)


@pytest.mark.parametrize("fn", [sleeps, asleeps])
@pytest.mark.parametrize(("subject", "error"), [(task, TaskRunTimeoutError), (flow, FlowRunTimeoutError)])
def test_a_run_is_timed_out_and_its_caller_freed(subject: Any, error: type[TimeoutError], fn: Any) -> None:
    limited = subject(fn, timeout_seconds=0.05)
    begun = time.monotonic()
    with pytest.raises(error, match=r"Scope timed out after 0\.05 second\(s\)\."):
        settled(limited())
    state = settled(limited(return_state=True))
    assert time.monotonic() - begun < 1.9
    kind = "Task" if subject is task else "Flow"
    assert (state.name, state.type.value) == ("TimedOut", "FAILED")
    assert state.message == f"{kind} run exceeded timeout of 0.05 second(s)"
    assert isinstance(state.result(raise_on_failure=False), TimeoutError)
    run = task_run_of(state) if subject is task else flow_run_of(state)
    assert run.end_time is not None
    assert history_of(state) == ["Pending", "Running", "TimedOut"]


@pytest.mark.parametrize("fn", [sleeps, asleeps])
def test_submitted_tasks(fn: Any) -> None:
    begun = time.monotonic()
    limited = task(fn, timeout_seconds=0.05)
    states = [limited.submit(return_state=True) for _ in range(2)]
    assert [state.name for state in states] == ["TimedOut"] * 2
    assert time.monotonic() - begun < 1.9


@pytest.mark.parametrize("subject", [task, flow])
def test_what_ends_in_time_is_untouched(subject: Any) -> None:
    @subject(timeout_seconds=10)
    def quick() -> Any:
        return threading.current_thread().name, flow_run.name if subject is flow else task_run.name

    assert quick()[1]

    @subject(timeout_seconds=10)
    async def aquick() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert asyncio.run(aquick()) == threading.current_thread().name

    @subject(timeout_seconds=10)
    def fails() -> None:
        raise KeyError("own")

    with pytest.raises(KeyError, match="own"):
        fails()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_timeout_error_of_the_users_own_is_a_plain_failure(is_async: bool) -> None:
    def fails() -> None:
        raise TimeoutError("own")

    async def afails() -> None:
        raise TimeoutError("own")

    state = settled(task(afails if is_async else fails, timeout_seconds=10)(return_state=True))
    assert state.name == "Failed" and state.message == "Task run encountered an exception TimeoutError: own"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_run_that_is_timed_out_is_retried(is_async: bool) -> None:
    def work() -> int | None:
        if task_run.run_count == 1:
            time.sleep(1)
        return task_run.run_count

    async def awork() -> int | None:
        if task_run.run_count == 1:
            await asyncio.sleep(30)
        return task_run.run_count

    limited = task(awork if is_async else work, timeout_seconds=0.1, retries=1, retry_delay_seconds=0.01)
    state = settled(limited(return_state=True))
    assert state.result() == 2
    assert history_of(state) == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]


def test_retries_of_timed_out_runs_end_timed_out() -> None:
    state = task(sleeps, timeout_seconds=0.02, retries=1)(return_state=True)
    assert state.name == "TimedOut"
    assert history_of(state) == ["Pending", "Running", "Retrying", "TimedOut"]
    state = flow(asleeps, timeout_seconds=0.02, retries=1)(return_state=True)
    assert asyncio.run(state).name == "TimedOut"


def test_the_function_is_told_to_stop() -> None:
    stopped = threading.Event()

    @task(timeout_seconds=0.05)
    def works() -> None:
        try:
            while True:
                time.sleep(0.001)
        finally:
            stopped.set()

    assert works(return_state=True).name == "TimedOut"
    assert stopped.wait(5)


def test_a_flow_that_is_timed_out_leaves_no_task_running() -> None:
    begun = threading.Event()

    @task
    def stuck() -> None:
        begun.set()
        time.sleep(2)

    @task
    def queued() -> None: ...

    @flow(timeout_seconds=0.2, task_runner=ThreadPoolTaskRunner(max_workers=1))
    def around() -> None:
        stuck.submit()
        queued.submit()
        assert begun.wait(5)
        stuck.submit().result()

    state = around(return_state=True)
    assert state.name == "TimedOut"
    runs = task_runs_of(state)
    assert [run.state_name for run in runs] == ["Crashed", "Cancelled", "Cancelled"]
    assert all(run.end_time for run in runs)


def test_a_nested_flow_that_is_timed_out_fails_alone() -> None:
    @flow(timeout_seconds=0.05)
    def inner() -> None:
        task(sleeps).submit().result()

    @flow
    def outer() -> Any:
        return inner(return_state=True).name, task(lambda: 1).submit().result()

    state = outer(return_state=True)
    assert state.result() == ("TimedOut", 1)


def test_async_nested_flows() -> None:
    @flow(timeout_seconds=0.05)
    async def inner() -> None:
        await asyncio.gather(*[task(asleeps)() for _ in range(3)])

    @flow
    async def outer() -> Any:
        return await inner(return_state=True)

    state = asyncio.run(outer(return_state=True))
    inner_state = state.data.result if state.is_failed() else state.result()
    assert inner_state.name == "TimedOut"
    runs = task_runs_of(inner_state)
    assert [run.state_name for run in runs] == ["Crashed"] * 3


def test_the_shorter_of_nested_deadlines_counts() -> None:
    @task(timeout_seconds=0.05)
    def inner() -> None:
        time.sleep(1)

    @task(timeout_seconds=10)
    def outer() -> str | None:
        return inner(return_state=True).name

    assert outer() == "TimedOut"


def test_the_slot_of_a_timed_out_task_is_free_again() -> None:
    @task(timeout_seconds=0.05)
    def stuck() -> None:
        time.sleep(1)

    @task(timeout_seconds=0.05)
    def waits() -> Any:
        return task(lambda: time.sleep(0.3)).submit().result()

    @task
    def quick() -> int:
        return 1

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=1))
    def around() -> Any:
        states = stuck.submit(return_state=True), quick.submit(return_state=True)
        return [state.name for state in states]

    assert around() == ["TimedOut", "Completed"]

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def two() -> Any:
        return waits.submit(return_state=True).name, quick.submit().result()

    assert two() == ("TimedOut", 1)


def test_hooks_see_the_timeout() -> None:
    seen = []
    task(sleeps, timeout_seconds=0.02, on_failure=[lambda t, r, s: seen.append(s.name)])(return_state=True)
    assert seen == ["TimedOut"]


@pytest.mark.parametrize("seconds", [-0.5, -1])
def test_a_deadline_is_in_the_future(seconds: float) -> None:
    with pytest.raises(ValueError, match="'timeout_seconds' of task 'sleeps' must be seconds, 0 or more"):
        task(sleeps, timeout_seconds=seconds)


def test_deadlines_of_generators() -> None:
    @task(timeout_seconds=0.05)
    def slow() -> Iterator[int]:
        yield 1
        time.sleep(1)
        yield 2

    @task(timeout_seconds=0.05)
    async def aslow() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(10)
        yield 2

    async def collect() -> None:
        async for item in aslow():
            got.append(item)  # noqa: PERF401 - what came before the error counts

    got: list[int] = []
    begun = time.monotonic()
    with pytest.raises(TaskRunTimeoutError):
        got.extend(slow())
    with pytest.raises(TaskRunTimeoutError):
        asyncio.run(collect())
    assert got == [1, 1]
    assert time.monotonic() - begun < 0.9


def test_a_slow_consumer_does_not_use_up_a_generators_time() -> None:
    @task(timeout_seconds=0.2)
    def quick() -> Iterator[str | None]:
        yield task_run.name
        yield task_run.name

    names = set()
    for name in quick():
        names.add(name)
        time.sleep(0.15)
    assert len(names) == 1


def test_a_retry_is_not_held_up_by_what_was_given_up() -> None:
    gate = threading.Event()

    @task
    def stuck() -> None:
        if flow_run.run_count == 1:
            gate.wait(10)

    @flow(timeout_seconds=0.2, retries=1, task_runner=ThreadPoolTaskRunner(max_workers=1))
    def around() -> Any:
        stuck.submit().result()
        return flow_run.run_count

    state = around(return_state=True)
    gate.set()
    assert state.result() == 2
    assert [run.state_name for run in task_runs_of(state)] == ["Crashed", "Completed"]


def test_the_tasks_of_a_flow_that_is_out_of_time_end_with_it() -> None:
    @task
    def stuck() -> None:
        begun.set()
        gate.wait(5)

    @flow(timeout_seconds=0.1)
    def limited() -> None:
        stuck()

    gate, begun = threading.Event(), threading.Event()
    state = limited(return_state=True)
    (run,) = task_runs_of(state)
    gate.set()
    assert begun.is_set()
    assert (state.name, run.state_name) == ("TimedOut", "Crashed")
    assert run.end_time is not None
    assert run.state is not None and run.state.message == "The flow run ended before this task did."
