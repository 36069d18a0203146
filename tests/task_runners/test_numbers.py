"""Many tasks, and how little travels with each."""

from __future__ import annotations

import gc
import os
import tracemalloc
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow, tags, task
from prefect.recorder import get_recorder
from prefect.task_runners.remote import RemoteRun, run_parcel
from recorded import task_runs_of

pytestmark = pytest.mark.timeout(400)

MANY = int(os.environ.get("PROCONSUL_TEST_MANY", "1000"))
"""The contract is 10,000; a run of all tests makes do with fewer."""


def test_many_tasks(runner):
    @flow(task_runner=runner, log_prints=False)
    def main() -> int:
        return sum(remote.same.map(range(MANY)).result())

    state = main(return_state=True)
    assert state.result() == sum(range(MANY))
    runs = task_runs_of(state)
    assert {run.state_name for run in runs} == {"Completed"}
    assert len(runs) == min(MANY, 200)  # as many as are listed at a time


def test_a_task_takes_at_most_2_kilobytes():
    """With a flow of many facts; what is the user's own is not counted."""
    sizes: list[tuple[int, int]] = []

    @task(tags=["a", "b"], retries=3)
    def small(x: int) -> int:
        return x

    @flow(flow_run_name="a name that is long enough to be one of those that people give to their runs")
    def main(**parameters: Any) -> None:
        with tags(*(f"tag-{n}" for n in range(8))):
            run = RemoteRun(small, {"x": 1}, None, main)
            shared, packed = run.pack()
        sizes.append((len(shared.content), len(packed.parcel)))
        run.crash("it was only to be weighed")

    main(text="x" * 100_000, number=3)
    ((_, each),) = sizes
    assert each <= 2048


def test_futures_of_ended_runs_are_small():
    """Somebody may hold a hundred thousand of them."""
    count = 500
    # Threads of other tests, and the pages of a database, are not what is weighed.
    ours = [
        tracemalloc.Filter(True, "*/prefect/task_runners/*"),
        tracemalloc.Filter(True, "*/prefect/types/*"),
    ]

    def one(n: int) -> Any:
        run = RemoteRun(remote.same, {"x": n}, None, main)
        shared, packed = run.pack()
        answer, _ = run_parcel(packed.parcel, lambda _: shared.content)
        assert run.take(answer, is_kept=False)
        return run.future

    @flow
    def main() -> float:
        kept = [one(n) for n in range(50)]
        get_recorder().flush()
        tracemalloc.start()
        try:
            kept += [one(n) for n in range(count)]
            get_recorder().flush()
            gc.collect()
            taken = tracemalloc.take_snapshot().filter_traces(ours)
        finally:
            tracemalloc.stop()
        assert [future.result() for future in kept[50:]] == list(range(count))
        assert {future.state.name for future in kept} == {"Completed"}
        assert {str(future.state.state_details.task_run_id) for future in kept} == {
            str(future.task_run_id) for future in kept
        }
        return sum(trace.size for trace in taken.traces) / count

    assert main() < 330


def test_a_result_is_one_object(runner):
    @flow(task_runner=runner)
    def main() -> bool:
        future = remote.same.submit([1])
        return future.result() is future.result() is future.state.result()

    assert main()
