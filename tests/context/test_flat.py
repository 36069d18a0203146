"""However much is run, threads and open files stay as they were."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from prefect import flow, tags, task
from prefect.recorder import get_recorder
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.testing import prefect_test_harness

FILES = "/proc/self/fd"
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.path.isdir(FILES), reason="open files cannot be counted here"),
]


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with prefect_test_harness():
        yield


@task(tags=["tagged"])
def sync_task(number: int) -> int:
    return number


@task(tags=["tagged"])
async def async_task(number: int) -> int:
    await asyncio.sleep(0)
    return number


@flow
def inner(number: int) -> int:
    return sync_task(number)


@flow
async def many_async(count: int) -> int:
    with tags("more"):
        return sum(await asyncio.gather(*(async_task(number) for number in range(count))))


@flow(task_runner=ThreadPoolTaskRunner(max_workers=8))
def many_submitted(count: int) -> int:
    return sum(future.result() for future in [sync_task.submit(number) for number in range(count)])


@flow
def many_nested(count: int) -> int:
    return sum(inner(number) for number in range(count))


def open_now() -> tuple[int, int]:
    get_recorder().flush()
    return threading.active_count(), len(os.listdir(FILES))


@pytest.mark.parametrize(
    ("run", "count"),
    [
        pytest.param(lambda count: asyncio.run(many_async(count)), 1_000, id="1,000 async tasks"),
        pytest.param(many_submitted, 1_000, id="1,000 submitted tasks"),
        pytest.param(many_nested, 200, id="200 nested flows"),
    ],
)
def test_threads_and_open_files_stay_as_they_were(run: Callable[[int], int], count: int) -> None:
    run(2)  # what is made once is there now
    threads, files = open_now()
    assert run(count) == sum(range(count))
    deadline = time.monotonic() + 90
    while True:
        after, files_after = open_now()
        # The threads that wait for the store are as many as were needed at once, and stay.
        if (after <= threads + 3 and files_after <= files + 3) or time.monotonic() > deadline:
            break
        time.sleep(0.05)  # threads of a runner end when they have heard that it is closed
    assert after <= threads + 3
    assert files_after <= files + 3
