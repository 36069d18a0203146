"""Lock managers: one holder at a time, and what becomes of the locks of those that are gone."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect.exceptions import StoreUnavailable
from prefect.locking.filesystem import FileSystemLockManager
from prefect.locking.memory import MemoryLockManager
from prefect.locking.protocol import LockManager
from prefect.types import uuid7

Make = Callable[[], LockManager]


@pytest.fixture(params=["memory", "files"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryLockManager
    return lambda: FileSystemLockManager(tmp_path / "locks")


@pytest.fixture
def key() -> str:
    return f"folder/{uuid7()}"


def test_they_are_lock_managers(make: Make) -> None:
    assert isinstance(make(), LockManager)


def test_one_holder_at_a_time(make: Make, key: str) -> None:
    one, other = make(), make()
    assert one.acquire_lock(key, "a") and one.acquire_lock(key, "a")
    assert not other.acquire_lock(key, "b", acquire_timeout=0) and not other.wait_for_lock(key, timeout=0.01)
    assert other.is_locked(key) and other.is_lock_holder(key, "a") and not other.is_lock_holder(key, "b")
    with pytest.raises(ValueError, match=f"No lock held by b for transaction with key {key}"):
        one.release_lock(key, "b")
    other.release_lock(key, "a")
    assert not one.is_locked(key) and one.wait_for_lock(key) and other.acquire_lock(key, "b")
    one.release_lock(key, "b")


def test_who_waits_gets_it(make: Make, key: str) -> None:
    locks, got = make(), []
    assert locks.acquire_lock(key, "a")
    waiting = threading.Thread(target=lambda: got.append(make().acquire_lock(key, "b", acquire_timeout=30)))
    waiting.start()
    locks.release_lock(key, "a")
    waiting.join(30)
    assert got == [True] and locks.is_lock_holder(key, "b")
    locks.release_lock(key, "b")


def test_a_lock_is_free_when_its_time_is_over(make: Make, key: str) -> None:
    locks = make()
    assert locks.acquire_lock(key, "a", hold_timeout=0.01)
    assert locks.acquire_lock(key, "b", acquire_timeout=30) and not locks.is_lock_holder(key, "a")
    with pytest.raises(ValueError, match="No lock held by a"):
        locks.release_lock(key, "a")
    locks.release_lock(key, "b")


def test_async_code_waits_without_blocking_its_loop(make: Make, key: str) -> None:
    async def race() -> tuple[bool, bool, bool]:
        locks = make()
        assert await locks.aacquire_lock(key, "a")
        refused = await locks.aacquire_lock(key, "b", acquire_timeout=0.01)
        waiting = asyncio.create_task(locks.aacquire_lock(key, "b"))
        free = asyncio.create_task(locks.await_for_lock(key))
        await asyncio.sleep(0)
        locks.release_lock(key, "a")
        got = await asyncio.wait_for(waiting, 30)
        locks.release_lock(key, "b")
        return refused, got, await asyncio.wait_for(free, 30)

    assert asyncio.run(race()) == (False, True, True)


def test_a_crowd_never_shares_a_lock(make: Make, key: str) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work(holder: str) -> None:
        nonlocal inside, most
        locks = make()
        for _ in range(10):
            assert locks.acquire_lock(key, holder, acquire_timeout=50)
            with lock:
                inside, most = inside + 1, max(most, inside + 1)
            with lock:
                inside -= 1
            locks.release_lock(key, holder)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 1 and inside == 0


def test_there_is_one_manager_of_a_process() -> None:
    assert MemoryLockManager() is MemoryLockManager() is pickle.loads(pickle.dumps(MemoryLockManager()))


def test_files_are_made_when_they_are_needed_and_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "locks"
    locks = FileSystemLockManager(folder)
    assert not locks.is_locked("k") and not folder.exists()
    locks.acquire_lock("k", "a")
    content = json.loads((folder / "k.lock").read_text())
    assert (content["holder"], content["expiration"]) == ("a", None)  # what others read of it
    locks.release_lock("k", "a")
    assert not list(folder.glob("*.lock"))


@pytest.mark.parametrize("key", ["a/b", "../up", ".hidden", "x" * 500, "ä ö"], ids=list("abcde"))
def test_any_text_is_a_key(tmp_path: Path, key: str) -> None:
    locks = FileSystemLockManager(tmp_path / "locks")
    assert locks.acquire_lock(key, "a") and locks.is_lock_holder(key, "a")
    assert {path.parent for path in tmp_path.rglob("*.lock")} == {tmp_path / "locks"}
    locks.release_lock(key, "a")


def test_a_lock_of_another_implementation_is_kept_until_its_time_is_over(tmp_path: Path) -> None:
    locks = FileSystemLockManager(tmp_path)
    (tmp_path / "k.lock").write_text('{"holder":"theirs","expiration":null}')
    assert locks.is_lock_holder("k", "theirs") and not locks.acquire_lock("k", "a", acquire_timeout=0)
    (tmp_path / "k.lock").write_text('{"holder":"theirs","expiration":"2020-01-01T00:00:00+00:00"}')
    assert locks.acquire_lock("k", "a", acquire_timeout=0)


def test_a_file_that_is_being_written_is_a_lock(tmp_path: Path) -> None:
    (tmp_path / "k.lock").write_text("")
    locks = FileSystemLockManager(tmp_path)
    assert locks.is_locked("k") and not locks.acquire_lock("k", "a", acquire_timeout=0)


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"directory of locks .*file"):
        FileSystemLockManager(tmp_path / "file").acquire_lock("k", "a")


HOLD = """
import sys, time
from pathlib import Path
from prefect.locking.filesystem import FileSystemLockManager
FileSystemLockManager(Path(sys.argv[1])).acquire_lock("k", "child")
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.processes
def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    child: subprocess.Popen[Any] = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    locks = FileSystemLockManager(tmp_path)
    try:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        assert locks.is_lock_holder("k", "child") and not locks.acquire_lock("k", "a", acquire_timeout=0)
    finally:
        child.kill()
        child.communicate()
    assert locks.acquire_lock("k", "a", acquire_timeout=30) and not locks.is_lock_holder("k", "child")


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_no_locks_in_memory(key: str) -> None:
    locks = MemoryLockManager()
    assert locks.acquire_lock(key, "a")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if MemoryLockManager().acquire_lock(key, "b", acquire_timeout=0) else 1)
    deadline = time.monotonic() + 30
    while not (done := os.waitpid(pid, os.WNOHANG))[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done[0] == pid and os.waitstatus_to_exitcode(done[1]) == 0
    assert locks.is_lock_holder(key, "a")
    locks.release_lock(key, "a")
