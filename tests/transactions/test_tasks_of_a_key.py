"""`SERIALIZABLE`: of the runs of one key one computes, and the others wait for its result."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.locking.filesystem import FileSystemLockManager
from prefect.locking.memory import MemoryLockManager
from prefect.locking.protocol import LockManager
from prefect.results import ResultStore
from prefect.transactions import IsolationLevel, get_transaction, transaction

Make = Callable[[], LockManager]


@pytest.fixture(params=["memory", "files"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryLockManager
    return lambda: FileSystemLockManager(tmp_path / "locks")


def test_threads_that_want_one_key_compute_it_once(make: Make) -> None:
    began, both = threading.Event(), threading.Event()
    ran: list[int] = []

    @task(cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=make()))
    def slow(x: int) -> int:
        ran.append(x)
        began.set()
        assert both.wait(30)
        return x * 2

    @flow
    def around() -> list[Any]:
        first = slow.submit(1)
        assert began.wait(30)
        others = [slow.submit(1) for _ in range(3)]
        both.set()
        return [future.state.name for future in (first, *others) if future.result() == 2]

    assert around() == ["Completed", "Cached", "Cached", "Cached"] and ran == [1]
    assert not make().is_locked(INPUTS.compute_key(None, {"x": 1}, {}) or "")


def test_asyncio_tasks_that_want_one_key_compute_it_once(make: Make) -> None:
    ran: list[int] = []

    @task(cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=make()))
    async def slow(x: int) -> int:
        ran.append(x)
        await asyncio.sleep(0.01)
        return x * 2

    @flow
    async def around() -> list[int]:
        return await asyncio.gather(*(slow(1) for _ in range(4)))

    assert asyncio.run(around()) == [2, 2, 2, 2] and ran == [1]


def test_who_waits_computes_it_if_the_first_one_fails(make: Make) -> None:
    ran: list[int] = []
    began, both = threading.Event(), threading.Event()

    @task(cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=make()))
    def flaky(x: int) -> int:
        ran.append(x)
        began.set()
        assert both.wait(30)
        if len(ran) == 1:
            raise ValueError("first")
        return x

    @flow
    def around() -> list[str]:
        first = flaky.submit(5)
        assert began.wait(30)
        other = flaky.submit(5)
        both.set()
        first.wait()
        other.wait()
        return [first.state.name, other.state.name]

    assert around(return_state=True).is_completed() and ran == [5, 5]


def test_a_retry_keeps_the_lock(make: Make) -> None:
    seen: list[bool] = []

    @task(retries=1, cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=make()))
    def flaky(x: int) -> int:
        txn = get_transaction()
        assert txn is not None and txn.store is not None and txn.key is not None
        seen.append(txn.store.is_lock_holder(txn.key, txn.holder))
        if len(seen) == 1:
            raise ValueError("first")
        return x

    assert flow(lambda: flaky(1), name="around")() == 1 and seen == [True, True]


def test_a_task_without_a_lock_manager_fails_and_says_so() -> None:
    @task(cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE"))
    def alone(x: int) -> int:
        return x

    state = alone(1, return_state=True)
    assert state.is_failed() and "lock manager" in (state.message or "")


def test_tasks_of_one_key_within_one_transaction_do_not_wait_for_each_other(make: Make) -> None:
    locks = make()

    @task(cache_policy=INPUTS.configure(isolation_level="SERIALIZABLE", lock_manager=locks))
    def work(x: int) -> int:
        return x

    @flow
    def around() -> list[int]:
        store = ResultStore(lock_manager=locks)
        with transaction(key="all", store=store, isolation_level=IsolationLevel.SERIALIZABLE):
            results = [work(7), work(7)]
            with transaction(key="all", store=store):
                pass
        assert not store.is_locked("all")
        return results

    assert around() == [7, 7]


def test_a_transaction_lends_its_locks_to_tasks_within() -> None:
    @task
    def work() -> str:
        return "data"

    @flow
    def around() -> str:
        store = ResultStore(lock_manager=MemoryLockManager())
        with transaction(key="lends", store=store, isolation_level=IsolationLevel.SERIALIZABLE):
            return work()

    assert around() == "data"


CHILD = """
import sys, time
from pathlib import Path
from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.locking.filesystem import FileSystemLockManager

folder = Path(sys.argv[1])
locks = FileSystemLockManager(folder / "locks")
policy = INPUTS.configure(
    key_storage=folder / "keys", isolation_level="SERIALIZABLE", lock_manager=locks
)

@task(cache_policy=policy, result_storage=folder / "results")
def compute(x):
    with (folder / "computed").open("a") as file:
        file.write("x")
    end = time.monotonic() + 60
    while not (folder / "go").exists() and time.monotonic() < end:
        time.sleep(0.01)
    return x * 2

@flow
def around():
    state = compute(21, return_state=True)
    print(state.name, state.result())

print("ready", flush=True)
around()
"""


@pytest.mark.processes
def test_processes_that_want_one_key_compute_it_once(tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PREFECT_HOME": str(tmp_path / f"home{number}"), "PREFECT_LOGGING_LEVEL": "CRITICAL"},
        )
        for number in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
        (tmp_path / "go").touch()
        answers = sorted(child.communicate(timeout=55)[0] for child in children)
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert answers == ["Cached 42\n", "Completed 42\n"]
    assert (tmp_path / "computed").read_text() == "x"
