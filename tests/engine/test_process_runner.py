"""Tasks in processes. Each test starts some, so they are few and each looks at much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(55), pytest.mark.processes]

SCRIPT = """
import os, signal, sys, threading
from prefect import flow, get_run_logger, task, unmapped
from prefect.context import FlowRunContext
from prefect.exceptions import UnfinishedRun
from prefect.futures import as_completed
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ProcessPoolTaskRunner
from recorded import history_of, task_run_of, task_runs_of

@task
def same(x): return x

@task
def fail(): raise KeyError("in the child")

@task(tags=["t"], log_prints=True)
def look(x):
    get_run_logger().info("a record from %s", x)
    print("a print from", x)
    return dict(pid=os.getpid(), flow=flow_run.id, name=flow_run.name, tags=task_run.tags,
                parameters=task_run.parameters, context=FlowRunContext.get() is None,
                count=task_run.run_count)

@task(retries=2)
def flaky():
    if task_run.run_count < 3: raise ValueError("again")
    return task_run.run_count

@task
def nested(x): return same.submit(x).result() + same(1)

@task
async def aside(x): return x

@task
def die(): os.kill(os.getpid(), signal.SIGKILL)

class Picky(Exception):
    def __init__(self, a, b): super().__init__(f"{a} and {b}")

@task
def picky(): raise Picky(1, b=2)

@task
def unpicklable(): return threading.Lock()

@flow(task_runner=ProcessPoolTaskRunner(max_workers=2), name="processes")
def main():
    seen = look.map([1, 2]).result()
    assert {s["flow"] for s in seen} == {flow_run.id} and {s["name"] for s in seen} == {flow_run.name}
    assert os.getpid() not in {s["pid"] for s in seen}
    assert [s["parameters"] for s in seen] == [{"x": 1}, {"x": 2}]
    assert all(s["tags"] == ["t"] and s["context"] and s["count"] == 1 for s in seen), seen
    assert same.map([1, 2, 3]).result() == [1, 2, 3]
    assert sorted(f.result() for f in as_completed(same.map([3, 4]))) == [3, 4]
    assert same.submit(same.submit(same.submit(5))).result() == 5
    assert aside.submit(6).result() == 6
    assert nested.submit(7).result() == 8
    assert flaky.submit().result() == 3
    failed = fail.submit()
    try: failed.result()
    except KeyError as error:
        print("REMOTE", repr(error), "".join(getattr(error, "__notes__", [])))
    else: raise AssertionError
    late = same.submit(failed); late.wait()
    assert late.state.name == "NotReady", late.state
    lock = same.submit(threading.Lock()); lock.wait()
    print("ARGUMENT", lock.state.message)
    lock = unpicklable.submit(); lock.wait()
    print("RESULT", lock.state.message)
    odd = picky.submit(); odd.wait()
    print("PICKY", odd.state.name, odd.state.message, repr(odd.result(raise_on_failure=False)))
    killed = die.submit(); killed.wait(30)
    print("KILLED", killed.state.name, killed.state.message)
    assert same.submit(9).result() == 9
    return killed.task_run_id

if __name__ == "__main__":
    state = main(return_state=True)
    state.result()
    runs = {run.name.rpartition("-")[0]: run for run in task_runs_of(state)}
    print("RECORDED", {name: run.state_name for name, run in sorted(runs.items())})
    print("HISTORY", history_of(runs["flaky"]), runs["flaky"].run_count)
    assert all(run.end_time for name, run in runs.items() if run.state_name != "NotReady")
    from prefect.client.current import get_caller
    from prefect.operations.logs import read_logs
    from prefect.schemas.filters import LogFilter
    from prefect.schemas.queries import LogQuery
    own = LogFilter(flow_run_id={"any_": [state.state_details.flow_run_id]})
    messages = [log.message for log in get_caller().call(read_logs, LogQuery(logs=own, limit=200))]
    print("LOGS", sorted(m for m in messages if m.startswith("a ")))
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    place = tmp_path_factory.mktemp("processes")
    (place / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PREFECT_HOME": str(place / "home"), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def line(output: list[str], begin: str) -> str:
    return next(text for text in output if text.startswith(begin))


def test_failures_come_back(output: list[str]) -> None:
    assert "KeyError('in the child')" in line(output, "REMOTE")


def test_a_failure_shows_where_it_was_raised(output: list[str]) -> None:
    assert "script.py" in "\n".join(output[output.index(line(output, "REMOTE")) :][:12])


def test_what_cannot_travel_is_named(output: list[str]) -> None:
    assert "Argument 'x', a lock, of task 'same' cannot be sent to another process" in line(
        output, "ARGUMENT"
    )
    assert "The result of task 'unpicklable', a lock, cannot be sent back" in line(output, "RESULT")


def test_an_exception_that_cannot_travel_leaves_its_text(output: list[str]) -> None:
    text = "Task run encountered an exception Picky: 1 and 2"
    assert line(output, "PICKY") == f"PICKY Failed {text} FailedRun('{text}')"


def test_a_killed_process_crashes_the_run(output: list[str]) -> None:
    assert line(output, "KILLED").startswith("KILLED Crashed The process that ran this task ended before")


def test_what_is_recorded(output: list[str]) -> None:
    recorded = eval(line(output, "RECORDED").removeprefix("RECORDED "))
    assert recorded["look"] == recorded["nested"] == recorded["aside"] == recorded["flaky"] == "Completed"
    assert recorded["fail"] == recorded["unpicklable"] == "Failed"
    assert recorded["die"] == "Crashed"
    assert line(output, "HISTORY") == "HISTORY ['Pending', 'Running', 'Retrying', 'Retrying', 'Completed'] 3"


def test_logs_and_prints_of_children_are_stored(output: list[str]) -> None:
    logs = line(output, "LOGS")
    for text in ("a record from 1", "a record from 2", "a print from 1", "a print from 2"):
        assert text in logs


@pytest.mark.processes
def test_a_script_without_a_guard_is_told_of_it(run_python, tmp_path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from prefect import flow, task\n"
        "from prefect.task_runners import ProcessPoolTaskRunner\n"
        "@task\ndef square(x): return x * x\n"
        "@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))\n"
        "def run(): return square.submit(2).result()\n"
        "run()\n"
    )

    done = run_python(script, check=False)

    assert done.returncode == 1
    assert "Call it below `if __name__ == '__main__':`" in done.stderr
