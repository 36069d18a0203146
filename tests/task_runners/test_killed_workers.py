"""A worker that is killed takes nothing along of the runs that had ended before, and leaves none Running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import remote_tasks as remote
from prefect import flow, runtime
from prefect.client.current import get_caller
from prefect.engine.journal import enter
from prefect.operations.task_runs import read_task_runs
from prefect.recorder import get_recorder
from prefect.schemas.filters import TaskRunFilter
from prefect.schemas.objects import TaskRun, TaskRunRecord, TaskRunResult
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.states import State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner
from prefect.task_runners.remote import NestedRuns, RemoteRun
from prefect.types import now
from recorded import history_of, task_runs_of, upstream_of
from task_runner_kinds import on_clusters
from wire import serving

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def hold_and_release(folder: Path) -> None:
    """Have a task run that ends after all that is told from here was told."""
    held = remote.hold.submit(str(folder / "begun"), str(folder / "until"))
    remote.wait_until((folder / "begun").exists)
    get_recorder().flush()
    (folder / "until").touch()
    held.wait()


def test_a_server_hears_of_runs_whose_process_was_killed_right_after_them(tmp_path: Path) -> None:
    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def main() -> None:
        hold_and_release(tmp_path)
        remote.die.submit().wait()

    with serving(tmp_path) as (url, _), temporary_settings({PREFECT_API_URL: url}):
        state = main(return_state=True)
        remote.wait_until(lambda: all(run.end_time for run in task_runs_of(state)))
        held = next(run for run in task_runs_of(state) if run.task_key.startswith("hold"))
        assert history_of(held) == ["Pending", "Running", "Completed"]


def told() -> list[TaskRun]:
    """Ask for the task runs of the flow run here."""
    of_run = TaskRunFilter(flow_run_id={"any_": [runtime.flow_run.id]})
    return get_caller().call(read_task_runs, TaskRunQuery(task_runs=of_run))


def kill_around(folder: Path) -> None:
    """Kill the worker of a task while another goes on within it; the task is run again."""
    around = remote.hold_within.submit(str(folder))
    remote.wait_until(
        lambda: any("__parents__" in run.task_inputs and run.state.is_running() for run in told())
    )
    os.kill(int((folder / "within").read_text()), signal.SIGKILL)
    assert around.result() == 1


def check_around(state: State[None]) -> None:
    """See that what went on within the task is known to have ended, and why."""
    runs = task_runs_of(state)
    around = next(run for run in runs if run.name.startswith("hold_within"))
    assert history_of(around)[-3:] == ["AwaitingRetry", "Running", "Completed"]
    left, again = (run for run in runs if upstream_of(run).get("__parents__") == {around.id})
    assert history_of(left) == ["Pending", "Running", "Crashed"]
    assert left.end_time is not None
    assert left.state.message.startswith("The task run that this one was part of was lost. The ")
    assert history_of(again) == ["Pending", "Running", "Completed"]


def test_what_went_on_within_a_task_whose_process_was_killed_has_ended(tmp_path: Path) -> None:
    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def main() -> None:
        kill_around(tmp_path)

    check_around(main(return_state=True))


def test_nothing_is_ended_that_goes_on_within_a_run_that_was_sent_again(tmp_path: Path) -> None:
    def begin_within(run: RemoteRun, name: str) -> None:
        inputs = {"__parents__": [TaskRunResult(id=run.record.run.id)]}
        of_flow_run = {"flow_run_id": run.record.run.flow_run_id, "task_inputs": inputs}
        record = TaskRunRecord(
            run=TaskRun(task_key="t", dynamic_key=name, name=name, **of_flow_run), states=[]
        )
        enter(record, State(type=StateType.RUNNING, timestamp=times.get(name, now())))
        get_recorder().task_run(record)
        remote.wait_until(lambda: name in states())

    def states() -> dict[str, str | None]:
        return {run.name: run.state_name for run in told() if run.task_key == "t"}

    times = {"before": now()}
    seen = []

    @flow
    def main() -> None:
        first, second = (RemoteRun(remote.same, {"x": number}, None, owner=None) for number in range(2))
        nested = NestedRuns()
        nested.crash([first], "It was killed.")
        begin_within(first, "before")  # the server hears of it late
        begin_within(first, "again")
        nested.crash([second], "It was killed.")
        seen.append(states())
        second.crash("It was killed.")
        begin_within(second, "after")  # by a clock that is ahead
        nested.finish()
        seen.append(states())

    with serving(tmp_path) as (url, _), temporary_settings({PREFECT_API_URL: url}):
        main()
    assert seen[0] == {"before": "Running", "again": "Running"}
    assert seen[1] == {"before": "Crashed", "again": "Running", "after": "Crashed"}


@on_clusters
def test_a_server_hears_of_runs_whose_worker_was_killed_right_after_them_or_within(runner, kind, tmp_path):
    def has_ended() -> bool:
        return [run.state_name for run in told()] == ["Completed"]

    @flow(task_runner=runner)
    def main() -> None:
        hold_and_release(tmp_path)
        os.kill(int((tmp_path / "begun").read_text()), signal.SIGKILL)
        if kind == "dask":
            remote.wait_until(has_ended)
        else:  # Ray says nothing of it, and may give the next task to the worker that is no more
            remote.same.with_options(retries=9).submit(0).wait()
        kill_around(tmp_path)

    with serving(tmp_path) as (url, _), temporary_settings({PREFECT_API_URL: url}):
        state = main(return_state=True)
        remote.wait_until(lambda: all(run.end_time for run in task_runs_of(state)))
        assert history_of(task_runs_of(state)[0]) == ["Pending", "Running", "Completed"]
        check_around(state)
