"""Where the system gives no more threads, tasks go on, and what they tell comes a little later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import remote_tasks as remote
from prefect import flow, get_run_logger, runtime, task
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.filters import LogFilter
from prefect.schemas.objects import TaskRun, TaskRunRecord
from prefect.schemas.queries import LogQuery
from prefect.task_runners import ProcessPoolTaskRunner

pytestmark = pytest.mark.timeout(200)


@contextmanager
def no_threads() -> Iterator[None]:
    """Have the system refuse threads: nowhere is there room for so large a stack."""
    before = threading.stack_size(1 << 60)
    try:
        yield
    finally:
        threading.stack_size(before)


@pytest.mark.processes
def test_a_task_that_logs_goes_on(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    @task
    def speak() -> str:
        with no_threads():
            get_run_logger().info("without")
        get_run_logger().info("with")
        remote.wait_until(heard.exists)
        return "done"

    def logged() -> list[str]:
        get_recorder().flush()
        of_run = LogFilter(flow_run_id={"any_": [runtime.flow_run.id]})
        return [log.message for log in get_caller().call(read_logs, LogQuery(logs=of_run))]

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def main() -> str:
        speaking = speak.submit()
        remote.wait_until(lambda: speaking.done() or {"without", "with"} <= set(logged()))
        heard.touch()
        return speaking.result()

    assert main() == "done"


def test_a_task_on_ray_is_run_though_it_cannot_be_told_of() -> None:
    from prefect.task_runners.ray.notices import Mailbox, show

    record = TaskRunRecord(run=TaskRun(task_key="t", dynamic_key="0", name="t-0"), states=[])
    show_run = show("a mailbox")
    with no_threads():
        show_run(record, lambda: None)
        show_run(None, lambda: None)
        Mailbox("a mailbox", lambda _: None).close()
    show_run(record, lambda: None)
    show_run(None, lambda: None)
    assert any(thread.name == "prefect-ray-notices" for thread in threading.enumerate())
