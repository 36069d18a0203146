"""Forks many times in the middle of a flow whose threads work, log and read; run by `test_forks.py`.

Usage: forks_under_load.py FORKS
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings

from prefect import flow, get_run_logger, task
from prefect.recorder import get_recorder
from prefect.runtime import flow_run

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks with threads
FORKS = int(sys.argv[1])
SECONDS = 30.0
over = threading.Event()


@task
def in_parent(number: int) -> int:
    get_run_logger().info("parent %s", number)
    return number


@task
def in_child(number: int) -> int:
    get_run_logger().info("child %s of %s", number, flow_run.name)
    return number


@task
def busy() -> int:
    count = 0
    while not over.is_set():
        in_parent(count)
        count += 1
        time.sleep(0.003)
    return count


def wait_for(child: int) -> int:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError(f"A child hung for {SECONDS} seconds.")


def fork_once(number: int) -> None:
    child = os.fork()
    if child:
        code = wait_for(child)
        assert code == 7, f"child {number} ended with {code}"
        return
    assert in_child(number) == number
    if number % 2:
        assert in_child.submit(number).result() == number
        get_recorder().flush()
        os._exit(7)
    sys.exit(7)


@task
def forks_in_thread(numbers: list[int]) -> None:
    for number in numbers:
        fork_once(number)


@flow(flow_run_name="forking")
def forking() -> int:
    workers = [busy.submit() for _ in range(3)]
    forker = forks_in_thread.submit(list(range(0, FORKS, 4)))
    for number in range(FORKS):
        if number % 4:
            fork_once(number)
    forker.result()
    over.set()
    return sum(worker.result() for worker in workers)


if __name__ == "__main__":
    print(forking())
