"""Workers tell a server that wants a key themselves, with the key of their own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

import remote_tasks as remote
from prefect import flow
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.operations.task_runs import read_task_runs
from prefect.schemas.filters import LogFilter, TaskRunFilter
from prefect.schemas.queries import LogQuery, TaskRunQuery
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.task_runners import DaskTaskRunner, ProcessPoolTaskRunner, TaskRunner
from wire import serving

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

distributed = pytest.importorskip("distributed")

KEY = "somebody:a-key-3f51"
COUNT = 40


ON_RAY = """
import remote_tasks as remote
from prefect import flow
from prefect.task_runners import RayTaskRunner

@flow(task_runner=RayTaskRunner(init_kwargs={"num_cpus": 2, "log_to_driver": False}))
def main():
    remote.speak.map(list(range(40))).wait()

print(main(return_state=True).state_details.flow_run_id)
"""


def check(flow_run_id: UUID) -> None:
    """See that all is there that the flow's tasks have told."""
    query = TaskRunQuery(task_runs=TaskRunFilter(flow_run_id={"any_": [flow_run_id]}), limit=200)

    def all_ended() -> bool:
        runs = get_caller().call(read_task_runs, query)
        return [run.state_name for run in runs] == ["Completed"] * COUNT

    remote.wait_until(all_ended)  # a server writes events just after it has taken them
    of_run = LogFilter(flow_run_id={"any_": [flow_run_id]})
    logs = get_caller().call(read_logs, LogQuery(logs=of_run, limit=200))
    told = {log.message for log in logs}
    assert {f"a record of {n}" for n in range(COUNT)} <= told
    assert {f"a print of {n}" for n in range(COUNT)} <= told


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: ProcessPoolTaskRunner(max_workers=2), id="processes"),
        pytest.param(
            lambda: DaskTaskRunner(cluster_kwargs={"n_workers": 2, "threads_per_worker": 1}), id="dask"
        ),
    ],
)
def test_nothing_is_lost_at_the_end_of_the_flow(
    make: Callable[[], TaskRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @flow(task_runner=make())
    def main() -> None:
        remote.speak.map(list(range(COUNT))).wait()

    monkeypatch.setenv("PREFECT_API_AUTH_STRING", KEY)
    with (
        serving(tmp_path, PREFECT_SERVER_API_AUTH_STRING=KEY) as (url, _),
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: KEY}),
    ):
        state = main(return_state=True)
        assert state.is_completed()
        assert state.state_details.flow_run_id is not None
        check(state.state_details.flow_run_id)


def test_nothing_is_lost_on_ray(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ON_RAY)
    with (
        serving(tmp_path, PREFECT_SERVER_API_AUTH_STRING=KEY) as (url, _),
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: KEY}),
    ):
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            timeout=150,
            env={
                **os.environ,
                "PREFECT_API_URL": url,
                "PREFECT_API_AUTH_STRING": KEY,
                "PYTHONPATH": str(Path(__file__).parents[1]),
            },
        )
        assert done.returncode == 0, done.stderr
        check(UUID(done.stdout.split()[-1]))


def test_a_worker_without_the_login_is_told_of_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it records goes by way of the flow's process; nothing is lost."""
    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
    with (
        serving(tmp_path, PREFECT_SERVER_API_AUTH_STRING=KEY) as (url, _),
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster,
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: KEY}),
    ):

        @flow(task_runner=DaskTaskRunner(cluster=cluster))
        def main() -> None:
            remote.speak.map(list(range(COUNT))).wait()

        state = main(return_state=True)
        assert state.state_details.flow_run_id is not None
        check(state.state_details.flow_run_id)
    told = [record.getMessage() for record in caplog.records if "cannot tell the server" in record.message]
    assert len(told) == 1
    assert "Set PREFECT_API_AUTH_STRING to the server's user:password" in told[0]
    assert KEY not in told[0]
