"""Tasks in threads: how many at a time, in which order, what happens when the flow ends first."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import setting
from prefect import flow, task
from prefect.futures import as_completed
from prefect.recorder import get_recorder
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ConcurrentTaskRunner, PrefectTaskRunner, ThreadPoolTaskRunner
from recorded import task_runs_of


class Peak:
    """Counts how many threads are inside at a time."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def inside(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        yield
        with self._lock:
            self._now -= 1


@task
def same(x: Any = None) -> Any:
    return x


def one_worker(body: Any) -> Any:
    return flow(body, task_runner=ThreadPoolTaskRunner(max_workers=1))


@pytest.mark.parametrize("workers", [1, 3])
def test_at_most_max_workers_run_at_a_time(workers: int) -> None:
    peak, barrier = Peak(), threading.Barrier(workers)

    @task
    def work(_: int) -> None:
        with peak.inside():
            barrier.wait(50)  # passes only if so many run at the same time

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def around() -> None:
        work.map(range(workers * 10)).wait()

    around()
    assert peak.most == workers


def test_tasks_begin_in_the_order_in_which_they_were_submitted() -> None:
    order: list[int] = []

    @task
    def note(x: int) -> None:
        order.append(x)

    one_worker(lambda: note.map(range(200)).wait())()
    assert order == list(range(200))


@pytest.mark.timeout(240)  # a server has them to write: on a busy machine they take a minute
def test_thousands_of_mapped_tasks_come_back_in_order() -> None:
    many = setting.sized(10_000, peer=200)

    @flow
    def around() -> Any:
        return same.map(range(many)).result(), same.map(range(50)).result()

    assert around() == (list(range(many)), list(range(50)))


@pytest.mark.embedded  # the queue is this process's; a server would be busy with it for long
def test_many_may_be_queued_but_memory_stays_bounded() -> None:
    gate, submitted = threading.Event(), []

    @task
    def wait(_: int) -> None:
        assert gate.wait(50)

    def body() -> None:
        for x in range(1_300):
            submitted.append(wait.submit(x))  # noqa: PERF401 - seen from the other thread meanwhile

    runner = threading.Thread(target=one_worker(body))
    runner.start()
    while len(submitted) < 1_000:
        gate.wait(0.001)
    gate.wait(0.05)
    assert len(submitted) <= 1_001  # who submits waits
    gate.set()
    runner.join(50)
    assert len(submitted) == 1_300 and all(future.state.is_completed() for future in submitted)


def test_nested_submits_complete_with_one_worker() -> None:
    @task
    def nest(depth: int) -> int:
        return 0 if depth == 0 else 1 + nest.submit(depth - 1).result()

    assert one_worker(lambda: nest.submit(5).result())() == 5


@pytest.mark.parametrize("how", ["result", "wait", "map", "as_completed", "argument", "wait_for", "direct"])
def test_every_way_of_waiting_lets_others_run(how: str) -> None:
    @task
    def parent() -> Any:
        if how == "result":
            return same.submit(1).result()
        if how == "wait":
            future = same.submit(1)
            future.wait()
            return future.result()
        if how == "map":
            return same.map([1]).result()[0]
        if how == "as_completed":
            return next(as_completed([same.submit(1)])).result()
        if how == "argument":
            return same(same.submit(1))
        if how == "wait_for":
            return same(1, wait_for=[same.submit(2)])
        return same(same.submit(same.submit(1)))

    assert one_worker(lambda: parent.submit().result())() == 1


@pytest.mark.parametrize("how", ["result", "argument", "gather", "thread", "threads"])
def test_async_tasks_let_others_run_while_they_wait(how: str) -> None:
    @task
    async def asame(x: Any) -> Any:
        await asyncio.sleep(0)
        return x

    @task
    async def parent() -> Any:
        if how == "result":
            return asame.submit(1).result()
        if how == "argument":
            return await asame(same.submit(1))
        if how == "thread":
            return await asyncio.to_thread(lambda: same.submit(1).result())
        if how == "threads":
            waits = [asyncio.to_thread(lambda: same.submit(1).result()) for _ in range(5)]
            return (await asyncio.gather(*waits))[0]
        return (await asyncio.gather(*[asame(same.submit(1)) for _ in range(5)]))[0]

    assert one_worker(lambda: parent.submit().result())() == 1


def test_a_task_with_a_deadline_lets_others_run_while_it_waits() -> None:
    peak = Peak()

    @task
    def child(x: int) -> int:
        with peak.inside():
            return x

    @task(timeout_seconds=50)
    def parent() -> Any:
        return child.map([1, 2, 3]).result()

    assert one_worker(lambda: parent.submit().result())() == [1, 2, 3]
    assert peak.most == 1


