"""A fork in the middle of a flow run: nothing hangs, is lost, or is written down twice."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from databases import postgres_schema
from http_servers import serving
from prefect import flow
from prefect.exceptions import TerminationSignal
from prefect.operations import read_flow_runs, read_logs, read_task_runs
from prefect.schemas.queries import FlowRunQuery, LogQuery, TaskRunQuery
from prefect.store import make_store
from prefect.store.base import Store

PAGE = 200
UNDER_LOAD = Path(__file__).with_name("forks_under_load.py")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.embedded,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
]

FORKING = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from prefect import flow, get_run_logger, task
from prefect.recorder import get_recorder
from prefect.runtime import flow_run, task_run

how, where = sys.argv[1:]
parent = os.getpid()

def say(hook):
    print("HOOK", hook, os.getpid() == parent, flush=True)

@task
def helper(n):
    get_run_logger().info("helper %s in %s", n, flow_run.name)

@task
def queued():
    return None

def fork():
    get_run_logger().info("before the fork")
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print("CHILD", code, flush=True)
        return "parent"
    get_run_logger().info("in the child of %s", flow_run.name)
    helper(1)
    helper.submit(2).result()
    if how == "exit":
        sys.exit(3)
    if how == "raise":
        raise ValueError("raised in the child")
    if how == "_exit":
        get_recorder().flush()
        os._exit(3)
    return "child"

@task(on_completion=[lambda *_: say("task")], on_failure=[lambda *_: say("task failed")])
def forks():
    return fork()

@task(timeout_seconds=50)
def forks_in_time():
    return fork()

@task
def yields():
    yield fork()

hooks = {"on_completion": [lambda *_: say("flow")], "on_failure": [lambda *_: say("flow failed")],
         "on_crashed": [lambda *_: say("flow crashed")]}

@flow(flow_run_name="forking", retries=1, **hooks)
def my_flow():
    waiting = [queued.submit() for _ in range(20)]
    if where == "flow":
        return fork()
    if where == "task":
        return forks()
    if where == "deadline":
        return forks_in_time()
    if where == "generator":
        return list(yields())[0]
    return forks.submit().result()

@flow(flow_run_name="forking", **hooks)
async def my_async_flow():
    return fork()

if where == "async flow":
    import asyncio
    result = asyncio.run(my_async_flow())
else:
    result = my_flow()
print("RESULT", result, os.getpid() == parent, flow_run.id, task_run.id, flush=True)
"""


def recorded(store: Store) -> tuple[dict[str, str | None], Counter[tuple[str, Any]], Counter[str]]:
    """Return the flow runs' states, how many task runs there are by name and state, and the messages."""
    flows = {run.name: run.state_name for run in read_flow_runs(store, FlowRunQuery())}
    task_runs = all_of(lambda offset: read_task_runs(store, TaskRunQuery(limit=PAGE, offset=offset)))
    tasks = Counter((run.name.rpartition("-")[0], run.state_name) for run in task_runs)
    logs = Counter(
        log.message for log in all_of(lambda offset: read_logs(store, LogQuery(limit=PAGE, offset=offset)))
    )
    return flows, tasks, logs


def all_of(read: Callable[[int], list[Any]]) -> Iterator[Any]:
    for offset in count(0, PAGE):
        page = read(offset)
        yield from page
        if len(page) < PAGE:
            return


def recorded_in(home: Path) -> tuple[dict[str, str | None], Counter[tuple[str, Any]], Counter[str]]:
    """Return the same of the store in a home."""
    with closing(make_store(f"sqlite:///{home / 'prefect.db'}")) as store:
        return recorded(store)


@pytest.mark.parametrize(
    ("where", "how"),
    [
        ("flow", "exit"),
        ("flow", "_exit"),
        ("task", "raise"),
        ("task", "return"),
        ("submitted task", "exit"),
        ("submitted task", "raise"),
        ("submitted task", "return"),
        ("deadline", "exit"),
        ("generator", "exit"),
        ("generator", "return"),
    ],
)
def test_the_run_ends_once_and_in_the_parent(run_python, tmp_path: Path, how: str, where: str) -> None:
    done = run_python("-c", FORKING, how, where)
    code = {"exit": 3, "_exit": 3, "raise": 1, "return": 0}[how]
    lines = done.stdout.splitlines()
    assert f"CHILD {code}" in lines
    assert "RESULT parent True None None" in lines
    hooks = [line for line in lines if line.startswith("HOOK")]
    named = ["HOOK task True"] if where in ("task", "submitted task") else []
    assert hooks == [*named, "HOOK flow True"]
    goes_on = how == "return" and where in ("flow", "task", "generator")
    assert ("RESULT child False None None" in lines) == goes_on
    assert ("ValueError: raised in the child" in done.stderr) == (how == "raise")
    flows, tasks, logs = recorded_in(tmp_path / "home")
    assert flows == {"forking": "Completed"}
    assert {state for _, state in tasks} == {"Completed"}
    assert tasks["helper", "Completed"] == 2
    assert tasks["queued", "Completed"] == 20
    assert sum(tasks.values()) == 22 + (where != "flow")
    for message in (
        "before the fork",
        "in the child of forking",
        "helper 1 in forking",
        "helper 2 in forking",
    ):
        assert logs[message] == 1, message


