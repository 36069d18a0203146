"""Results that are kept and used again, seen from flows and tasks."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect import flow, task
from prefect.cache_policies import DEFAULT, FLOW_PARAMETERS, INPUTS, NO_CACHE, RUN_ID, TASK_SOURCE
from prefect.filesystems import LocalFileSystem
from prefect.results import ResultStore, get_result_store
from prefect.settings import (
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_TASKS_DEFAULT_NO_CACHE,
    PREFECT_TASKS_DEFAULT_PERSIST_RESULT,
    PREFECT_TASKS_DISABLE_CACHING,
    PREFECT_TASKS_REFRESH_CACHE,
    temporary_settings,
)


def names_of(states: list[Any]) -> list[str]:
    return [state.name for state in states]


def run_twice(one: Any, *args: Any, in_one_flow: bool = True) -> list[Any]:
    """Run a task twice, in one flow run or in two, and give the states."""
    states: list[Any] = []

    @flow
    def around(times: int) -> None:
        states.extend(one(*args, return_state=True) for _ in range(times))

    for times in [2] if in_one_flow else [1, 1]:
        around(times)
    return states


def test_results_are_not_kept_unless_asked_for(home: Path) -> None:
    @task
    def plain(x: int) -> int:
        return x

    states = run_twice(plain, 1)
    assert names_of(states) == ["Completed", "Completed"] and [state.result() for state in states] == [1, 1]
    assert not (home / "storage").exists()


def test_by_default_a_kept_result_is_used_again_within_the_flow_run() -> None:
    @task(persist_result=True)
    def kept(x: int) -> int:
        return x

    assert names_of(run_twice(kept, 1)) == ["Completed", "Cached"]
    assert names_of(run_twice(kept, 1, in_one_flow=False)) == ["Completed", "Completed"]


@pytest.mark.parametrize("policy", [INPUTS, INPUTS + TASK_SOURCE, TASK_SOURCE], ids=repr)
def test_without_the_run_in_its_key_a_result_is_used_by_later_runs(policy: Any) -> None:
    @task(cache_policy=policy)
    def lasting(x: int) -> list[int]:
        return [x]

    states = run_twice(lasting, 1, in_one_flow=False)
    assert names_of(states) == ["Completed", "Cached"] and states[1].result() == [1]
    assert states[1].state_details.cache_key


def test_flow_parameters_in_the_key() -> None:
    runs = []

    @task(cache_policy=FLOW_PARAMETERS)
    def once() -> None:
        runs.append(1)

    @flow
    def daily(day: int) -> None:
        once()

    for day in (1, 2, 1):
        daily(day)
    assert len(runs) == 2


@pytest.mark.parametrize(
    "options", [{"cache_policy": NO_CACHE, "persist_result": True}, {"persist_result": False}]
)
def test_no_cache(options: dict[str, Any]) -> None:
    @task(**options)
    def always(x: int) -> int:
        return x

    assert names_of(run_twice(always, 1)) == ["Completed", "Completed"]


def test_a_retried_flow_does_not_repeat_what_it_has_kept() -> None:
    runs: list[str] = []

    @task(persist_result=True)
    def costly() -> str:
        runs.append("task")
        return "value"

    @task(persist_result=True)
    def with_input(x: int) -> str:
        runs.append("task with input")
        return "value"

    @flow(retries=1)
    def shaky() -> str:
        runs.append("flow")
        with_input(1)
        if runs.count("flow") == 1:
            raise ValueError("once")
        return costly()

    assert shaky() == "value"
    assert runs == ["flow", "task with input", "flow", "task"]


def test_a_key_of_ones_own() -> None:
    @task(cache_key_fn=lambda context, arguments: f"v{arguments['version']}")
    def train(version: int, data: str) -> str:
        return data

    @flow
    def training() -> list[str]:
        return [train(1, "a"), train(1, "b"), train(2, "c")]

    assert training() == ["a", "a", "c"]


@pytest.mark.parametrize(("seconds", "second"), [(-1, "Completed"), (3600, "Cached")])
def test_a_result_is_used_until_it_expires(seconds: int, second: str) -> None:
    @task(cache_policy=INPUTS, cache_expiration=timedelta(seconds=seconds))
    def passing(x: int) -> int:
        return x

    states = run_twice(passing, 1)
    assert names_of(states) == ["Completed", second]
    assert [state.result() for state in states] == [1, 1]


def test_refreshing_replaces_what_is_kept() -> None:
    made = iter(range(10))

    @task(cache_policy=INPUTS)
    def counted(x: int) -> int:
        return next(made)

    assert [state.result() for state in run_twice(counted, 1)] == [0, 0]
    assert [state.result() for state in run_twice(counted.with_options(refresh_cache=True), 1)] == [1, 2]
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True}):
        assert run_twice(counted, 1)[1].result() == 4
    assert [state.result() for state in run_twice(counted, 1)] == [4, 4]


def test_caching_can_be_turned_off() -> None:
    @task(cache_policy=INPUTS)
    def kept(x: int) -> int:
        return x

    with temporary_settings({PREFECT_TASKS_DISABLE_CACHING: True}):
        assert names_of(run_twice(kept, 1)) == ["Completed", "Completed"]


def test_tasks_may_be_uncached_by_default() -> None:
    with temporary_settings({PREFECT_TASKS_DEFAULT_NO_CACHE: True}):

        @task(persist_result=True)
        def kept(x: int) -> int:
            return x

    assert kept.cache_policy == NO_CACHE
    assert names_of(run_twice(kept, 1)) == ["Completed", "Completed"]
    assert names_of(run_twice(kept.with_options(cache_policy=INPUTS), 1)) == ["Completed", "Cached"]


def test_an_argument_that_cannot_be_hashed_means_no_caching_and_the_log_names_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @task(persist_result=True)
    def query(connection: Any, x: int) -> int:
        return x

    with caplog.at_level(logging.WARNING):
        states = run_twice(query, threading.Lock(), 1)
    assert names_of(states) == ["Completed", "Completed"]
    assert "not cached: Argument 'connection' cannot be hashed" in caplog.text
    assert states[0].data.metadata is not None
    assert names_of(
        run_twice(query.with_options(cache_policy=DEFAULT - "connection"), threading.Lock(), 1)
    ) == [
        "Completed",
        "Cached",
    ]


def test_a_key_function_that_fails_means_no_caching(caplog: pytest.LogCaptureFixture) -> None:
    @task(cache_key_fn=lambda context, arguments: arguments["missing"])
    def kept(x: int) -> int:
        return x

    with caplog.at_level(logging.WARNING):
        assert names_of(run_twice(kept, 1)) == ["Completed", "Completed"]
    assert "not cached: KeyError('missing')" in caplog.text


def test_a_result_that_cannot_be_kept_fails_no_run(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    @task(persist_result=True)
    def lock() -> Any:
        return threading.Lock()

    @task(persist_result=True, result_storage=tmp_path / "file")
    def nowhere() -> int:
        return 1

    @task(persist_result=True, result_storage_key="{nothing.here}")
    def nameless() -> int:
        return 2

    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.ERROR):
        states = [run_twice(one)[0] for one in (lock, nowhere, nameless)]
    assert names_of(states) == ["Completed"] * 3
    assert [state.result() for state in states[1:]] == [1, 2]
    for said in ("_thread.lock", "Not a directory", "'{nothing.here}' cannot be filled in"):
        assert f"{said}" in caplog.text


def test_the_storage_key_names_the_file_and_is_the_cache_key(tmp_path: Path) -> None:
    @task(
        result_storage=tmp_path,
        result_storage_key="{flow_run.flow_name}/{parameters[x]}-{task_run.task_name}.json",
    )
    def named(x: int) -> int:
        return x

    assert names_of(run_twice(named, 7, in_one_flow=False)) == ["Completed", "Cached"]
    assert (tmp_path / "around" / "7-named.json").exists()


def test_a_flow_says_what_its_tasks_do(tmp_path: Path) -> None:
    seen: list[ResultStore] = []

    @task
    def quiet(x: int) -> int:
        seen.append(get_result_store())
        return x

    @task(result_storage=LocalFileSystem(basepath=tmp_path / "task"), result_serializer="pickle")
    def loud(x: int) -> int:
        return x

    @flow(result_storage=tmp_path / "flow", result_serializer="json", persist_result=True)
    def around() -> list[Any]:
        return [quiet(1, return_state=True).data.metadata, loud(1, return_state=True).data.metadata]

    kept, overridden = around()
    assert Path(kept.storage_key).parent == tmp_path / "flow" and kept.serializer == {"type": "json"}
    assert Path(overridden.storage_key).parent == tmp_path / "task" and overridden.serializer == {
        "type": "pickle"
    }
    assert seen[0].storage == LocalFileSystem(basepath=tmp_path / "flow")


def test_settings_keep_results_where_code_says_nothing(tmp_path: Path) -> None:
    @task
    def plain(x: int) -> int:
        return x

    with temporary_settings(
        {PREFECT_TASKS_DEFAULT_PERSIST_RESULT: True, PREFECT_LOCAL_STORAGE_PATH: tmp_path / "kept"}
    ):
        assert names_of(run_twice(plain, 1)) == ["Completed", "Cached"]
        assert names_of(run_twice(plain.with_options(persist_result=False), 2)) == ["Completed", "Completed"]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_mapped_and_submitted_runs_share_results() -> None:
    runs: list[int] = []

    @task(cache_policy=INPUTS + RUN_ID)
    def square(x: int) -> int:
        runs.append(x)
        return x * x

    @flow
    def squares() -> list[int]:
        first = square.map([1, 2, 3]).result()
        return first + square.map([1, 2, 3]).result() + [square.submit(2).result()]

    assert squares() == [1, 4, 9, 1, 4, 9, 4]
    assert sorted(runs) == [1, 2, 3]


def test_async_tasks_use_results_again() -> None:
    @task(cache_policy=INPUTS)
    async def kept(x: int) -> int:
        return x

    @flow
    async def around() -> list[str]:
        return names_of([await kept(1, return_state=True) for _ in range(2)])

    assert asyncio.run(around()) == ["Completed", "Cached"]
