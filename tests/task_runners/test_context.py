"""What code on a worker knows of its run, and what travels there."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any

import pytest

import remote_tasks as remote
from prefect import flow, runtime, tags
from prefect.client.current import get_caller
from prefect.operations.logs import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import LogQuery
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_LOGGING_LEVEL,
    PREFECT_SERVER_DATABASE_PASSWORD,
    PREFECT_TASKS_DEFAULT_RETRIES,
    temporary_settings,
)
from recorded import task_runs_of
from task_runner_kinds import elsewhere, on_clusters

pytestmark = pytest.mark.timeout(120)


def logs_of(flow_run_id: Any) -> list[Any]:
    get_recorder().flush()
    own = LogFilter(flow_run_id={"any_": [flow_run_id]})
    return get_caller().call(read_logs, LogQuery(logs=own, limit=200))


def test_every_fact_of_the_run(runner, kind):
    @flow(task_runner=runner, retries=1, version="7", flow_run_name="named-{x}")
    def main(x: int) -> Any:
        with tags("inside"):
            return remote.facts(), remote.see.map([1, 2]).result()

    with tags("around"):
        here, there = main(3)
    for x, found in enumerate(there, 1):
        assert found["x"] == x
        assert found["flow_run"] == here["flow_run"]
        assert found["flow_run"]["name"] == "named-3"
        assert found["flow_run"]["parameters"] == {"x": 3}
        assert found["deployment"] == here["deployment"]
        assert found["task_run"]["parameters"] == {"x": x}
        assert found["task_run"]["tags"] == ["around", "inside", "own"]
        assert found["task_run"]["flow_run_id"] == here["flow_run"]["id"]
        assert found["task_run"]["run_count"] == 1
        assert found["task_run"]["id"] == found["context"]
        assert found["flow context"] is (kind == "threads")
    assert len({found["task_run"]["id"] for found in there}) == 2


def test_runs_of_one_worker_do_not_mix(runner):
    """The shared parts of one run are not those of the next: nor within a run those of a changed context."""

    @flow(task_runner=runner)
    def main(x: int) -> Any:
        with tags(f"t{x}"):
            one = remote.see.submit(x)
        two = remote.see.submit(x)
        return remote.facts()["flow_run"]["id"], one.result(), two.result()

    for x in range(3):
        run_id, one, two = main(x)
        assert one["flow_run"]["id"] == two["flow_run"]["id"] == run_id
        assert one["flow_run"]["parameters"] == {"x": x}
        assert (one["task_run"]["tags"], two["task_run"]["tags"]) == (["own", f"t{x}"], ["own"])


@on_clusters
def test_flow_runs_at_once_are_never_mixed_up(make_runner):
    """Every task of every run is told of its own, and what it logs and leaves behind bears its number."""

    @flow(task_runner=make_runner(), flow_run_name="run-{number}")
    def main(number: int) -> list[str]:
        own = runtime.flow_run.id
        futures = [remote.attributed.submit(number, step, own) for step in range(50)]
        found = [future.result() for future in futures]
        assert [run_id for run_id, _ in found] == [str(future.task_run_id) for future in futures]
        return [text for _, wrong in found for text in wrong]

    def run(number: int) -> Any:
        with tags(f"n-{number}"):
            return main(number, return_state=True)

    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(run, range(4)))
    assert [state.result() for state in states] == [[]] * 4
    for number, state in enumerate(states):
        flow_run_id = state.state_details.flow_run_id
        runs = task_runs_of(state)
        assert sorted(run.name for run in runs) == sorted(f"task-{number}-{step}" for step in range(50))
        assert {(run.state_name, *run.tags) for run in runs} == {("Completed", f"n-{number}")}
        logs = [log for log in logs_of(flow_run_id) if log.task_run_id is not None]
        assert {log.task_run_id for log in logs} == {run.id for run in runs}
        assert {log.message for log in logs} == {f"from {number}"}


def test_records_and_prints_arrive_at_the_run(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        futures = remote.speak.map([1, 2])
        futures.result()
        return [future.task_run_id for future in futures]

    state = main(return_state=True)
    written = {(log.task_run_id, log.message, log.level) for log in logs_of(state.state_details.flow_run_id)}
    for x, task_run_id in enumerate(state.result(), 1):
        assert (task_run_id, f"a record of {x}", logging.INFO) in written
        assert (task_run_id, f"a print of {x}", logging.INFO) in written


def test_settings_hold(runner):
    @flow(task_runner=runner)
    def main() -> Any:
        return remote.setting.map(["logging.level", "tasks.default_retries"]).result()

    with temporary_settings({PREFECT_LOGGING_LEVEL: "WARNING", PREFECT_TASKS_DEFAULT_RETRIES: 4}):
        assert main() == ["WARNING", 4]
    assert main()[1] == 0


@elsewhere
def test_no_secret_reaches_a_worker(runner, kind):
    """Nothing of it is anywhere in the memory of the process that runs the task."""
    secret, argument = token_hex(20), token_hex(20)

    @flow(task_runner=runner)
    def main(shown: str) -> Any:
        remote.same.submit(shown).result()
        searched = [remote.is_in_memory.submit(text[::-1]) for text in (secret, argument)]
        return [future.result() for future in searched]

    secrets = {
        PREFECT_API_KEY: secret,
        PREFECT_API_AUTH_STRING: f"user:{secret}",
        PREFECT_SERVER_DATABASE_PASSWORD: secret,
    }
    with temporary_settings(secrets):
        found = main(argument)
    assert found == [False, True]  # the other shows that what is there is found
