"""The command line asks the server that PREFECT_API_URL names."""

from __future__ import annotations

import json

import pytest

from http_servers import Scripted, Told
from prefect.cli import main
from prefect.client.http import HttpClient
from prefect.client.local import LocalClient
from prefect.operations import create_flow, create_flow_run, create_logs, create_task_run
from prefect.runtime.lookup import find_flow_run
from prefect.schemas.actions import FlowCreate, FlowRunCreate, TaskRunCreate
from prefect.schemas.objects import FlowRun, Log
from prefect.settings.context import temporary_settings
from prefect.types import now


@pytest.fixture
def run(store) -> FlowRun:
    """A flow run with a task run and a line of logs, in the store that the server has."""
    client = LocalClient(store)
    flow = client.call(create_flow, FlowCreate(name="etl"))
    made = client.call(create_flow_run, FlowRunCreate(flow_id=flow.id, name="brisk-otter", tags=["a"]))
    task_run = client.call(
        create_task_run, TaskRunCreate(task_key="t", dynamic_key="0", flow_run_id=made.id, name="load")
    )
    line = Log(
        name="n", level=20, message="hello", timestamp=now(), flow_run_id=made.id, task_run_id=task_run.id
    )
    client.call(create_logs, [line])
    return made


@pytest.fixture
def with_server(server, run):
    with temporary_settings({"PREFECT_API_URL": server}):
        yield


@pytest.mark.usefixtures("with_server")
@pytest.mark.parametrize("form", ["whole", "start", "name"])
def test_a_run_is_found(run, form, capsys):
    meant = {"whole": str(run.id), "start": str(run.id)[:-3], "name": run.name}[form]
    assert main(["flow-run", "inspect", meant, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == str(run.id)


@pytest.mark.usefixtures("with_server")
def test_runs_are_listed_with_their_logs(run, capsys):
    assert main(["flow-run", "ls"]) == 0
    out = capsys.readouterr().out
    assert "brisk-otter" in out
    assert "etl" in out
    assert main(["flow-run", "logs", str(run.id)]) == 0
    assert "Task run 'load' - hello" in capsys.readouterr().out
    assert main(["task-run", "ls", "--flow-run", run.name, "--output", "json"]) == 0
    assert [found["name"] for found in json.loads(capsys.readouterr().out)] == ["load"]
    assert main(["flow", "ls"]) == 0
    assert "etl" in capsys.readouterr().out


@pytest.mark.usefixtures("with_server")
def test_a_run_is_cancelled_and_deleted(run, capsys):
    assert main(["flow-run", "cancel", run.name]) == 0
    assert main(["flow-run", "delete", str(run.id), "--yes"]) == 0
    capsys.readouterr()
    assert main(["flow-run", "inspect", str(run.id)]) == 1
    assert "not found" in capsys.readouterr().err


@pytest.mark.usefixtures("with_server")
def test_runtime_outside_of_runs_asks_the_server(run):
    found = find_flow_run(str(run.id))
    assert found is not None
    assert (found.name, found.flow_name, found.tags) == ("brisk-otter", "etl", ["a"])


def run_of(number: int) -> dict[str, str]:
    return {"id": f"01920000-0000-7000-8000-{number:012}", "flow_id": f"01920000-0000-7000-8000-{0:012}"}


def test_long_listings_come_in_pages_as_large_as_servers_give(scripted: Scripted, capsys):
    pages = [[run_of(number) for number in range(first, first + 200)] for first in (0, 200)]
    scripted.tell(*[Told(200, page) for page in pages], Told(200, []))
    with temporary_settings({"PREFECT_API_URL": scripted.url}):
        assert main(["flow-run", "ls", "--limit", "1000", "--output", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 400
    windows = [json.loads(asked.body) for asked in scripted.asked]
    assert [(window["limit"], window.get("offset", 0)) for window in windows] == [
        (200, 0),
        (200, 200),
        (200, 400),
    ]


def test_a_server_that_is_away_is_told_in_one_line(scripted, monkeypatch, capsys):
    scripted.tell(Told(500, {"exception_message": "Internal Server Error"}))
    with temporary_settings({"PREFECT_API_URL": scripted.url}):
        assert main(["flow-run", "ls"]) == 1
    assert capsys.readouterr().err.count("\n") == 1

    monkeypatch.setattr("prefect.client.retries.FIRST_CONTACT", 0)
    with temporary_settings({"PREFECT_API_URL": "http://127.0.0.1:1/api"}):
        assert main(["flow-run", "ls"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:1/api" in line


def test_a_server_costs_the_command_line_nothing_where_there_is_none(run_python):
    loaded = run_python(
        "-c",
        "import sys; from prefect.cli import main; main(['flow-run', 'ls']);"
        "print([name for name in ('httpx', 'asyncio', 'prefect.client.http') if name in sys.modules])",
    )
    assert loaded.stdout.splitlines()[-1] == "[]"


def test_clients_are_callers(scripted, store):
    assert (HttpClient(scripted.url).page, LocalClient(store).page) == (200, None)
