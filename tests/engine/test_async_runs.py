"""Async tasks and flows on their caller's event loop: many at once, shared objects, cancellation."""

from __future__ import annotations

import asyncio
import os
import threading
from contextvars import ContextVar
from typing import Any

import pytest

import setting
from prefect import flow, tags, task
from prefect.context import TaskRunContext
from prefect.recorder import get_recorder
from prefect.runtime import flow_run, task_run
from recorded import flow_run_of, history_of, task_run_of, task_runs_of


@task
async def same(x: Any) -> Any:
    await asyncio.sleep(0)
    return x


@task
def threaded(x: Any) -> Any:
    return x


def test_a_thousand_awaited_tasks_take_no_threads_and_no_files() -> None:
    most = [0, 0]

    @task
    async def count(x: int) -> int:
        await asyncio.sleep(0)
        if x % 100 == 0:
            most[0] = max(most[0], threading.active_count())
            most[1] = max(most[1], len(os.listdir("/proc/self/fd")))
        return x

    @flow
    async def around(n: int) -> Any:
        return await asyncio.gather(*[count(x) for x in range(n)])

    asyncio.run(around(10))
    get_recorder().flush()  # or a server's sockets would be opened meanwhile, and counted
    most[:] = [0, 0]
    asyncio.run(around(10))
    before, most[:] = list(most), [0, 0]
    many = setting.sized(1_000, peer=200)
    assert asyncio.run(around(many)) == list(range(many))
    # A server that is slow to answer has the recorder open a few more, and each thread that waits has a
    # connection: not one for each task.
    assert most[0] <= before[0] + 20 and most[1] <= before[1] + most[0] + 20


def test_a_thousand_waiters_for_futures_take_no_threads() -> None:
    gate, most = threading.Event(), []
    many = setting.sized(1_000, peer=200)

    @task
    def waits() -> int:
        assert gate.wait(50)
        return 1

    @flow
    async def around() -> Any:
        future = waits.submit()
        waiting = [asyncio.create_task(same(future)) for _ in range(many)]
        for _ in range(5):
            await asyncio.sleep(0)
        most.append(threading.active_count())
        gate.set()
        return sum(await asyncio.gather(*waiting))

    before = threading.active_count()
    assert asyncio.run(around()) == many
    assert most[0] <= before + 8


def test_tasks_share_asyncio_objects() -> None:
    @flow
    async def around() -> Any:
        queue: asyncio.Queue[int] = asyncio.Queue()
        lock, inside = asyncio.Lock(), []

        @task
        async def put(x: int) -> None:
            async with lock:
                inside.append(1)
                await asyncio.sleep(0)
                assert len(inside) == 1
                inside.pop()
            await queue.put(x)

        @task
        async def take() -> int:
            return await queue.get()

        taken = asyncio.gather(*[take() for _ in range(100)])
        await asyncio.gather(*[put(x) for x in range(100)])
        return sorted(await taken)

    assert asyncio.run(around()) == list(range(100))


def test_gathered_tasks_keep_their_own_contexts() -> None:
    @task(task_run_name="run-{x}")
    async def look(x: int) -> Any:
        before = task_run.id, task_run.name
        await asyncio.sleep(0.001 * (x % 3))
        inner = await same(x)
        return before == (task_run.id, task_run.name), task_run.name, task_run.parameters, inner

    @flow
    async def around() -> Any:
        with tags("t"):
            found = await asyncio.gather(*[look(x) for x in range(50)])
        assert TaskRunContext.get() is None
        return found

    assert asyncio.run(around()) == [(True, f"run-{x}", {"x": x}, x) for x in range(50)]


def test_a_task_runs_in_its_callers_asyncio_task() -> None:
    variable = ContextVar("variable", default=0)

    @task
    async def change() -> Any:
        variable.set(5)
        return asyncio.current_task()

    @flow
    async def around() -> Any:
        return await change() is asyncio.current_task(), variable.get()

    assert asyncio.run(around()) == (True, 5)


