"""Event loops of synchronous code: each thread keeps one, and closes it when it ends."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from prefect import flow


def test_a_thread_leaves_no_event_loop_open() -> None:
    heard: list[str] = []

    async def hook(_flow: Any, _run: Any, state: Any) -> None:
        heard.append(state.name)

    @flow(on_completion=[hook])
    def nothing() -> None:
        pass

    thread = threading.Thread(target=nothing)
    thread.start()
    thread.join()
    gc.collect()  # an open loop warns when it is collected, and warnings are errors here

    assert heard == ["Completed"]


GIVEN_UP = """
import asyncio
import threading
from prefect import flow, task

begun = threading.Event()

@task
async def stuck():
    begun.set()
    await asyncio.sleep(600)

def main():
    stuck.submit().result()

for seconds in (0.1, 1, 5, 25):
    state = flow(main, timeout_seconds=seconds)(return_state=True)
    if begun.is_set():
        break
print(state.name, begun.is_set())
"""


@pytest.mark.processes
def test_a_program_ends_quietly_while_a_loop_that_was_given_up_still_runs(
    run_python: Callable[..., CompletedProcess[str]],
) -> None:
    done = run_python("-c", GIVEN_UP)
    assert done.stdout.strip() == "TimedOut True"
    assert "ignored" not in done.stderr
