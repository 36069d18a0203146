"""What is done when a task has ended may have more done by the same task runner."""

from __future__ import annotations

from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow
from prefect.context import with_context
from prefect.task_runners import ThreadPoolTaskRunner

pytestmark = pytest.mark.timeout(200)


def test_a_done_callback_submits_more_than_there_is_room_for(kind, runner):
    """The thread that calls it is the one that makes room: it would wait for itself."""
    count = 2_100 if kind == "ray" else 1_100
    submitted: list[Any] = []
    if isinstance(runner, ThreadPoolTaskRunner):
        runner = type(runner)(max_workers=1)

    def submit_many(_: object) -> None:
        submitted.extend(remote.same.submit(n) for n in range(count))

    @flow(task_runner=runner)
    def main() -> None:
        first = remote.same.submit(-1)
        first.add_done_callback(with_context(submit_many))
        first.wait()

    main()
    assert [future.result() for future in submitted] == list(range(count))