def test_a_flow_within_a_task_may_wait_for_its_siblings() -> None:
    @flow
    def inner(future: Any) -> Any:
        return same.submit(future).result()

    @task
    def parent() -> Any:
        return inner(same.submit(3))

    @task
    def passes_on() -> Any:
        sibling = same.submit(4)

        @flow
        def leaves_behind() -> None:
            same.submit(sibling)

        leaves_behind()
        return sibling.result()

    assert one_worker(lambda: parent.submit().result())() == 3
    assert one_worker(lambda: passes_on.submit().result())() == 4


def test_when_a_flow_fails_queued_tasks_are_cancelled_and_running_ones_finish() -> None:
    begun, gate = threading.Event(), threading.Event()
    finished = []

    @task(name="running")
    def running() -> None:
        begun.set()
        assert gate.wait(50)
        finished.append(1)

    futures = []

    def body() -> None:
        futures.append(running.submit())
        futures.extend(same.submit(x) for x in range(5))
        assert begun.wait(50)
        futures[1].add_done_callback(lambda _: gate.set())
        raise ValueError("flow")

    state = one_worker(body)(return_state=True)
    assert state.message == "Flow run encountered an exception: ValueError: flow"
    assert finished == [1]
    names = [future.state.name for future in futures]
    assert names == ["Completed", *["Cancelled"] * 5]
    assert [run.state_name for run in task_runs_of(state)] == names
    assert futures[1].state.message == "The flow run ended before this task began."


def test_context_variables_are_copied_into_tasks() -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    @task
    def read() -> tuple[str, str | None]:
        seen = variable.get()
        variable.set("changed in the task")
        return seen, flow_run.id

    @flow
    def around() -> Any:
        variable.set("a")
        first = read.submit()
        variable.set("b")
        second = read.submit()
        return flow_run.id, first.result(), second.result(), variable.get()

    own, first, second, after = around()
    assert first == ("a", own) and second == ("b", own) and after == "b"


def test_runtime_values_in_threads() -> None:
    @task(tags=["t"])
    def look(x: int) -> Any:
        return task_run.parameters, task_run.tags, task_run.run_count, task_run.task_name, flow_run.flow_name

    @flow(name="outer", tags=["f"])
    def around() -> Any:
        return look.map(range(20)).result()

    assert around() == [({"x": x}, ["t"], 1, "look", "outer") for x in range(20)]


def test_arguments_and_results_are_freed_while_the_flow_goes_on() -> None:
    class Thing:
        pass

    refs: list[Any] = []

    @task
    def make(thing: Any) -> Any:
        refs.append(weakref.ref(thing))
        made = Thing()
        refs.append(weakref.ref(made))
        return made

    @flow
    def around() -> int:
        for _ in range(20):
            make.submit(Thing()).wait()
        same.map(range(20)).wait()
        get_recorder().flush()
        gc.collect()
        return sum(ref() is not None for ref in refs)

    assert around() == 0


def test_a_runner_is_a_configuration_and_each_run_has_its_own() -> None:
    runner = ThreadPoolTaskRunner(max_workers=2)
    assert runner == ThreadPoolTaskRunner(max_workers=2) != ThreadPoolTaskRunner(max_workers=3)
    assert runner.duplicate() == runner and runner.duplicate() is not runner
    assert runner.name == "threadpool"
    assert flow(same.fn, task_runner=ThreadPoolTaskRunner).task_runner == ThreadPoolTaskRunner()
    assert ConcurrentTaskRunner is PrefectTaskRunner is ThreadPoolTaskRunner

    @flow(task_runner=runner)
    def around() -> Any:
        return same.submit(1).result()

    assert [around(), around()] == [1, 1]
    assert not runner.is_started


@pytest.mark.parametrize("workers", [0, -1])
def test_a_runner_needs_a_worker(workers: int) -> None:
    with pytest.raises(ValueError, match=f"max_workers must be 1 or more, not {workers}"):
        ThreadPoolTaskRunner(max_workers=workers)


def test_tasks_without_a_flow_submit_tasks() -> None:
    @task
    def nest(depth: int) -> int:
        return 0 if depth == 0 else 1 + nest.submit(depth - 1).result()

    assert nest.submit(3).result() == 3
    assert nest(3) == 3


def test_a_base_exception_in_a_thread_crashes_the_run_and_not_the_pool() -> None:
    @task
    def leave() -> None:
        raise SystemExit(3)

    @flow
    def around() -> Any:
        state = leave.submit(return_state=True)
        return [state.name, state.message, same.submit(1).result()]

    assert one_worker(around.fn)() == ["Crashed", "Execution was aborted by Python system exit call.", 1]


def test_threads_do_not_pile_up() -> None:
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=4))
    def around() -> int:
        for _ in range(100):
            same.submit(1).result()
        return sum(thread.name.startswith("threadpool") for thread in threading.enumerate())

    before = sum(thread.name.startswith("threadpool") for thread in threading.enumerate())
    assert around() - before <= 4
