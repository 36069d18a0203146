"""The released client of Prefect 3 runs flows against our server; then what is stored is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

SCENARIOS = Path(__file__).parent / "scenarios.py"
PEER_PYTHON = Path(os.environ.get("PEER_PYTHON", ".peer/bin/python"))

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not PEER_PYTHON.exists(), reason="PEER_PYTHON names no interpreter with Prefect 3.8.8"
    ),
]

Run = dict[str, Any]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of ours."""
    home = tmp_path_factory.mktemp("server")
    server = subprocess.Popen(
        [sys.executable, "-m", "prefect.cli", "server", "start", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PREFECT_HOME": str(home)},
    )
    assert server.stdout is not None
    yield server.stdout.readline().removeprefix("Serving at ").strip()
    server.terminate()
    server.communicate(timeout=30)


@pytest.fixture(scope="module")
def ran(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """All scenarios, run by the client in one process: the flow runs, by the name of their flow."""
    names = "hello parent retried too_slow cached named_state with_parameters crashing"
    done = subprocess.run(
        [str(PEER_PYTHON), str(SCENARIOS), *names.split()],
        capture_output=True,
        text=True,
        timeout=170,
        env={
            "PATH": os.environ["PATH"],
            "PREFECT_HOME": str(tmp_path_factory.mktemp("client")),
            "PREFECT_API_URL": url,
        },
    )
    assert "Error logging to API" not in done.stderr, done.stderr
    assert "may be lost" not in done.stderr, done.stderr
    flows = {flow["id"]: flow["name"] for flow in httpx.post(f"{url}/flows/filter").json()}
    runs = httpx.post(f"{url}/flow_runs/filter").json()
    found = {flows[run["flow_id"]]: run for run in runs}
    assert len(found) == 9, done.stdout + done.stderr
    return found


@pytest.fixture
def task_runs(url: str) -> Callable[[Run], list[Run]]:
    """Give the task runs of a flow run, in the order in which they began."""

    def find(run: Run) -> list[Run]:
        asked = {"flow_runs": {"id": {"any_": [run["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return list(httpx.post(f"{url}/task_runs/filter", json=asked).json())

    return find


@pytest.fixture
def states(url: str) -> Callable[[Run], list[str]]:
    """Give the names of the states that a flow run was in."""

    def find(run: Run) -> list[str]:
        found = httpx.get(f"{url}/flow_run_states/", params={"flow_run_id": run["id"]}).json()
        return [state["name"] for state in found]

    return find


def test_hello(ran, url, task_runs, states):
    run = ran["hello-flow"]

    assert states(run) == ["Pending", "Running", "Completed"]
    assert (run["run_count"], run["parameters"]) == (1, {"name": "world"})
    added = task_runs(run)
    assert [each["state_type"] for each in added] == ["COMPLETED"] * 3
    assert {each["task_key"].rpartition("-")[0] for each in added} == {"add"}
    assert [set(each["task_inputs"]) for each in added] == [{"x", "y"}] * 3
    asked = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    messages = [log["message"] for log in httpx.post(f"{url}/logs/filter", json=asked).json()]
    assert {"Hello world!", "Got 5"} < set(messages)
    assert len(messages) == 7


def test_an_async_flow_with_mapped_tasks_a_retry_a_subflow_and_a_failure(ran, task_runs, states):
    parent, child = ran["async-parent"], ran["child-flow"]

    assert states(parent) == ["Pending", "Running", "Failed"]
    by_key: dict[str, list[Run]] = {}
    for each in task_runs(parent):
        by_key.setdefault(each["task_key"].rpartition("-")[0], []).append(each)
    assert [each["state_type"] for each in by_key["double"]] == ["COMPLETED"] * 4
    assert (by_key["flaky"][0]["state_type"], by_key["flaky"][0]["run_count"]) == ("COMPLETED", 2)
    assert by_key["broken"][0]["state_type"] == "FAILED"
    stand_in = by_key["child"][0]
    assert (stand_in["state_type"], stand_in["run_count"]) == ("COMPLETED", 1)
    assert stand_in["state"]["state_details"]["child_flow_run_id"] == child["id"]
    assert child["parent_task_run_id"] == stand_in["id"]
    assert [each["state_type"] for each in task_runs(child)] == ["COMPLETED"]


def test_a_flow_that_is_retried(ran, states):
    run = ran["flow-retry"]

    assert states(run) == ["Pending", "Running", "AwaitingRetry", "Running", "Completed"]
    assert run["run_count"] == 2


def test_ends_of_all_kinds(ran, task_runs):
    assert (ran["flow-timeout"]["state_type"], ran["flow-timeout"]["state_name"]) == ("FAILED", "TimedOut")
    assert (ran["flow-named-state"]["state_name"], ran["flow-named-state"]["state"]["message"]) == (
        "Skipped-ish",
        "nothing to do",
    )
    assert ran["flow-crash"]["state_type"] == "CRASHED"
    assert sorted(each["state_name"] for each in task_runs(ran["flow-cached"])) == ["Cached", "Completed"]


def test_names_versions_and_parameters(ran):
    run = ran["flow-params"]

    assert (run["state_type"], run["name"], run["flow_version"]) == ("COMPLETED", "named-3", "7")
    assert run["parameters"] == {"x": 3, "when": "now"}
    assert run["labels"] == {"prefect.flow.id": run["flow_id"]}
