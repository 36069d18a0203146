"""What `prefect.runtime` says in runs of deployments: the same at every place, and looked up once at most."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from prefect.exceptions import ObjectNotFound
from prefect.operations.deployments import create_deployment, read_deployment_by_name
from prefect.operations.flow_runs import set_flow_run_state
from prefect.operations.flows import create_flow
from prefect.schemas.actions import FlowCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentResponse
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateType
from proxies import proxy
from workers.conftest import PATIENCE, Place, place

__all__ = ["place"]

pytestmark = [pytest.mark.timeout(240), pytest.mark.processes, pytest.mark.embedded]

Seen = dict[str, list[dict[str, Any]]]

ENDS = {"completes": "Completed", "fails": "Failed", "crashes": "Crashed", "is cancelled": "Cancelled"}
HOOKS = {"completes": "completion", "fails": "failure", "crashes": "crashed", "is cancelled": "cancellation"}
IN_NESTED = {
    "name of second",
    "second",
    "third",
    "task of third",
    "thread of third",
}
EVERYWHERE = {
    *("import", "name", "running", "flow", "completion", "task", "submitted task", "child"),
    *("task name", "task running", "task hook"),
    *IN_NESTED,
}


@contextmanager
def served(place: Place) -> Iterator[DeploymentResponse]:
    """Have a script serve its flow."""
    with (place.folder / "printed").open("w") as printed:
        env = {**place.env, "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
        process = subprocess.Popen(
            [sys.executable, "told.py"], cwd=place.folder, env=env, stdout=printed, stderr=printed
        )

    def found() -> DeploymentResponse | None:
        assert process.poll() is None, place.printed
        try:
            return place.client.call(read_deployment_by_name, "told", "there")
        except ObjectNotFound:
            return None

    try:
        place.wait_for(found)
        deployment = found()
        assert deployment is not None
        yield deployment
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def worked(place: Place) -> Iterator[DeploymentResponse]:
    """Have a worker carry out the runs of a pool."""
    place.pool()
    data = DeploymentCreate(
        name="there",
        flow_id=place.client.call(create_flow, FlowCreate(name="told")).id,
        entrypoint="told.py:told",
        path=str(place.folder),
        version="7",
        tags=["t"],
        work_pool_name="here",
    )
    deployment = place.client.call(create_deployment, data)
    with place.working("worker", "start", "--pool", "here"):
        yield deployment


def seen_by(place: Place, runs: dict[str, FlowRun]) -> dict[str, Seen]:
    """Return what was seen where, by how the run ends that it was seen in."""
    of = {str(run.id): how for how, run in runs.items()}
    seen: dict[str, Seen] = {how: {} for how in runs}
    for line in (place.folder / "seen").read_text().splitlines():
        where, facts = json.loads(line)
        seen[of[facts["flow_run.root_flow_run_id"]]].setdefault(where, []).append(facts)
    return seen


def expected(deployment: DeploymentResponse, run: FlowRun, how: str, variables: Any) -> dict[str, Any]:
    assert run.expected_start_time is not None
    return {
        "deployment.id": str(deployment.id),
        "deployment.name": "there",
        "deployment.version": "7",
        "deployment.parameters": {"how": how},
        "deployment.flow_run_id": str(run.id),
        "deployment.tags": ["t"],
        "flow_run.id": str(run.id),
        "flow_run.parent_flow_run_id": None,
        "flow_run.root_flow_run_id": str(run.id),
        "flow_run.parent_deployment_id": None,
        "flow_run.job_variables": variables,
        "flow_run.work_pool_name": deployment.work_pool_name,
        "flow_run.work_queue_name": deployment.work_queue_name,
        "flow_run.scheduled_start_time": run.expected_start_time.isoformat(),
    }


@pytest.mark.parametrize("carried_out", [served, worked], ids=["serve", "worker"])
def test_the_run_and_its_deployment_are_known_everywhere(place: Place, carried_out: Any) -> None:
    shutil.copy(Path(__file__).with_name("told.py"), place.folder)
    url = place.env.get("PREFECT_API_URL")
    with ExitStack() as stack:
        between = None if url is None else stack.enter_context(proxy(url))
        deployment = stack.enter_context(carried_out(place))
        # Only the processes of the runs go by the proxy.
        variables = {"env": {"SEEN": "1"} if between is None else {"PREFECT_API_URL": between.url}}
        runs = {
            how: place.run_of(deployment.id, parameters={"how": how}, job_variables=variables) for how in ENDS
        }
        cancelled = runs["is cancelled"]
        place.until(cancelled, lambda run: run.state_name == "Running")
        place.wait_for(lambda: "flow" in seen_by(place, runs)["is cancelled"])
        place.client.call(set_flow_run_state, cancelled.id, State(type=StateType.CANCELLING))
        ended = {how: place.end_of(run) for how, run in runs.items()}
        assert {how: run.state_name for how, run in ended.items()} == ENDS, place.printed
        # Hooks are called when the state is stored already.
        place.wait_for(lambda: all(HOOKS[how] in places for how, places in seen_by(place, runs).items()))
        seen = seen_by(place, runs)

    assert set(seen["completes"]) == EVERYWHERE
    for how in ENDS.keys() - {"completes"}:
        assert set(seen[how]) == {"import", "name", "running", "flow", HOOKS[how]}
    for how, run in runs.items():
        known = expected(deployment, run, how, variables)
        for where, all_facts in seen[how].items():
            for facts in all_facts:
                if facts["flow_run.id"] == str(run.id):
                    assert facts == known, (how, where)
                else:
                    check_nested(facts, known, where)
    assert [each["flow_run.id"] for each in seen["completes"]["child"]] == [str(runs["completes"].id)] * 2
    if between is not None:
        count_lookups(between.asked, runs["completes"])


def check_nested(facts: dict[str, Any], known: dict[str, Any], where: str) -> None:
    """A nested run has the deployment of the run around it."""
    own = {"flow_run.id", "deployment.flow_run_id", "flow_run.parent_flow_run_id"}
    own |= {"flow_run.parent_deployment_id", "flow_run.scheduled_start_time"}
    of_infrastructure = {"flow_run.job_variables", "flow_run.work_pool_name", "flow_run.work_queue_name"}
    for name in known.keys() - own - of_infrastructure:
        assert facts[name] == known[name], (where, name)
    assert facts["deployment.flow_run_id"] == facts["flow_run.id"] != known["flow_run.id"]
    assert facts["flow_run.parent_flow_run_id"] is not None
    assert facts["flow_run.parent_deployment_id"] == known["deployment.id"], where


def count_lookups(asked: list[str], run: FlowRun) -> None:
    """Each process reads the run once at most; job variables may be secret, and do not come along."""
    processes = 3
    reads = Counter(each for each in asked if each.startswith("GET ") and str(run.id) in each)
    assert reads == {f"GET /api/flow_runs/{run.id}": processes}
