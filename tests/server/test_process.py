"""The server as a process of its own, as it is deployed."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from prefect.cli import main
from prefect.settings import temporary_settings
from prefect.types import uuid7
from wire import serving


def test_what_was_accepted_is_there_after_a_restart(tmp_path, make_event):
    events = [make_event(uuid7(), "RUNNING", 1) for _ in range(100)]
    with serving(tmp_path) as (url, process):
        flow = httpx.post(f"{url}/flows/", json={"name": "etl"}).json()
        run = httpx.post(f"{url}/flow_runs/", json={"flow_id": flow["id"]}).json()
        set_state = f"{url}/flow_runs/{run['id']}/set_state"
        assert httpx.post(set_state, json={"state": {"type": "RUNNING"}}).status_code == 201
        with connect(url.replace("http", "ws") + "/events/in", subprotocols=["prefect"]) as socket:
            socket.send('{"type": "auth", "token": null}')
            assert json.loads(socket.recv()) == {"type": "auth_success"}
            for event in events:
                socket.send(json.dumps(event))
            socket.ping().wait(20)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    # The store was closed: SQLite has put everything into the one file.
    assert not list(tmp_path.glob("*-wal"))

    with serving(tmp_path) as (url, _):
        assert httpx.get(f"{url}/flow_runs/{run['id']}").json()["state_type"] == "RUNNING"
        assert httpx.post(f"{url}/task_runs/count").json() == len(events)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_only_this_machine_is_served_without_authentication(host, capsys):
    assert main(["server", "start", "--host", host]) == 1
    assert "without authentication" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "auth"), [(["--allow-unauthenticated"], ""), ([], "admin:pw")], ids=["allowed", "guarded"]
)
def test_others_are_served_where_that_is_said_or_they_must_say_who_they_are(tmp_path, options, auth):
    with serving(tmp_path, "--host", "0.0.0.0", *options, PREFECT_SERVER_API_AUTH_STRING=auth) as (url, _):
        there = url.replace("0.0.0.0", "127.0.0.1")
        answer = httpx.get(f"{there}/version", headers={"host": "prefect:4200"})
        assert answer.status_code == (401 if auth else 200)
        if auth:
            assert httpx.get(f"{there}/version", auth=("admin", "pw")).json() == "0.8.4"


def test_a_port_that_is_taken_is_named(tmp_path, capsys):
    with serving(tmp_path) as (url, _):
        port = url.rpartition(":")[2].removesuffix("/api")

        assert main(["server", "start", "--port", port]) == 1
        assert f"port {port}" in capsys.readouterr().err


def test_any_request_is_sent_from_the_command_line(tmp_path, capsys):
    often = {"PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "0.05"}
    (tmp_path / "flow.json").write_text('{"name": "etl"}')

    def api(*words: str, code: int = 0) -> tuple[Any, str]:
        assert main(["api", *words]) == code
        said = capsys.readouterr()
        return json.loads(said.out or "null"), said.err

    with (
        serving(tmp_path, "--no-late-runs", "--no-ui", "--analytics-off", **often) as (url, _),
        temporary_settings({"PREFECT_API_URL": url}),
    ):
        flow, _ = api("POST", "/flows/", "--data", f"@{tmp_path / 'flow.json'}")
        due = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:00:00Z"}}
        run, _ = api("post", "flow_runs/", "--data", json.dumps({"flow_id": flow["id"], "state": due}))
        assert api("POST", "/flows/count")[0] == 1
        _, heads = api("GET", f"/flows/{flow['id']}", "-v", "-H", "X-Word: said")
        assert f"> GET {url}/flows/{flow['id']}\n" in heads and "> x-word: said\n" in heads
        assert "< 200 OK\n" in heads
        assert api("DELETE", f"/flows/{run['id']}", code=4)[1].startswith("Error: 404 Not Found\n")
        for _ in range(20):
            assert api("GET", f"/flow_runs/{run['id']}")[0]["state_name"] == "Scheduled"
        for wrong in (("FETCH", "/x"), ("GET", "/x", "-H", "x"), ("POST", "/x", "--data", "{")):
            assert api(*wrong, code=1)[1]
    assert "PREFECT_API_URL" in api("GET", "/x", code=1)[1]


def test_services_run_unless_they_are_left_out(tmp_path):
    often = {"PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "0.05"}
    with serving(tmp_path, "--no-services", **often) as (url, _):
        flow = httpx.post(f"{url}/flows/", json={"name": "etl"}).json()
        due = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:00:00Z"}}
        run = httpx.post(f"{url}/flow_runs/", json={"flow_id": flow["id"], "state": due}).json()
        for _ in range(20):
            assert httpx.get(f"{url}/flow_runs/{run['id']}").json()["state_name"] == "Scheduled"

    with serving(tmp_path, **often) as (url, _):
        until = time.monotonic() + 30
        while httpx.get(f"{url}/flow_runs/{run['id']}").json()["state_name"] != "Late":
            assert time.monotonic() < until
        # What clients list and nobody has to make.
        while httpx.get(f"{url}/block_types/slug/secret").status_code == 404:
            assert time.monotonic() < until
