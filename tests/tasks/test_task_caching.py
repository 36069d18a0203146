"""Results that are kept and used again, through the options of tasks and flows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect import flow, task
from prefect.cache_policies import INPUTS, NO_CACHE, TASK_SOURCE
from prefect.client.current import get_caller
from prefect.operations.flow_runs import read_flow_run
from prefect.settings import PREFECT_HOME, temporary_settings
from prefect.tasks import task_input_hash
from recorded import flow_run_of, history_of, settled, task_run_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    with temporary_settings({PREFECT_HOME: tmp_path / "home"}):
        yield tmp_path / "home"


def counted(**options: Any) -> tuple[Any, list[Any]]:
    """Make a task that counts its runs."""
    ran: list[Any] = []

    @task(**options)
    def work(x: Any = 1) -> Any:
        ran.append(x)
        return {"x": x}

    return work, ran


CACHING = [
    {"cache_policy": INPUTS},
    {"cache_policy": INPUTS + TASK_SOURCE, "persist_result": True},
    {"cache_key_fn": task_input_hash},
    {"cache_key_fn": lambda context, parameters: f"key-{parameters['x']}"},
]


@pytest.mark.parametrize("options", CACHING)
def test_a_known_result_is_used_again(options: dict[str, Any]) -> None:
    work, ran = counted(**options)
    first, second, other = work(1, return_state=True), work(1, return_state=True), work(2, return_state=True)
    assert (first.name, second.name, other.name) == ("Completed", "Cached", "Completed")
    assert second.is_completed() and second.result() == {"x": 1}
    assert ran == [1, 2]
    assert history_of(second) == ["Pending", "Cached"]
    run = task_run_of(second)
    assert run.state_name == "Cached" and run.end_time is not None
    assert run.cache_key == task_run_of(first).cache_key


def test_cached_runs_call_completion_hooks_and_no_running_ones() -> None:
    called: list[str] = []
    hooks = {
        "on_running": [lambda t, r, s: called.append(s.name)],
        "on_completion": [lambda t, r, s: called.append(s.name)],
    }
    work, _ = counted(cache_policy=INPUTS, **hooks)
    work()
    work()
    assert called == ["Running", "Completed", "Cached"]


def test_submitted_and_async_tasks_are_cached_too() -> None:
    work, ran = counted(cache_policy=INPUTS)

    @task(cache_policy=INPUTS)
    async def awork(x: int) -> int:
        ran.append("async")
        return x

    @flow
    def around() -> Any:
        work.submit(5).wait()
        return work.submit(5, return_state=True).name, settled_state()

    def settled_state() -> str:
        awork.submit(1).wait()
        return awork.submit(1, return_state=True).name

    assert around() == ("Cached", "Cached")
    assert ran == [5, "async"]
    assert settled(awork(1, return_state=True)).name == "Cached"


def test_without_persistence_nothing_is_cached() -> None:
    work, ran = counted()
    work()
    assert work(return_state=True).name == "Completed" and len(ran) == 2
    work, ran = counted(cache_policy=NO_CACHE, persist_result=True)
    work()
    assert work(return_state=True).name == "Completed" and len(ran) == 2


def test_an_expired_result_is_made_again() -> None:
    work, ran = counted(cache_policy=INPUTS, cache_expiration=timedelta(days=1))
    work()
    assert work(return_state=True).name == "Cached"
    stale, ran = counted(cache_key_fn=lambda *_: "stale", cache_expiration=timedelta(seconds=-1))
    stale()
    assert stale(return_state=True).name == "Completed" and len(ran) == 2


def test_refreshing() -> None:
    work, ran = counted(cache_policy=INPUTS)
    work()
    assert work.with_options(refresh_cache=True)(return_state=True).name == "Completed"
    assert len(ran) == 2
    assert work(return_state=True).name == "Cached"


def test_failures_are_not_cached() -> None:
    ran = []

    @task(cache_policy=INPUTS)
    def fails() -> None:
        ran.append(1)
        raise ValueError

    fails(return_state=True)
    assert fails(return_state=True).name == "Failed" and len(ran) == 2


def test_a_storage_key_of_the_users_own() -> None:
    work, ran = counted(result_storage_key="place-{parameters[x]}", persist_result=True)
    work(1)
    assert work(1, return_state=True).name == "Cached"
    assert work(2, return_state=True).name == "Completed"
    assert ran == [1, 2]


def test_a_result_is_read_back_from_the_store() -> None:
    @task(persist_result=True)
    def work() -> Any:
        return {"a": [1, 2]}

    @flow(persist_result=True)
    def around() -> Any:
        return work()

    state = around(return_state=True)
    stored = get_caller().call(read_flow_run, flow_run_of(state).id).state
    assert stored is not None and stored.data is not None
    assert stored.result() == {"a": [1, 2]}
    of_task = work(return_state=True)
    stored = task_run_of(of_task).state
    assert stored is not None and stored.result() == {"a": [1, 2]}


def test_a_flow_that_keeps_its_results_keeps_those_of_its_tasks() -> None:
    work, _ = counted()

    @flow(persist_result=True)
    def around() -> Any:
        return work(7, return_state=True).state_details.task_run_id

    state = task_run_of(str(around())).state
    assert state is not None and state.result() == {"x": 7}


def test_a_result_that_cannot_be_kept_is_still_a_result(caplog: pytest.LogCaptureFixture) -> None:
    import threading

    lock = threading.Lock()

    @task(persist_result=True)
    def work() -> Any:
        return lock

    assert work() is lock
    assert "The result of this run is not kept" in caplog.text


@pytest.mark.processes
def test_another_process_uses_the_result(run_python: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from prefect import flow, task\n"
        "from prefect.cache_policies import INPUTS\n"
        "@task(cache_policy=INPUTS)\n"
        "def work(x):\n    print('RAN')\n    return {'x': x}\n"
        "@flow\ndef main():\n    state = work(5, return_state=True)\n    print(state.name, state.result())\n"
        "main()\n"
    )
    home = {"PREFECT_HOME": str(tmp_path / "shared")}
    assert run_python(script, env=home).stdout.split("\n")[:2] == ["RAN", "Completed {'x': 5}"]
    assert run_python(script, env=home).stdout.split("\n")[:1] == ["Cached {'x': 5}"]
