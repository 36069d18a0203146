"""A worker that is killed takes nothing along of the runs that had ended before."""

from __future__ import annotations

from pathlib import Path

import pytest

import remote_tasks as remote
from prefect import flow
from prefect.recorder import get_recorder
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner
from recorded import history_of, task_runs_of
from wire import serving

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


def test_a_server_hears_of_runs_whose_process_was_killed_right_after_them(tmp_path: Path) -> None:
    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def main() -> None:
        held = remote.hold.submit(str(tmp_path / "begun"), str(tmp_path / "until"))
        remote.wait_until((tmp_path / "begun").exists)
        get_recorder().flush()  # what is told from here of the run is told
        (tmp_path / "until").touch()
        held.wait()
        remote.die.submit().wait()

    with serving(tmp_path) as (url, _), temporary_settings({PREFECT_API_URL: url}):
        state = main(return_state=True)
        remote.wait_until(lambda: all(run.end_time for run in task_runs_of(state)))
        held = next(run for run in task_runs_of(state) if run.task_key.startswith("hold"))
        assert history_of(held) == ["Pending", "Running", "Completed"]