@pytest.mark.parametrize("where", ["body", "upstream", "retry", "hook"])
def test_a_cancelled_task_is_recorded_as_crashed(where: str) -> None:
    gate = threading.Event()
    begun: list[Any] = []

    @task
    def upstream() -> None:
        assert gate.wait(50)

    async def stuck(*_: Any) -> None:
        begun.append(1)
        await asyncio.sleep(600)

    async def fails(*_: Any) -> None:
        begun.append(1)
        raise ValueError

    @flow
    async def around() -> str:
        made: Any = task(stuck, name="made")
        given: list[Any] = []
        if where == "upstream":
            given, _ = [upstream.submit()], begun.append(1)
        elif where == "retry":
            made = task(fails, name="made", retries=1, retry_delay_seconds=600)
        elif where == "hook":
            made = task(same.fn, name="made", on_running=[stuck])
            given = [1]
        running = asyncio.create_task(made(*given))
        while not begun:  # noqa: ASYNC110 - it may be noted by another thread
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        gate.set()
        return "went on"

    state = asyncio.run(around(return_state=True))
    assert state.result() == "went on"
    run = next(run for run in task_runs_of(state) if run.name.startswith("made"))
    assert run.state_name == "Crashed" and run.end_time is not None
    assert (
        run.state is not None and run.state.message == "Execution was cancelled by the runtime environment."
    )


def test_a_cancelled_flow_crashes_with_its_tasks_and_its_nested_flows() -> None:
    ids: list[Any] = []
    begun = asyncio.Event()

    @task
    async def stuck() -> None:
        begun.set()
        await asyncio.sleep(600)

    @flow
    async def inner() -> None:
        ids.append(flow_run.id)
        await stuck()

    @flow
    async def outer() -> None:
        ids.append(flow_run.id)
        await inner()

    async def main() -> None:
        running = asyncio.create_task(outer())
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    for run_id in ids:
        run = flow_run_of(run_id)
        assert run.state_name == "Crashed" and run.end_time is not None
        assert [t.state_name for t in task_runs_of(run_id)] == ["Crashed"]


def test_a_timeout_around_a_task_is_a_cancellation() -> None:
    @task
    async def stuck() -> None:
        await asyncio.sleep(600)

    async def main() -> None:
        async with asyncio.timeout(0.01):
            await stuck()

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_task_groups_cancel_siblings() -> None:
    ids: list[Any] = []
    begun = asyncio.Event()

    @task
    async def stuck() -> None:
        ids.append(task_run.id)
        begun.set()
        await asyncio.sleep(600)

    @task
    async def fails() -> None:
        await begun.wait()
        raise ValueError("sibling")

    @flow
    async def around() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(stuck())
            group.create_task(fails())

    state = asyncio.run(around(return_state=True))
    assert state.is_failed()
    assert history_of(task_run_of(str(ids[0]))) == ["Pending", "Running", "Crashed"]


def test_a_coroutine_that_is_never_awaited_leaves_no_run() -> None:
    @flow
    async def around() -> None:
        same(1).close()

    assert task_runs_of(asyncio.run(around(return_state=True))) == []


def test_a_coroutine_that_is_thrown_away_midway_is_written_down() -> None:
    ids = []

    @task
    async def stops() -> None:
        ids.append(task_run.id)
        await asyncio.sleep(0)

    coroutine = stops()
    coroutine.send(None)  # up to its first await
    coroutine.close()
    assert task_run_of(ids[0]).state_name == "Crashed"


def test_many_flows_side_by_side() -> None:
    many = setting.sized(40, peer=10)

    @flow
    async def child(x: int) -> Any:
        return flow_run.parameters["x"], await same(x), threaded.submit(x).result()

    @flow
    async def parent() -> Any:
        return await asyncio.gather(*[child(x) for x in range(many)])

    assert asyncio.run(parent()) == [(x, x, x) for x in range(many)]


def test_blocking_ends_of_flows_do_not_hold_up_others() -> None:
    """More flows wait for tasks in threads than an event loop has threads of its own."""
    gate = threading.Event()

    @task
    def waits() -> None:
        assert gate.wait(50)

    @flow
    async def leaves() -> None:
        waits.submit()

    @flow
    async def opens() -> None:
        gate.set()

    @flow
    async def parent() -> int:
        leaving = [asyncio.create_task(leaves()) for _ in range(setting.sized(30, peer=10))]
        await asyncio.sleep(0.05)
        await opens()
        await asyncio.gather(*leaving)
        return 1

    assert asyncio.run(parent()) == 1


def test_an_async_task_in_a_thread_leaves_nothing_behind() -> None:
    """What it started and did not wait for is cancelled when it ends, as `asyncio.run` does."""
    ended = []

    @task
    async def starts() -> None:
        async def background() -> None:
            try:
                await asyncio.sleep(600)
            finally:
                ended.append(1)

        starts.background = asyncio.create_task(background())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    starts.submit().wait()
    assert ended == [1]


def test_async_generators_left_open_in_a_thread_are_closed() -> None:
    ended = []

    async def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            ended.append(1)

    @task
    async def takes_one() -> int:
        async for number in numbers():
            return number
        return 0

    assert takes_one.submit().result() == 1
    assert ended == [1]
