"""`prefect flow-run retry` and `watch`, and names that would do something to a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from prefect.client.current import get_caller
from prefect.operations import create_flow, create_flow_run, read_flow_run, read_flow_run_states
from prefect.operations.deployments import create_deployment
from prefect.operations.flow_runs import set_flow_run_state
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import DeploymentCreate
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateType
from prefect.settings.context import refresh_settings

SCRIPT = """
from prefect import flow

@flow
def hello(x: int):
    print("hello", x)
    if x > 1:
        raise ValueError(x)
"""


def made(name: str, ended: StateType | None, *, deployed: bool = False, x: int = 1) -> FlowRun:
    """Make a run of the flow `hello` that is in a state."""
    refresh_settings()
    client = get_caller()
    flow = client.call(create_flow, FlowCreate(name="hello"))
    deployment_id: UUID | None = None
    if deployed:
        wanted = DeploymentCreate(name="daily", flow_id=flow.id, entrypoint="hello.py:hello")
        deployment_id = client.call(create_deployment, wanted).id
    data = FlowRunCreate(name=name, flow_id=flow.id, deployment_id=deployment_id, parameters={"x": x})
    run = client.call(create_flow_run, data)
    if ended is not None:
        client.call(set_flow_run_state, run.id, State(type=ended), force=True)
    return run


@pytest.mark.parametrize("ended", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"])
def test_a_run_of_a_deployment_that_has_ended_is_due_again(prefect: Any, ended: str) -> None:
    run = made("first", StateType(ended), deployed=True)

    said = prefect("flow-run", "retry", "first").out

    found = get_caller().call(read_flow_run, run.id)
    assert "due again" in said
    assert (found.state_type, found.state_name) == (StateType.SCHEDULED, "Scheduled")
    assert found.next_scheduled_start_time is not None


def test_a_run_that_goes_on_is_not_retried(prefect: Any) -> None:
    made("first", StateType.RUNNING, deployed=True)

    assert "has not ended: it is Running" in prefect("flow-run", "retry", "first", code=1).err


def test_a_run_without_a_deployment_needs_its_flow(prefect: Any) -> None:
    made("first", StateType.FAILED)

    assert "--entrypoint PATH:FLOW" in prefect("flow-run", "retry", "first", code=1).err


@pytest.mark.processes
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("x", "code", "name"), [(1, 0, "Completed"), (2, 1, "Failed")])
def test_a_run_without_a_deployment_runs_here_with_its_parameters(x: int, code: int, name: str) -> None:
    run = made("first", StateType.FAILED, x=x)
    Path("hello.py").write_text(SCRIPT)

    words = ("flow-run", "retry", str(run.id), "--entrypoint", "hello.py:hello")
    done = subprocess.run([sys.executable, "-m", "prefect.cli", *words], capture_output=True, text=True)

    states = [state.name for state in get_caller().call(read_flow_run_states, run.id)]
    assert (done.returncode, f"hello {x}" in done.stdout) == (code, True)
    assert states == ["Pending", "Failed", "Scheduled", "Running", name]


def test_a_run_is_watched_to_its_end(prefect: Any) -> None:
    made("good", StateType.COMPLETED)
    made("bad", StateType.FAILED)
    made("slow", StateType.RUNNING)

    assert "Flow run 'good' is Completed" in prefect("flow-run", "watch", "good").out
    assert "ended in state Failed" in prefect("flow-run", "watch", "bad", code=1).err
    assert "did not end in 0 seconds" in prefect("flow-run", "watch", "slow", "--timeout", "0", code=1).err


HOSTILE = "[red]x[bold] \x1b]0;title\x07\x1b[31m\r\x9b2J\u202e"
SHOWN = r"[red]x[bold] \x1b]0;title\x07\x1b[31m\r\x9b2J\u202e"


def test_names_do_nothing_to_the_terminal(prefect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect("gcl", "create", HOSTILE, "--limit", "1")
    monkeypatch.setenv("COLUMNS", "300")

    piped = prefect("gcl", "ls").out
    monkeypatch.setattr("prefect.cli.output.is_terminal", lambda stream: True)
    for said in (piped, prefect("gcl", "ls").out, prefect("gcl", "inspect", HOSTILE).out):
        assert SHOWN in said
        assert not set(said) & set(HOSTILE) - set(SHOWN)
