"""The same flows, run by our SDK and by the released client, leave the same on a server of Prefect 3.8.8."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from setting import PEER_PYTHON, peer_serving

SCENARIOS = Path(__file__).parent / "scenarios.py"
NAMES = ["hello", "parent", "retried", "too_slow", "cached", "named_state", "with_parameters", "crashing"]
FLOWS = ["hello-flow", "async-parent", "child-flow", "flow-retry", "flow-timeout", "flow-cached"]
FLOWS += ["flow-named-state", "flow-params", "flow-crash"]

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not PEER_PYTHON.exists(), reason="PEER_PYTHON names no interpreter with Prefect 3.8.8"
    ),
]

Json = dict[str, Any]

MEANT: dict[str, set[str]] = {
    # The second attempt of a flow says that it is one, as that of a task does.
    "flow-retry": {"states"},
    # A task whose result is kept already does not run.
    "flow-cached": {"tasks"},
    # What is said of Ctrl-C.
    "flow-crash": {"message"},
}
"""What differs on purpose."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with peer_serving() as url:
        yield url


@pytest.fixture(scope="module")
def ran(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Json]]:
    """What is stored of the runs of each client, by the name of their flow."""
    found: dict[str, dict[str, Json]] = {}
    known: set[str] = set()
    flows: dict[str, str] = {}
    for client, python in (("theirs", str(PEER_PYTHON)), ("ours", sys.executable)):
        home = str(tmp_path_factory.mktemp(client))
        done = subprocess.run(
            [python, str(SCENARIOS), *NAMES],
            capture_output=True,
            text=True,
            timeout=140,
            env={"PATH": os.environ["PATH"], "HOME": home, "PREFECT_HOME": home, "PREFECT_API_URL": url},
        )
        flows = {flow["id"]: flow["name"] for flow in httpx.post(f"{url}/flows/filter", json={}).json()}
        runs = httpx.post(f"{url}/flow_runs/filter", json={}).json()
        new = [run for run in runs if run["id"] not in known]
        known |= {run["id"] for run in new}
        found[client] = {flows[run["flow_id"]]: _stored(url, run) for run in new}
        assert sorted(found[client]) == sorted(FLOWS), done.stdout + done.stderr
    return found


def _stored(url: str, run: Json) -> Json:
    """Return what is stored of a flow run, without what differs from run to run."""
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}
    tasks = httpx.post(f"{url}/task_runs/filter", json=asked).json()
    states = httpx.get(f"{url}/flow_run_states/", params={"flow_run_id": run["id"]}).json()
    logs = httpx.post(f"{url}/logs/filter", json={"logs": {"flow_run_id": {"any_": [run["id"]]}}}).json()
    return {
        "states": [[state["type"], state["name"]] for state in states],
        "message": run["state"]["message"],
        **{name: run[name] for name in ("run_count", "parameters", "tags", "labels", "context")},
        "retries": [run["empirical_policy"]["retries"], run["empirical_policy"]["retry_delay"]],
        "nested": run["parent_task_run_id"] is not None,
        "times": [run[name] is not None for name in ("expected_start_time", "start_time", "end_time")],
        "tasks": sorted(_stored_task(url, task) for task in tasks),
        "user_logs": sorted(
            log["message"] for log in logs if "Hello" in log["message"] or "Got" in log["message"]
        ),
    }


def _stored_task(url: str, task: Json) -> list[Any]:
    history = httpx.get(f"{url}/task_run_states/", params={"task_run_id": task["id"]}).json()
    return [
        task["task_key"].rpartition("-")[0],
        [[state["type"], state["name"]] for state in history],
        task["run_count"],
        task["tags"],
        task["flow_run_run_count"],
        [task[name] is not None for name in ("expected_start_time", "start_time", "end_time")],
        [task["empirical_policy"][name] for name in ("retries", "retry_delay")],
        sorted(task["task_inputs"]),
        task["state"]["state_details"]["child_flow_run_id"] is not None,
    ]


@pytest.mark.parametrize("flow", FLOWS)
def test_our_client_stores_what_theirs_does(ran: dict[str, dict[str, Json]], flow: str) -> None:
    ours, theirs = ran["ours"][flow], ran["theirs"][flow]

    differing = {name for name in ours if ours[name] != theirs[name]}
    assert {name: ours[name] for name in differing - set(MEANT.get(flow, ()))} == {
        name: theirs[name] for name in differing - set(MEANT.get(flow, ()))
    }


def test_a_second_attempt_is_called_one(ran: dict[str, dict[str, Json]]) -> None:
    names = [name for _, name in ran["ours"]["flow-retry"]["states"]]

    assert names == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]


def test_a_kept_result_is_used_without_running(ran: dict[str, dict[str, Json]]) -> None:
    histories = [[name for _, name in task[1]] for task in ran["ours"]["flow-cached"]["tasks"]]

    assert histories == [["Pending", "Cached"], ["Pending", "Running", "Completed"]]
