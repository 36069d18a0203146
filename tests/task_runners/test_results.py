"""What every task runner does with what tasks return, and with what they are given."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow, task, unmapped
from prefect.futures import as_completed, wait
from prefect.states import Completed
from recorded import history_of, task_runs_of, upstream_of

pytestmark = pytest.mark.timeout(120)


def test_results(runner):
    @flow(task_runner=runner)
    def main() -> list[Any]:
        values = [None, 0, "text", [1, {"a": (2,)}], b"\x00" * 10]
        return [(value, remote.same.submit(value).result()) for value in values]

    for given, result in main():
        assert result == given


def test_tasks_run_elsewhere(runner, kind):
    @flow(task_runner=runner)
    def main() -> int:
        return remote.pid.submit().result()

    assert (main() == os.getpid()) is (kind == "threads")


def test_tasks_that_workers_cannot_import(runner):
    step = 3

    @task
    def local(x: int) -> int:
        return x + step

    @flow(task_runner=runner)
    def main() -> list[int]:
        return local.map([1, 2]).result()

    assert main() == [4, 5]


def test_large_arrays(runner):
    @flow(task_runner=runner)
    def main() -> tuple[int, Any]:
        array = remote.zeros.submit(2_000_000)
        return remote.size_of.submit(array).result(), array.result()

    size, array = main()
    assert size == array.nbytes == 16_000_000
    assert not array.any()


def test_async_tasks_and_generators(runner):
    @flow(task_runner=runner)
    def main() -> list[Any]:
        return [remote.aside.submit(1).result(), remote.parts.submit(3).result()]

    assert main() == [1, [0, 1, 2]]


def test_async_flows(runner):
    @flow(task_runner=runner)
    async def main() -> list[Any]:
        return remote.aside.map([1, 2]).result()

    assert asyncio.run(main()) == [1, 2]


def test_maps(runner):
    @flow(task_runner=runner)
    def main() -> list[Any]:
        constant = remote.same.submit([1])
        return [
            remote.same.map([3, 1, 2]).result(),
            remote.add.map([1, 2], 10).result(),
            remote.add.map([[2], [3]], unmapped(constant)).result(),
            remote.same.map(remote.same.submit([5, 6])).result(),
        ]

    assert main() == [[3, 1, 2], [11, 12], [[2, 1], [3, 1]], [5, 6]]


def test_nested_tasks_and_maps(runner):
    @flow(task_runner=runner)
    def main() -> tuple[int, list[int]]:
        return remote.nested.submit(4).result(), remote.nested_map.submit(4).result()

    state = main(return_state=True)
    assert state.result() == (16, [0, 0, 1, 3])
    assert [history_of(run) for run in task_runs_of(state)] == 10 * [["Pending", "Running", "Completed"]]


def test_as_completed_and_wait(runner):
    @flow(task_runner=runner)
    def main() -> tuple[list[int], int]:
        futures = remote.same.map([1, 2, 3])
        return sorted(future.result() for future in as_completed(futures)), len(wait(futures).done)

    assert main() == ([1, 2, 3], 3)


def test_a_task_that_returns_a_state(runner):
    @task
    def done() -> Any:
        return Completed(message="enough", name="Done")

    @flow(task_runner=runner)
    def main() -> tuple[str, str]:
        future = done.submit()
        future.wait()
        return future.state.name, future.state.message

    assert main() == ("Done", "enough")


def test_futures_as_arguments(runner):
    """Whatever they are in: results are put in their place, and what they came from is written down."""

    @flow(task_runner=runner)
    def main() -> Any:
        one, two = remote.same.submit(1), remote.same.submit(2)
        gathered = remote.same.submit({"a": [one, 5], "b": (two,)})
        after = remote.add.submit(one, two, wait_for=[gathered])
        return [future.task_run_id for future in (one, two, gathered)], gathered.result(), after.result()

    state = main(return_state=True)
    (one, two, gathered), value, total = state.result()
    assert value == {"a": [1, 5], "b": (2,)}
    assert total == 3
    runs = {run.id: run for run in task_runs_of(state)}
    assert upstream_of(runs[gathered]) == {"x": {one, two}}
    (after,) = [run for run in runs.values() if run.task_key == remote.add.task_key]
    assert upstream_of(after) == {"x": {one}, "y": {two}, "wait_for": {gathered}}


def test_a_chain_of_futures(runner):
    @flow(task_runner=runner)
    def main() -> int:
        future = remote.same.submit(0)
        for _ in range(20):
            future = remote.add.submit(future, 1)
        return future.result()

    assert main() == 20


def test_waiting_for_others(runner, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"

    @task
    def look(path: str) -> bool:
        return os.path.exists(path)

    @flow(task_runner=runner)
    def main() -> bool:
        held = remote.hold.submit(str(first), str(second))
        written = remote.touch.submit(str(second))
        return look.submit(str(first), wait_for=[held, written]).result()

    assert main() is True


def test_data_stays_on_the_cluster(runner, kind):
    @flow(task_runner=runner)
    def main() -> tuple[int, ...]:
        return remote.way_of.submit(remote.traced.submit()).result()

    way = main()
    if kind == "threads":
        assert way == ()
    elif kind != "processes":  # a pool of processes has no place of its own for data
        assert os.getpid() not in way


def test_results_are_kept_where_they_are_persisted(runner):
    @task(persist_result=True)
    def kept() -> int:
        return 7

    @flow(task_runner=runner)
    def main() -> Any:
        future = kept.submit()
        assert future.result() == 7
        return future.state.data.metadata.storage_key

    assert main()
