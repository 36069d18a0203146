"""Workers tell a server that wants a key themselves, with the key of their own environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import remote_tasks as remote
from prefect import flow
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.task_runners import DaskTaskRunner, ProcessPoolTaskRunner, TaskRunner
from recorded import task_runs_of
from wire import serving

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

KEY = "somebody:a-key-3f51"
COUNT = 40


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
        runs = task_runs_of(state)
        of_run = LogFilter(flow_run_id={"any_": [state.state_details.flow_run_id]})
        logs = get_caller().call(read_logs, LogQuery(logs=of_run, limit=200))

    assert state.is_completed()
    assert [run.state_name for run in runs] == ["Completed"] * COUNT
    told = {log.message for log in logs}
    assert {f"a record of {n}" for n in range(COUNT)} <= told
    assert {f"a print of {n}" for n in range(COUNT)} <= told
