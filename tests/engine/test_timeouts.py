"""Deadlines: the caller goes on, the state is TimedOut, and what was running is told to stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import FlowRunTimeoutError, TaskRunTimeoutError
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner
from recorded import flow_run_of, history_of, settled, task_run_of, task_runs_of

FOR_EVER = 600


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What stuck functions wait for, so that whoever waits for them waits until the test has failed."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture(params=["sync", "async"])
def sleeps(request: pytest.FixtureRequest, gate: threading.Event) -> Any:
    """A function that sleeps for the whole test."""

    def sleeps() -> None:
        gate.wait(FOR_EVER)

    async def asleeps() -> None:
        await asyncio.sleep(FOR_EVER)

    return asleeps if request.param == "async" else sleeps


def in_time(reached: Callable[[], object], call: Callable[[float], Any]) -> Any:
    """Return what a call with a deadline gives, in seconds that are enough to come to a place.

    They are few, and ever more: on a busy machine a run may be out of time before its function has begun.
    """
    for seconds in (0.05, 0.2, 1, 5, 15):
        given = call(seconds)
        if reached():
            return given
    raise AssertionError("it did not come so far")


@pytest.mark.parametrize(("subject", "error"), [(task, TaskRunTimeoutError), (flow, FlowRunTimeoutError)])
def test_a_run_is_timed_out_and_its_caller_freed(
    subject: Any, error: type[TimeoutError], sleeps: Any
) -> None:
    limited = subject(sleeps, timeout_seconds=0.05)
    with pytest.raises(error, match=r"Scope timed out after 0\.05 second\(s\)\."):
        settled(limited())
    state = settled(limited(return_state=True))
    kind = "Task" if subject is task else "Flow"
    assert (state.name, state.type.value) == ("TimedOut", "FAILED")
    assert state.message == f"{kind} run exceeded timeout of 0.05 second(s)"
    assert isinstance(state.result(raise_on_failure=False), TimeoutError)
    run = task_run_of(state) if subject is task else flow_run_of(state)
    assert run.end_time is not None
    assert history_of(state) == ["Pending", "Running", "TimedOut"]


def test_submitted_tasks(sleeps: Any) -> None:
    limited = task(sleeps, timeout_seconds=0.05)
    states = [limited.submit(return_state=True) for _ in range(2)]
    assert [state.name for state in states] == ["TimedOut"] * 2


@pytest.mark.parametrize("subject", [task, flow])
def test_what_ends_in_time_is_untouched(subject: Any) -> None:
    @subject(timeout_seconds=50)
    def quick() -> Any:
        return threading.current_thread().name, flow_run.name if subject is flow else task_run.name

    assert quick()[1]

    @subject(timeout_seconds=50)
    async def aquick() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert asyncio.run(aquick()) == threading.current_thread().name

    @subject(timeout_seconds=50)
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

    state = settled(task(afails if is_async else fails, timeout_seconds=50)(return_state=True))
    assert state.name == "Failed" and state.message == "Task run encountered an exception TimeoutError: own"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_run_that_is_timed_out_is_retried(is_async: bool, gate: threading.Event) -> None:
    def work() -> int | None:
        if task_run.run_count == 1:
            gate.wait(FOR_EVER)
        return task_run.run_count

    async def awork() -> int | None:
        if task_run.run_count == 1:
            await asyncio.sleep(FOR_EVER)
        return task_run.run_count

    def call(seconds: float) -> Any:
        limited = task(awork if is_async else work, timeout_seconds=seconds, **retries)
        states.append(settled(limited(return_state=True)))
        return states[-1]

    retries: Any = {"retries": 1, "retry_delay_seconds": 0.01}
    states: list[Any] = []
    state = in_time(lambda: states[-1].is_completed(), call)
    assert state.result() == 2
    assert history_of(state) == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]


def test_retries_of_timed_out_runs_end_timed_out(sleeps: Any) -> None:
    state = settled(task(sleeps, timeout_seconds=0.02, retries=1)(return_state=True))
    assert history_of(state) == ["Pending", "Running", "Retrying", "TimedOut"]
    state = settled(flow(sleeps, timeout_seconds=0.02, retries=1)(return_state=True))
    assert history_of(state) == ["Pending", "Running", "AwaitingRetry", "Retrying", "TimedOut"]


def test_the_function_is_told_to_stop() -> None:
    begun, stopped = threading.Event(), threading.Event()

    def works() -> None:
        try:
            begun.set()
            while True:
                time.sleep(0.001)
        finally:
            stopped.set()

    state = in_time(begun.is_set, lambda seconds: task(works, timeout_seconds=seconds)(return_state=True))
    assert state.name == "TimedOut"
    assert stopped.wait(50)


def test_a_flow_that_is_timed_out_leaves_no_task_running(gate: threading.Event) -> None:
    begun, submitted = threading.Event(), []

    @task
    def stuck() -> None:
        begun.set()
        gate.wait(FOR_EVER)

    @task
    def queued() -> None: ...

    def around() -> None:
        begun.clear()
        stuck.submit()
        queued.submit()
        assert begun.wait(50)
        last = stuck.submit()
        submitted.append(last)
        last.result()

    def call(seconds: float) -> Any:
        runner = ThreadPoolTaskRunner(max_workers=1)
        return flow(around, timeout_seconds=seconds, task_runner=runner)(return_state=True)

    state = in_time(lambda: submitted, call)
    assert state.name == "TimedOut"
    runs = task_runs_of(state)
    assert [run.state_name for run in runs] == ["Crashed", "Cancelled", "Cancelled"]
    assert all(run.end_time for run in runs)


def test_a_nested_flow_that_is_timed_out_fails_alone(sleeps: Any) -> None:
    @flow(timeout_seconds=0.05)
    def inner() -> None:
        task(sleeps).submit().result()

    @flow
    def outer() -> Any:
        return inner(return_state=True).name, task(lambda: 1).submit().result()

    state = outer(return_state=True)
    assert state.result() == ("TimedOut", 1)


def test_async_nested_flows() -> None:
    begun: list[int] = []

    @task
    async def stuck(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(FOR_EVER)

    async def inner() -> None:
        begun.clear()
        await asyncio.gather(*[stuck(number) for number in range(3)])

    @flow
    async def outer(seconds: float) -> Any:
        return await flow(inner, timeout_seconds=seconds)(return_state=True)

    state = in_time(lambda: len(begun) == 3, lambda seconds: asyncio.run(outer(seconds, return_state=True)))
    inner_state = state.data.result if state.is_failed() else state.result()
    assert inner_state.name == "TimedOut"
    runs = task_runs_of(inner_state)
    assert [run.state_name for run in runs] == ["Crashed"] * 3


def test_the_shorter_of_nested_deadlines_counts(gate: threading.Event) -> None:
    @task(timeout_seconds=0.05)
    def inner() -> None:
        gate.wait(FOR_EVER)

    @task(timeout_seconds=50)
    def outer() -> str | None:
        return inner(return_state=True).name

    assert outer() == "TimedOut"


def test_the_slot_of_a_timed_out_task_is_free_again(gate: threading.Event) -> None:
    @task(timeout_seconds=0.05)
    def stuck() -> None:
        gate.wait(FOR_EVER)

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


def test_hooks_see_the_timeout(sleeps: Any) -> None:
    seen = []
    hooks: Any = [lambda t, r, s: seen.append(s.name)]
    settled(task(sleeps, timeout_seconds=0.02, on_failure=hooks)(return_state=True))
    assert seen == ["TimedOut"]


@pytest.mark.parametrize("seconds", [-0.5, -1])
def test_a_deadline_is_in_the_future(seconds: float) -> None:
    with pytest.raises(ValueError, match="'timeout_seconds' of task 'quick' must be seconds, 0 or more"):
        task(lambda: None, name="quick", timeout_seconds=seconds)


@pytest.mark.parametrize("is_async", [False, True])
def test_deadlines_of_generators(is_async: bool, gate: threading.Event) -> None:
    def slow() -> Iterator[int]:
        yield 1
        gate.wait(FOR_EVER)
        yield 2

    async def aslow() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(FOR_EVER)
        yield 2

    async def collect(items: AsyncIterator[int]) -> None:
        async for item in items:
            got.append(item)  # noqa: PERF401 - what came before the error counts

    def call(seconds: float) -> None:
        with pytest.raises(TaskRunTimeoutError):
            if is_async:
                asyncio.run(collect(task(aslow, timeout_seconds=seconds)()))
            else:
                got.extend(task(slow, timeout_seconds=seconds)())

    got: list[int] = []
    in_time(lambda: got, call)
    assert got == [1]


def test_a_slow_consumer_does_not_use_up_a_generators_time() -> None:
    def quick() -> Iterator[str | None]:
        yield task_run.name
        yield task_run.name

    def call(seconds: float) -> None:
        names.clear()
        with suppress(TaskRunTimeoutError):
            for name in task(quick, timeout_seconds=seconds)():
                names.append(name)
                time.sleep(seconds * 0.75)  # twice: together longer than the generator has

    names: list[str | None] = []
    in_time(lambda: len(names) == 2, call)
    assert len(set(names)) == 1


def test_a_retry_is_not_held_up_by_what_was_given_up(gate: threading.Event) -> None:
    @task
    def stuck() -> None:
        if flow_run.run_count == 1:
            begun.set()
            gate.wait(FOR_EVER)

    def around() -> Any:
        stuck.submit().result()
        return flow_run.run_count

    def call(seconds: float) -> Any:
        begun.clear()
        runner = ThreadPoolTaskRunner(max_workers=1)
        limited = flow(around, timeout_seconds=seconds, retries=1, task_runner=runner)
        states.append(limited(return_state=True))
        return states[-1]

    begun, states = threading.Event(), []
    state = in_time(lambda: begun.is_set() and states[-1].is_completed(), call)
    assert state.result() == 2
    assert [run.state_name for run in task_runs_of(state)] == ["Crashed", "Completed"]


def test_the_tasks_of_a_flow_that_is_out_of_time_end_with_it(gate: threading.Event) -> None:
    @task
    def stuck() -> None:
        begun.set()
        gate.wait(FOR_EVER)

    begun = threading.Event()
    state = in_time(
        begun.is_set, lambda seconds: flow(lambda: stuck(), timeout_seconds=seconds)(return_state=True)
    )
    (run,) = task_runs_of(state)
    assert (state.name, run.state_name) == ("TimedOut", "Crashed")
    assert run.end_time is not None
    assert run.state is not None and run.state.message == "The flow run ended before this task did."
