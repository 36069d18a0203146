"""Futures: alone, in lists, and the functions over them."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import MissingResult, UnfinishedRun
from prefect.futures import (
    PrefectFuture,
    PrefectFutureList,
    as_completed,
    resolve_futures_to_results,
    resolve_futures_to_states,
    wait,
)
from prefect.states import Completed
from prefect.types.annotations import allow_failure, quote, unmapped
from recorded import task_run_of


@task
def same(x: Any) -> Any:
    return x


@task
def boom() -> None:
    raise ValueError("nope")


@task
def odd_fails(x: int) -> int:
    if x % 2:
        raise ValueError(f"odd {x}")
    return x


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def waiting(gate: threading.Event) -> Any:
    @task
    def waits(x: Any = None) -> Any:
        assert gate.wait(50)
        return x

    return waits


def test_submit_gives_a_future_of_the_run() -> None:
    future = same.submit(3)
    assert isinstance(future, PrefectFuture)
    assert future.result() == 3
    assert future.state.is_completed()
    assert task_run_of(future.task_run_id).id == future.task_run_id
    assert "Completed" in repr(future)


def test_result_raises_what_the_run_raised() -> None:
    with pytest.raises(ValueError, match="nope"):
        boom.submit().result()
    error = boom.submit().result(raise_on_failure=False)
    assert isinstance(error, ValueError)


def test_result_times_out_and_can_be_asked_again(gate: threading.Event, waiting: Any) -> None:
    future = waiting.submit(5)
    with pytest.raises(
        TimeoutError, match=f"Task run {future.task_run_id} did not complete within 0.01 seconds"
    ):
        future.result(timeout=0.01)
    future.wait(timeout=0)
    assert not future.state.is_final()
    gate.set()
    assert future.result(timeout=20) == 5
    assert future.result(timeout=0) == 5


def test_a_task_that_raises_timeout_error_is_not_mistaken_for_a_late_one() -> None:
    @task
    def raises() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        raises.submit().result(timeout=20)
    with pytest.raises(TimeoutError, match="mine"):
        PrefectFutureList([raises.submit()]).result(timeout=20)


def test_callbacks_are_called_once_with_the_future(gate: threading.Event, waiting: Any) -> None:
    called: list[Any] = []
    made: list[Any] = []

    @flow
    def around() -> None:
        future = waiting.submit(1)
        future.add_done_callback(called.append)
        future.add_done_callback(called.append)
        assert called == []
        gate.set()
        future.wait()
        future.add_done_callback(called.append)
        made.append(future)

    around()  # it ends after the thread that calls them: who waits for the future may be ahead of that
    assert called == made * 3


def test_a_callback_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    called: list[Any] = []

    def bad(_: Any) -> None:
        raise RuntimeError("callback")

    @flow
    def around() -> Any:
        gate = threading.Event()

        @task
        def waits() -> int:
            assert gate.wait(50)
            return 1

        future = waits.submit()
        future.add_done_callback(bad)
        future.add_done_callback(called.append)
        gate.set()
        future.wait()
        future.add_done_callback(bad)
        return same.submit(2).result()

    assert around() == 2
    assert len(called) == 1


def test_futures_as_arguments_become_results() -> None:
    assert same(same.submit(1)) == 1
    assert same.submit(same.submit(2)).result() == 2
    nested = same([same.submit(1), {"k": (same.submit(2), 3)}])
    assert nested == [1, {"k": (2, 3)}]
    assert same({same.submit(1).result(): 2}) == {1: 2}


def test_states_as_arguments_become_results() -> None:
    assert same(same(4, return_state=True)) == 4
    assert same(Completed(data=5)) == 5
    assert same([Completed(data=6)]) == [6]


def test_marks() -> None:
    future = same.submit(1)
    assert same(quote([future])) == [future]
    assert same(unmapped([1])) == [1]
    assert isinstance(same(allow_failure(boom.submit())), ValueError)
    assert same(allow_failure(future)) == 1
    assert same(allow_failure([future, 2])) == [1, 2]
    assert isinstance(same(allow_failure(boom(return_state=True))), ValueError)


def test_a_run_whose_upstream_failed_does_not_begin() -> None:
    failed = boom.submit()
    future = same.submit(failed)
    future.wait(20)
    state = future.state
    assert (state.name, state.type.value) == ("NotReady", "PENDING")
    assert state.message == f"Upstream task run '{failed.task_run_id}' did not reach a 'COMPLETED' state."
    with pytest.raises(UnfinishedRun, match="Run is in PENDING state, its result is not available"):
        future.result()
    assert task_run_of(future.task_run_id).state_name == "NotReady"
    with pytest.raises(UnfinishedRun):
        same(failed)
    with pytest.raises(UnfinishedRun):
        same(boom(return_state=True))


@pytest.mark.parametrize("shape", [list, tuple, set, iter, lambda futures: futures[0]])
def test_wait_for_takes_runs_in_any_form(shape: Any) -> None:
    assert same.submit(1, wait_for=shape([same.submit(2)])).result() == 1
    assert same(1, wait_for=shape([same.submit(2)])) == 1
    with pytest.raises(UnfinishedRun):
        same.submit(1, wait_for=shape([boom.submit()])).result()
    with pytest.raises(UnfinishedRun):
        same(1, wait_for=shape([boom.submit()]))


def test_wait_for_states_and_marks() -> None:
    assert same(1, wait_for=[same(2, return_state=True)]) == 1
    with pytest.raises(UnfinishedRun):
        same(1, wait_for=[boom(return_state=True)])
    assert same(1, wait_for=[allow_failure(boom.submit())]) == 1
    assert same(1, wait_for=[allow_failure([boom.submit()]), same.submit(1)]) == 1


def test_wait_for_really_waits(gate: threading.Event, waiting: Any) -> None:
    first = waiting.submit(1)
    second = same.submit(2, wait_for=[first])
    assert second.state.is_pending()
    gate.set()
    assert second.result() == 2
    assert task_run_of(second.task_run_id).start_time >= task_run_of(first.task_run_id).end_time  # type: ignore[operator]


def test_submit_with_return_state() -> None:
    assert same.submit(1, return_state=True).result() == 1
    assert boom.submit(return_state=True).name == "Failed"
    assert [state.name for state in odd_fails.map([1, 2], return_state=True)] == ["Failed", "Completed"]


def test_wait_parts_done_from_not_done(gate: threading.Event, waiting: Any) -> None:
    quick, slow = same.submit(1), waiting.submit(2)
    quick.wait()
    parted = wait([quick, slow], timeout=0.01)
    assert parted.done == {quick} and parted.not_done == {slow}
    gate.set()
    assert wait([quick, slow]).not_done == set()
    assert wait([]) == (set(), set())


def test_as_completed_gives_the_first_first(gate: threading.Event, waiting: Any) -> None:
    slow, quick = waiting.submit(1), same.submit(2)
    finished = as_completed([slow, quick, quick], timeout=20)
    assert next(finished) is quick
    gate.set()
    assert list(finished) == [slow]


def test_as_completed_says_how_many_are_late(gate: threading.Event, waiting: Any) -> None:
    futures = [waiting.submit(1), same.submit(2)]
    futures[1].wait()
    got = []
    with pytest.raises(TimeoutError, match=r"1 \(of 2\) futures unfinished"):
        got.extend(as_completed(futures, timeout=0.05))


def test_lists_of_futures(gate: threading.Event, waiting: Any) -> None:
    futures = odd_fails.map([2, 4])
    assert isinstance(futures, PrefectFutureList)
    assert futures.result() == [2, 4]
    mixed = odd_fails.map([1, 2, 3])
    with pytest.raises(ValueError, match="odd"):
        mixed.result()
    assert [type(result) for result in mixed.result(raise_on_failure=False)] == [ValueError, int, ValueError]
    late = waiting.map([1])
    with pytest.raises(
        TimeoutError, match=r"Timed out waiting for all futures to complete within 0\.01 seconds"
    ):
        late.result(timeout=0.01)
    late.wait(timeout=0.01)
    gate.set()
    late.wait()
    assert late.result() == [1]


def test_futures_in_containers_can_be_resolved() -> None:
    data = {"a": [same.submit(1)], "b": 2}
    assert resolve_futures_to_results(data) == {"a": [1], "b": 2}
    assert resolve_futures_to_states(data)["a"][0].is_completed()
    assert resolve_futures_to_results(same.map([1, 2])) == [1, 2]


def test_copies_are_the_future_itself() -> None:
    future = same.submit(1)
    assert copy.copy(future) is future and copy.deepcopy([future])[0] is future
    assert len({future, future}) == 1


def test_a_running_state_is_seen(gate: threading.Event) -> None:
    begun = threading.Event()

    @task
    def work() -> None:
        begun.set()
        assert gate.wait(50)

    future = work.submit()
    assert begun.wait(50)
    assert future.state.is_running()
    gate.set()
    future.wait()
    assert future.state.is_completed()


def test_results_of_runs_of_other_processes_are_missing_unless_kept() -> None:
    state = task_run_of(same.submit(1, return_state=True)).state
    assert state is not None
    with pytest.raises(MissingResult, match="persist_result=True"):
        state.result()


def test_async_code_can_wait_for_futures_of_threads() -> None:
    @task
    async def aside(x: int) -> int:
        await asyncio.sleep(0)
        return x

    @flow
    async def around() -> Any:
        first = aside.submit(1)
        return await asyncio.gather(*[same_async(aside.submit(first)) for _ in range(20)])

    @task
    async def same_async(x: Any) -> Any:
        return x

    assert asyncio.run(around()) == [1] * 20


def test_without_a_flow_futures_run_in_threads_of_the_process() -> None:
    names = {threading.current_thread().name}
    names.add(task(lambda: threading.current_thread().name).submit().result())
    assert len(names) == 2