@pytest.mark.parametrize("how", ["exit", "raise"])
def test_an_async_flow_ends_once_too(run_python, tmp_path: Path, how: str) -> None:
    done = run_python("-c", FORKING, how, "async flow")
    assert f"CHILD {(how == 'raise') + 3 * how.endswith('exit')}" in done.stdout
    assert "RESULT parent True None None" in done.stdout
    assert done.stdout.count("RESULT") == done.stdout.count("HOOK") == 1
    flows, tasks, logs = recorded_in(tmp_path / "home")
    assert flows == {"forking": "Completed"}
    assert tasks == {("helper", "Completed"): 2}
    assert logs["in the child of forking"] == 1


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, dict[str, str]]]:
    """A store, and the settings of a program whose runs go there."""
    if request.param == "postgresql":
        with postgres_schema() as url:
            store = make_store(url)
            yield store, {"PREFECT_API_DATABASE_CONNECTION_URL": url}
            store.close()
        return
    store = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")
    if request.param == "server":
        with serving(store) as url:
            yield store, {"PREFECT_API_URL": url}
    else:
        yield store, {"PREFECT_API_DATABASE_CONNECTION_URL": store.url}
    store.close()


@pytest.mark.timeout(150)
def test_forks_under_load_neither_hang_nor_lose_nor_double(run_python, place) -> None:
    store, settings = place
    forks = 24
    done = run_python(UNDER_LOAD, str(forks), env=settings, timeout=140)
    (count,) = map(int, re.findall(r"^\d+$", done.stdout, re.MULTILINE))
    flows, tasks, logs = recorded(store)
    assert flows == {"forking": "Completed"}
    assert tasks == {
        ("busy", "Completed"): 3,
        ("forks_in_thread", "Completed"): 1,
        ("in_child", "Completed"): forks + forks // 2,
        ("in_parent", "Completed"): count,
    }
    assert sum(logs[message] for message in logs if message.startswith("parent ")) == count
    for number in range(forks):
        assert logs[f"child {number} of forking"] == 1 + number % 2


def test_a_child_does_not_end_its_parents_connections(run_python, place) -> None:
    _, settings = place
    code = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from prefect import flow, get_run_logger, task
from prefect.recorder import get_recorder

@task
def note(n):
    get_run_logger().warning("n %s", n)

@flow
def my_flow():
    for n in range(20):
        note(n)
        assert get_recorder().flush()
        if not (child := os.fork()):
            sys.exit(0)  # the interpreter closes what it can
        assert os.waitpid(child, 0)[1] == 0

my_flow()
"""
    done = run_python("-W", "error::ResourceWarning", "-c", code, env=settings)
    assert "server does not answer" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "away" not in done.stderr
    assert sys.platform == "win32" or done.stderr.count("n 19") == 1


def test_a_child_has_processes_of_its_own_run_its_tasks(run_python, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from prefect import flow, task
from prefect.recorder import get_recorder
from prefect.task_runners import ProcessPoolTaskRunner

@task
def double(n):
    return n * 2

@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def my_flow():
    assert double.submit(1).result() == 2
    if not (child := os.fork()):
        result = double.submit(2).result()
        get_recorder().flush()
        os._exit(result)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
    return double.submit(3).result()

if __name__ == "__main__":
    assert my_flow() == 6
""")
    run_python(script)
    _, tasks, _ = recorded_in(tmp_path / "home")
    assert tasks == {("double", "Completed"): 3}


@pytest.mark.parametrize("at", ["child", "parent"])
def test_who_is_told_to_end_in_the_midst_of_a_fork_ends(at):
    told: list[str] = []

    def tell(where: str) -> None:
        if told and told.pop() == where:
            os.kill(os.getpid(), signal.SIGTERM)

    os.register_at_fork(after_in_child=lambda: tell("child"), after_in_parent=lambda: tell("parent"))

    @flow
    def main() -> int:
        told.append(at)
        child = os.fork()
        if child == 0:
            os._exit(0)
        told.clear()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if at == "parent":
            threading.Event().wait(10)
        return code

    if at == "child":
        assert main() == -signal.SIGTERM
    else:
        with pytest.raises(TerminationSignal):
            main()
