"""Processes that are told to end, or are killed, while runs are under way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.timeout(150), pytest.mark.processes]

HEAD = """
import asyncio, json, os, signal, sys, threading, time
from prefect import flow, task
from prefect.states import Completed

def hook(flow, run, state):
    print("HOOK", state.name, flush=True)

def ready():
    print("READY", flush=True)

@task
def stuck():
    ready()
    time.sleep(600)

@task
def quick(): ...

@task
async def astuck():
    ready()
    await asyncio.sleep(600)

HOOKS = dict(on_crashed=[hook], on_failure=[hook], on_completion=[hook])
"""
REPORT = """
import json, sys
from datetime import datetime
from prefect.client.current import get_caller
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.task_runs import read_task_runs
from prefect.schemas.sorting import FlowRunSort, TaskRunSort
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
client = get_caller()
told = lambda runs: sorted([run.name.rpartition("-")[0] if kind == "task" else "flow", run.state_name,
                            run.state.message, run.end_time is not None]
                           for run in runs if run.expected_start_time >= since)
since = datetime.fromisoformat(sys.argv[1])
kind = "flow"
flows = told(client.call(read_flow_runs, FlowRunQuery(sort=FlowRunSort.START_TIME_DESC)))
kind = "task"
tasks = told(client.call(read_task_runs, TaskRunQuery(sort=TaskRunSort.EXPECTED_START_TIME_DESC)))
print(json.dumps([flows, tasks]))
"""


class Ended:
    """A process that has ended.

    Args:
        status: Its exit status.
        output: What it printed.
        was_quick: Whether it ended soon once it was told to: in not much more time than its start took, which
            takes a busy machine longer.
        home: Its home.
        since: When it was started: what was recorded before is others'.
    """

    def __init__(self, status: int, output: str, was_quick: bool, home: Path, since: datetime) -> None:
        self.status = status
        self.output = output
        self.was_quick = was_quick
        self._home = home
        self._since = since

    def recorded(self) -> tuple[list[Any], list[Any]]:
        """Return name, state, message and whether there is an end time: of flow runs and of task runs."""
        done = subprocess.run(
            [sys.executable, "-c", REPORT, self._since.isoformat()],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PREFECT_HOME": str(self._home)},
        )
        flows, tasks = json.loads(done.stdout)
        return flows, tasks


@pytest.fixture
def interrupt(tmp_path: Path) -> Callable[..., Ended]:
    """Run a script, send it a signal when it says READY often enough, and wait for its end."""

    def run(body: str, number: int | None, ready: int = 1) -> Ended:
        home, since, started = tmp_path / "home", datetime.now(UTC), time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-c", HEAD + body],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PREFECT_HOME": str(home), "PYTHONFAULTHANDLER": "1"},
        )
        output = ""
        assert child.stdout is not None
        try:
            while output.count("READY") < ready:
                text = child.stdout.readline()
                assert text, output
                output += text
            told = time.monotonic()
            if number is not None:
                time.sleep(0.05)  # let the main thread get to where it waits
                child.send_signal(number)
            output += child.communicate(timeout=60)[0]
            was_quick = time.monotonic() - told < 3 + 3 * (told - started)
            return Ended(child.returncode, output, was_quick, home, since)
        finally:
            child.kill()

    return run


BODIES = {
    "body": ("@flow(**HOOKS)\ndef main():\n    ready()\n    time.sleep(600)\nmain()", []),
    "task": ("@flow(**HOOKS)\ndef main():\n    stuck()\nmain()", ["stuck"]),
    "submitted": ("@flow(**HOOKS)\ndef main():\n    stuck.submit().result()\nmain()", ["stuck"]),
    "left": ("@flow(**HOOKS)\ndef main():\n    stuck.submit()\nmain()", ["stuck"]),
    "failed": ("@flow(**HOOKS)\ndef main():\n    stuck.submit()\n    1/0\nmain()", ["stuck"]),
    "timeout": ("@flow(timeout_seconds=600, **HOOKS)\ndef main():\n    stuck()\nmain()", ["stuck"]),
    "retry": (
        "@flow(retries=1, retry_delay_seconds=600, **HOOKS)\ndef main():\n    ready()\n    1/0\nmain()",
        [],
    ),
    "task-retry": (
        "@task(retries=1, retry_delay_seconds=600)\ndef flaky():\n    ready()\n    1/0\n"
        "@flow(**HOOKS)\ndef main():\n    flaky()\nmain()",
        ["flaky"],
    ),
    "async": (
        "@flow(**HOOKS)\nasync def main():\n    await asyncio.gather(astuck(), astuck())\n"
        "asyncio.run(main())",
        ["astuck", "astuck"],
    ),
    "async-submitted": (
        "@flow(**HOOKS)\nasync def main():\n    stuck.submit()\n    await asyncio.sleep(600)\n"
        "asyncio.run(main())",
        ["stuck"],
    ),
    "async-left": ("@flow(**HOOKS)\nasync def main():\n    stuck.submit()\nasyncio.run(main())", ["stuck"]),
    "async-upstream": (
        "begun = threading.Event()\n@task(name='stuck')\ndef held():\n    begun.set()\n    time.sleep(600)\n"
        "@task\nasync def after(x): ...\n"
        "@flow(**HOOKS)\nasync def main():\n    future = held.submit()\n    begun.wait()\n"
        "    asyncio.get_running_loop().call_soon(ready)  # `after` has begun to wait by then\n"
        "    await after(future)\nasyncio.run(main())",
        ["after", "stuck"],
    ),
}


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, signal.SIGTERM) for name in BODIES]
    + [(name, signal.SIGINT) for name in ("body", "submitted", "left", "retry", "async", "async-left")],
)
def test_a_process_that_is_told_to_end(interrupt: Callable[..., Ended], name: str, number: int) -> None:
    body, tasks = BODIES[name]
    ended = interrupt(body, number, ready=2 if name == "async" else 1)
    assert ended.was_quick, ended.output
    assert ended.status in (-number, 128 + number), ended.output
    assert ended.output.count("HOOK") == 1 and "HOOK Crashed" in ended.output, ended.output
    flows, task_runs = ended.recorded()
    assert [(state, has_end) for _, state, _, has_end in flows] == [("Crashed", True)]
    if tasks is not None:
        assert [(run, state, end) for run, state, _, end in task_runs] == [
            (run, "Crashed", True) for run in tasks
        ]


def test_messages_say_what_happened(interrupt: Callable[..., Ended]) -> None:
    flows, tasks = interrupt(BODIES["task"][0], signal.SIGINT).recorded()
    assert flows[0][2] == tasks[0][2] == "Execution was aborted by a keyboard interrupt."


def test_nested_flows_crash_from_the_inside_out(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt(
        "@flow(**HOOKS)\ndef inner():\n    stuck.submit().result()\n"
        "@flow(**HOOKS)\ndef main():\n    inner()\nmain()",
        signal.SIGTERM,
    )
    assert ended.output.count("HOOK Crashed") == 2
    flows, tasks = ended.recorded()
    assert [flow[1] for flow in flows] == ["Crashed", "Crashed"]
    assert {(run, state) for run, state, *_ in tasks} == {("inner", "Crashed"), ("stuck", "Crashed")}


def test_sys_exit_in_a_flow_keeps_its_status(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt("@flow(**HOOKS)\ndef main():\n    quick()\n    ready()\n    sys.exit(3)\nmain()", None)
    assert ended.status == 3
    flows, tasks = ended.recorded()
    assert flows == [["flow", "Crashed", "Execution was aborted by Python system exit call.", True]]
    assert [task[:2] for task in tasks] == [["quick", "Completed"]]


def test_a_program_may_catch_the_interruption(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt(
        "@flow\ndef main():\n    stuck()\n"
        "try:\n    main()\nexcept KeyboardInterrupt:\n    print('CAUGHT')\n"
        "@flow\ndef after():\n    return quick.submit().result()\nafter()",
        signal.SIGINT,
    )
    assert ended.status == 0 and "CAUGHT" in ended.output
    assert sorted(flow[1] for flow in ended.recorded()[0]) == ["Completed", "Crashed"]


@pytest.mark.embedded
def test_a_killed_processs_runs_crash_when_the_store_is_next_opened(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt(
        "@flow(**HOOKS)\ndef main():\n    quick()\n    stuck.submit()\n    time.sleep(600)\nmain()",
        signal.SIGKILL,
    )
    assert ended.status == -signal.SIGKILL and "HOOK" not in ended.output
    flows, tasks = ended.recorded()
    assert [(state, has_end) for _, state, _, has_end in flows] == [("Crashed", True)]
    assert all(state in ("Completed", "Crashed") and end for _, state, _, end in tasks)


def test_a_task_without_a_flow(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt("stuck()", signal.SIGINT)
    assert ended.status == -signal.SIGINT, ended.output
    assert [task[:2] for task in ended.recorded()[1]] == [["stuck", "Crashed"]]


def test_tasks_submitted_outside_of_flows_end_before_the_process_does(
    interrupt: Callable[..., Ended],
) -> None:
    ended = interrupt(
        "@task\ndef last():\n    time.sleep(0.2)\n    print('LAST')\nlast.submit()\nready()", None
    )
    assert ended.status == 0 and "LAST" in ended.output
    assert [task[:2] for task in ended.recorded()[1]] == [["last", "Completed"]]


def test_but_nobody_waits_for_them_after_an_interruption(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt("stuck.submit().result()", signal.SIGINT)
    assert ended.status == -signal.SIGINT and ended.was_quick
    assert [task[:2] for task in ended.recorded()[1]] == [["stuck", "Crashed"]]


def test_a_flow_is_run_by_a_program_that_starts_no_threads_any_more(interrupt: Callable[..., Ended]) -> None:
    ended = interrupt(
        """
import atexit

@flow
def last():
    quick()
    ready()

def start(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")

atexit.register(last)
atexit.register(setattr, threading.Thread, "start", start)  # Python 3.12 does that by itself
""",
        None,
    )
    assert ended.status == 0, ended.output
    flows, tasks = ended.recorded()
    assert [run[1] for run in flows] == [run[1] for run in tasks] == ["Completed"]
