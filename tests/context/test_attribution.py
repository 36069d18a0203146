"""Whoever asks, at whatever moment, is told of its own run: a thousand runs at once read no wrong value.

Every flow run has a number. All that it reads and leaves behind (facts, tags, logs, task runs), in whatever
thread, process or coroutine of it, must bear that number.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain
from typing import Any

import pytest

from prefect import flow, get_run_logger, tags, task
from prefect.client.current import get_caller
from prefect.context import FlowRunContext, TagsContext, with_context
from prefect.exceptions import MissingContextError
from prefect.operations import read_flow_runs, read_logs, read_task_runs
from prefect.recorder import get_recorder
from prefect.runtime import flow_run, task_run
from prefect.schemas.queries import FlowRunQuery, LogQuery, TaskRunQuery
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect.testing import prefect_test_harness

RUNS = int(os.environ.get("PROCONSUL_ATTRIBUTION_RUNS", "200"))
"""How many runs there are at once; a thousand take a minute or two."""
KINDS = ("thread", "asyncio", "runner", "own pool")
pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with prefect_test_harness():
        yield


def look(number: int, *, in_task: bool = False) -> list[str]:
    """Log, and return what is wrong here for code of the run with this number."""
    get_run_logger().info("from %s", number)
    wrong = []
    for what, found, wanted in (
        ("name", flow_run.name, f"run-{number}"),
        ("parameters", flow_run.parameters.get("number"), number),
        ("tags", [tag for tag in flow_run.tags if tag.startswith("n-")], [f"n-{number}"]),
        ("current tags", sorted(TagsContext.get().current_tags), [f"n-{number}"]),
        ("task name", task_run.name, f"task-{number}" if in_task else None),
        ("flow of the task", task_run.flow_run_id, flow_run.id if in_task else None),
    ):
        if found != wanted:
            wrong.append(f"{what} of run {number}: {found!r}")
    return wrong


def look_in_process(number: int) -> list[str]:
    return look(number)


@task(task_run_name="task-{number}")
def looks(number: int) -> list[str]:
    return look(number, in_task=True)


@task(task_run_name="task-{number}")
async def looks_async(number: int) -> list[str]:
    wrong = look(number, in_task=True)
    await asyncio.sleep(0)
    return wrong + look(number, in_task=True)


def look_in_bare_thread(number: int) -> list[str]:
    """Return what a thread without a context makes of it: nothing, or what is right."""
    found: list[str] = []

    def bare() -> None:
        if flow_run.name not in (None, f"run-{number}"):
            found.append(f"bare thread of run {number}: {flow_run.name}")
        try:
            get_run_logger()
        except MissingContextError:
            return

    thread = threading.Thread(target=bare)
    thread.start()
    thread.join()
    return found


@flow(flow_run_name="run-{number}", task_runner=ThreadPoolTaskRunner(max_workers=4))
def in_threads(number: int) -> list[str]:
    wrong = look(number) + looks(number) + look_in_bare_thread(number)
    for future in [looks.submit(number) for _ in range(2)]:
        wrong += future.result()
    return wrong + look(number)


@flow(flow_run_name="run-{number}")
def in_own_pool(number: int) -> list[str]:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(with_context(look), [number] * 3))
    return [*chain(*found), *looks(number), *look(number)]


@flow(flow_run_name="run-{number}")
async def in_asyncio(number: int) -> list[str]:
    wrong = look(number)
    for found in await asyncio.gather(*(looks_async(number) for _ in range(3))):
        wrong += found
    return wrong + await asyncio.to_thread(look, number)


def run_sync(number: int) -> list[str]:
    flow = in_own_pool if KINDS[number % 4] == "own pool" else in_threads
    with tags(f"n-{number}"):
        wrong: list[str] = flow(number)
    return wrong + (["context left behind"] if FlowRunContext.get() is not None else [])


async def run_async(number: int, limit: asyncio.Semaphore) -> list[str]:
    async with limit:
        with tags(f"n-{number}"):
            return await in_asyncio(number)


async def run_all_async(numbers: list[int]) -> list[str]:
    limit = asyncio.Semaphore(100)
    found = await asyncio.gather(*(run_async(number, limit) for number in numbers))
    return list(chain(*found))


def recorded(read: Any, query: type[Any]) -> list[Any]:
    found: list[Any] = []
    while page := get_caller().call(read, query(limit=200, offset=len(found))):
        found += page
    return found


def check_records(numbers: list[int], logs_of: dict[str, int], tasks_of: dict[str, int]) -> None:
    """Check that what was recorded belongs to the run whose number it bears."""
    get_recorder().flush()
    runs = {run.id: run.name.removeprefix("run-") for run in recorded(read_flow_runs, FlowRunQuery)}
    assert sorted(runs.values()) == sorted(map(str, numbers))
    logged: Counter[str] = Counter()
    for log in recorded(read_logs, LogQuery):
        if log.message.startswith("from "):
            assert log.message == f"from {runs[log.flow_run_id]}"
            logged[runs[log.flow_run_id]] += 1
    counted: Counter[str] = Counter()
    for run in recorded(read_task_runs, TaskRunQuery):
        assert run.name == f"task-{runs[run.flow_run_id]}"
        assert run.tags == [f"n-{runs[run.flow_run_id]}"]
        counted[runs[run.flow_run_id]] += 1
    assert logged == logs_of
    assert counted == tasks_of


def test_runs_in_threads_and_coroutines_at_once_read_no_wrong_value() -> None:
    numbers = list(range(RUNS))
    of_asyncio = [number for number in numbers if KINDS[number % 4] == "asyncio"]
    of_threads = [number for number in numbers if number not in of_asyncio]
    with ThreadPoolExecutor(25) as threads:
        loop = threads.submit(asyncio.run, run_all_async(of_asyncio))
        wrong = [*chain(*threads.map(run_sync, of_threads)), *loop.result()]
    assert wrong == []
    logs_of, tasks_of = {}, {}
    for number in numbers:
        kind = KINDS[number % 4]
        logs_of[str(number)] = {"asyncio": 8, "own pool": 5}.get(kind, 5)
        tasks_of[str(number)] = {"own pool": 1}.get(kind, 3)
    check_records(numbers, logs_of, tasks_of)


@flow(flow_run_name="run-{number}", task_runner=ProcessPoolTaskRunner(max_workers=1))
def in_process_runner(number: int) -> list[str]:
    return looks.submit(number).result() + look(number)


@pytest.mark.processes
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_runs_that_share_processes_read_no_wrong_value() -> None:
    numbers = list(range(RUNS // 4))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("forkserver")) as pool:

        @flow(flow_run_name="run-{number}")
        def in_processes(number: int) -> list[str]:
            work = with_context(look_in_process)
            found = [pool.submit(work, number) for _ in range(2)]
            return [*chain(*(future.result() for future in found)), *look(number)]

        def run(number: int) -> list[str]:
            with tags(f"n-{number}"):
                return in_processes(number)

        with ThreadPoolExecutor(8) as threads:
            wrong = list(chain(*threads.map(run, numbers)))
    assert wrong == []
    check_records(numbers, {str(number): 3 for number in numbers}, {})


@pytest.mark.processes
def test_runs_with_runners_of_processes_read_no_wrong_value() -> None:
    numbers = list(range(2))

    def run(number: int) -> list[str]:
        with tags(f"n-{number}"):
            return in_process_runner(number)

    with ThreadPoolExecutor(2) as threads:
        assert list(chain(*threads.map(run, numbers))) == []
    check_records(numbers, {str(number): 2 for number in numbers}, {str(number): 1 for number in numbers})
