"""A host that dies with all that it runs: its runs end as Crashed. Those of one that is only slow go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from databases import postgres_schema
from http_servers import serving
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.leases import LATE, crash_orphans
from prefect.operations.task_runs import read_task_runs
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
from prefect.schemas.states import StateType
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.store import make_store, statements
from prefect.store.base import Store
from prefect.types import now

from .conftest import PATIENCE, Place

pytestmark = [pytest.mark.timeout(180), pytest.mark.processes, pytest.mark.embedded]

SCRIPT = """
import os, pathlib, time
import prefect.recorder.leases
from prefect import flow, task

prefect.recorder.leases.RENEW = 0.2

@task
def waits():
    pathlib.Path("process").write_text(str(os.getpid()))
    while not pathlib.Path("go on").exists():
        time.sleep(0.05)

@flow
def inner():
    waits()

@flow
def hello():
    inner()

if __name__ == "__main__":
    hello()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path) -> Iterator[Store]:
    if request.param == "sqlite":
        made = make_store(f"sqlite:///{tmp_path / 'served.db'}")
        yield made
        made.close()
        return
    with postgres_schema() as url:
        made = make_store(url)
        yield made
        made.close()


@pytest.fixture
def place(store, tmp_path) -> Iterator[Place]:
    """A server over the store."""
    home = str(tmp_path / "home")
    (tmp_path / "script.py").write_text(SCRIPT)
    with serving(store) as url, temporary_settings({PREFECT_HOME: home, PREFECT_API_URL: url}):
        yield Place(tmp_path, {"PREFECT_HOME": home, "PREFECT_API_URL": url})


@pytest.fixture
def elsewhere(monkeypatch) -> None:
    """The server is on another machine than the processes."""
    monkeypatch.setattr("prefect.operations.leases.host_id", lambda: "another machine")


def process_of_run(place: Place) -> int:
    """The process that is in the task, once the server knows of the task."""
    file = place.folder / "process"
    place.wait_for(lambda: file.exists() and file.read_text())
    place.wait_for(lambda: kinds_of_tasks(place) == {"waits": StateType.RUNNING, "inner": StateType.RUNNING})
    return int(file.read_text())


def kinds_of_tasks(place: Place) -> dict[str, StateType | None]:
    found = place.client.call(read_task_runs, TaskRunQuery())
    return {run.name.rpartition("-")[0]: run.state_type for run in found}


def states(place: Place) -> list[str | None]:
    return [run.state_name for run in place.client.call(read_flow_runs, FlowRunQuery())]


def assert_all_crashed(place: Place) -> None:
    runs = place.client.call(read_flow_runs, FlowRunQuery())
    assert [run.state_name for run in runs] == ["Crashed", "Crashed"]
    assert all("is gone" in run.state.message and run.end_time is not None for run in runs)
    assert set(kinds_of_tasks(place).values()) == {StateType.CRASHED}


def after(seconds: float):
    return now() + timedelta(seconds=seconds)


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_a_worker_that_dies_with_the_process_of_a_run(place, store):
    place.pool()
    place.run_of(place.deploy())
    with place.working("worker", "start", "--pool", "here") as worker:
        child = process_of_run(place)
        worker.kill()
        worker.wait()
        assert crash_orphans(store, after(0)) == []
        assert states(place) == ["Running", "Running"]  # it is only the worker
        kill(child)

    place.wait_for(lambda: crash_orphans(store, now()) or "Running" not in states(place))
    assert_all_crashed(place)


@pytest.mark.usefixtures("elsewhere")
def test_a_host_that_dies_with_worker_and_run(place, store):
    place.pool()
    place.run_of(place.deploy())
    with place.working("worker", "start", "--pool", "here") as worker:
        child = process_of_run(place)
        worker.kill()
        kill(child)
        worker.wait()

    assert crash_orphans(store, after(50)) == []
    assert crash_orphans(store, after(70)) == []
    assert states(place) == ["Running", "Running"]
    assert len(crash_orphans(store, after(140))) == 2
    assert_all_crashed(place)


@pytest.mark.usefixtures("elsewhere")
def test_a_process_that_stands_still_for_a_minute_goes_on(place, store):
    def late() -> list[bool]:
        return [lease[1].startswith(LATE) for lease in store.fetch(statements.LEASES)]

    env = {**place.env, "PREFECT_LOGGING_LEVEL": "ERROR"}
    with subprocess.Popen([sys.executable, "script.py"], cwd=place.folder, env=env) as process:
        assert process_of_run(place) == process.pid
        process.send_signal(signal.SIGSTOP)
        assert crash_orphans(store, after(61)) == []
        assert late() == [True, True]
        process.send_signal(signal.SIGCONT)
        place.wait_for(lambda: late() == [False, False])
        assert crash_orphans(store, after(50)) == []
        (place.folder / "go on").touch()
        assert process.wait(PATIENCE) == 0

    assert states(place) == ["Completed", "Completed"]
    assert store.fetch(statements.LEASES) == []
