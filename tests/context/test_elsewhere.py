"""Wherever the code of a run does its work, it is that run's: one contract for threads and processes.

Facts, tags and settings are right there; logs and prints arrive at the run; tasks that are called there are
task runs of its flow run.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import joblib
import pytest

import prefect
from prefect import flow, tags, task
from prefect.client.current import get_caller
from prefect.context import child_environment, with_context
from prefect.operations import read_logs
from prefect.recorder import get_recorder
from prefect.runtime import flow_run, task_run
from prefect.schemas.queries import LogQuery
from prefect.settings import temporary_settings
from prefect.testing import prefect_test_harness
from recorded import flow_run_of, task_runs_of
from work_elsewhere import send, work

Work = Callable[[str], dict[str, Any]]
PLACE = "elsewhere"
PROGRAM = Path(__file__).parents[1] / "work_elsewhere.py"


def in_thread(fn: Work) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(fn(PLACE)))
    thread.start()
    thread.join()
    return found[0]


def in_thread_pool(fn: Work) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(fn, PLACE).result()


def in_to_thread(fn: Work) -> Any:
    async def run() -> Any:
        return await asyncio.to_thread(work, PLACE)  # it copies the context by itself

    return asyncio.run(run())


def in_loop_executor(fn: Work) -> Any:
    async def run() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, fn, PLACE)

    return asyncio.run(run())


def in_anyio_group(fn: Work) -> Any:
    found: list[Any] = []

    async def member() -> None:
        found.append(await anyio.to_thread.run_sync(work, PLACE))

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(member)

    anyio.run(run)
    return found[0]


def in_process(method: str) -> Callable[[Work], Any]:
    def launch(fn: Work) -> Any:
        context = multiprocessing.get_context(method)
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=send, args=(sender, fn, PLACE))
        process.start()
        sender.close()
        try:
            return receiver.recv()
        finally:
            process.join()

    return launch


def in_pool(method: str) -> Callable[[Work], Any]:
    def launch(fn: Work) -> Any:
        with multiprocessing.get_context(method).Pool(1) as pool:
            return pool.map(fn, [PLACE])[0]

    return launch


def in_executor(method: str) -> Callable[[Work], Any]:
    def launch(fn: Work) -> Any:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            return pool.submit(fn, PLACE).result()

    return launch


def in_joblib(backend: str) -> Callable[[Work], Any]:
    def launch(fn: Work) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib's own
            return joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(fn)(PLACE) for _ in range(1))[0]

    return launch


def in_program(fn: Work) -> Any:
    done = subprocess.run(
        [sys.executable, PROGRAM, PLACE],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(prefect.__file__).parents[1])]),
            "PREFECT_LOGGING_TO_CONSOLE_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "INFO",
            **child_environment(),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stderr.splitlines()[-1])


HERE = {
    "thread": in_thread,
    "thread pool": in_thread_pool,
    "asyncio.to_thread": in_to_thread,
    "run_in_executor": in_loop_executor,
    "anyio task group": in_anyio_group,
    "joblib threading": in_joblib("threading"),
}
AWAY = {
    f"{name} {method}": make(method)
    for name, make in (("process", in_process), ("pool", in_pool), ("executor", in_executor))
    for method in ("fork", "spawn", "forkserver")
} | {
    "joblib loky": in_joblib("loky"),
    "joblib multiprocessing": in_joblib("multiprocessing"),
    "program": in_program,
}


@pytest.fixture(autouse=True)
def harness():
    with prefect_test_harness():
        yield


places = pytest.mark.parametrize(
    "name", [*HERE, *(pytest.param(name, marks=pytest.mark.processes) for name in AWAY)]
)
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def messages_of(run_id: str | None) -> dict[str, Any]:
    get_recorder().flush()
    logs = get_caller().call(read_logs, LogQuery())
    assert {str(log.flow_run_id) for log in logs} == {run_id}
    return {log.message: log.task_run_id and str(log.task_run_id) for log in logs}


@places
def test_the_work_of_a_flow(name: str) -> None:
    launch = (HERE | AWAY)[name]
    seen: dict[str, Any] = {}

    @flow(flow_run_name="brave-otter", log_prints=True)
    def my_flow(x: int) -> None:
        seen["here"] = work("here")
        seen["there"] = launch(with_context(work))

    with tags("a", "b"), temporary_settings({"PREFECT_LOGGING_TO_API_MAX_LOG_SIZE": 12345}):
        state = my_flow(1, return_state=True)
    run = flow_run_of(state)
    here, there = seen["here"], seen["there"]
    assert there.pop("has live context") == (name in HERE)
    assert here.pop("has live context") is True
    assert there == here
    assert here["flow run"] == [str(run.id), "brave-otter", "my-flow", {"x": 1}, ["a", "b"]]
    assert (here["task run"], here["task run after"]) == ([None, None, 0], None)
    assert (here["tags"], here["setting"], here["helper"]) == (["a", "b"], 12345, str(run.id))
    first, second = task_runs_of(run.id)
    assert (first.state_name, second.state_name) == ("Completed", "Completed")
    assert first.tags == second.tags == ["a", "b"]
    messages = messages_of(str(run.id))
    assert messages["work at elsewhere"] is None
    assert messages["helper at elsewhere"] == str(second.id)
    assert ("printed at elsewhere" in messages) == (name != "program")  # whose output is its own


@pytest.mark.parametrize(
    "name",
    [
        "thread",
        "asyncio.to_thread",
        *(
            pytest.param(name, marks=pytest.mark.processes)
            for name in ("process fork", "executor spawn", "joblib loky", "program")
        ),
    ],
)
def test_the_work_of_a_task(name: str) -> None:
    launch = (HERE | AWAY)[name]
    seen: dict[str, Any] = {}

    @task(task_run_name="busy-bee", log_prints=True)
    def my_task() -> str | None:
        seen["here"] = work("here")
        seen["there"] = launch(with_context(work))
        return task_run.id

    @flow
    def my_flow() -> str | None:
        with tags("t"):
            return my_task.submit().result()

    state = my_flow(return_state=True)
    task_run_id = state.result()
    here, there = seen["here"], seen["there"]
    assert there.pop("has live context") == (name in HERE)
    assert here.pop("has live context") is True
    assert there == here
    assert here["task run"] == [task_run_id, "busy-bee", 1]
    assert here["task run after"] == task_run_id
    assert here["tags"] == ["t"]
    run_id = flow_run_of(state).id
    runs = task_runs_of(run_id)
    assert len(runs) == 3
    assert {run.flow_run_id for run in runs} == {run_id}
    messages = messages_of(str(run_id))
    assert messages["work at elsewhere"] == task_run_id
    assert messages["helper at elsewhere"] in {str(run.id) for run in runs} - {task_run_id}
    if name != "program":
        assert messages["printed at elsewhere"] == task_run_id


def test_a_flow_called_elsewhere_is_nested_in_the_run_and_no_part_of_the_task() -> None:
    seen: list[Any] = []

    @flow
    def inner() -> None:
        seen.append((flow_run.parent_flow_run_id, flow_run.root_flow_run_id, task_run.id))

    @task
    def my_task() -> None:
        serialized = prefect.context.serialize_context()
        with prefect.context.hydrated_context({**serialized, "process": "another"}):
            inner()

    @flow
    def outer() -> str | None:
        my_task()
        return flow_run.id

    run_id = outer()
    assert seen == [(run_id, run_id, None)]
