"""Events become task runs."""

from __future__ import annotations

import itertools
import json
import secrets
import time

import pytest
from litestar.exceptions import WebSocketDisconnect

from prefect.types import uuid7

KINDS = ("PENDING", "RUNNING", "COMPLETED")


@pytest.fixture
def client(own_client):
    return own_client


def until(read, deadline=20.0):
    """Ask again until there is an answer: a socket does not tell when an event is written."""
    end = time.monotonic() + deadline
    while not (found := read()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def greet(socket):
    socket.send_json({"type": "auth", "token": None})
    assert socket.receive_json() == {"type": "auth_success"}


def test_events_of_the_socket_become_task_runs(client, make_run, make_event):
    run, task_run = make_run(), uuid7()
    events = [make_event(task_run, kind, second, run["id"]) for second, kind in enumerate(KINDS, 1)]
    path = f"/api/task_runs/{task_run}"

    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        greet(socket)
        for event in events:
            socket.send_json(event)
        until(lambda: client.get(path).json().get("state_type") == "COMPLETED")

    read = client.get(path).json()
    assert (read["state_type"], read["state_id"]) == ("COMPLETED", events[-1]["id"])
    assert (read["flow_run_id"], read["run_count"], read["tags"]) == (run["id"], 3, ["t"])
    assert read["state"]["timestamp"] == "2026-03-01T12:00:03Z"
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    assert [found["id"] for found in client.post("/api/task_runs/filter", json=asked).json()] == [
        str(task_run)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_events_may_come_in_any_order_and_again(client, make_event, order):
    task_run = uuid7()
    events = [make_event(task_run, kind, second) for second, kind in enumerate(KINDS, 1)]

    for place in (*order, *order):
        assert client.post("/api/events", json=[events[place]]).status_code == 204

    read = client.get(f"/api/task_runs/{task_run}").json()
    assert (read["state_type"], read["run_count"], read["total_run_time"]) == ("COMPLETED", 3, 3.0)
    states = client.get("/api/task_run_states/", params={"task_run_id": str(task_run)}).json()
    assert [state["id"] for state in states] == [event["id"] for event in events]


@pytest.mark.parametrize("label", [None, "server"])
def test_task_runs_that_others_keep_are_not_recorded(client, make_event, label):
    event = make_event(uuid7(), "RUNNING", 1)
    del event["resource"]["prefect.orchestration"]
    if label:
        event["resource"]["prefect.orchestration"] = label

    assert client.post("/api/events", json=[event]).status_code == 204
    assert client.post("/api/task_runs/count").json() == 0


def test_events_that_are_none_are_refused(client, make_event):
    nobody, crowded, empty, vague, blank = (make_event(uuid7(), "RUNNING", 1) for _ in range(5))
    del nobody["resource"]["prefect.resource.id"]
    crowded["related"] = [{"prefect.resource.id": "x", "prefect.resource.role": "r"}] * 101
    empty["payload"] = {}
    vague["related"] = [{"prefect.resource.id": "x"}]
    blank["related"] = [{"prefect.resource.id": "x", "prefect.resource.role": ""}]

    for event in (nobody, crowded, empty, vague, blank):
        assert client.post("/api/events", json=[event]).status_code == 422
    assert client.post("/api/task_runs/count").json() == 0


def test_an_event_that_no_store_can_take_does_not_keep_others_back(client, make_event, caplog):
    huge, good = make_event(uuid7(), "RUNNING", 1), make_event(task_run := uuid7(), "RUNNING", 1)
    huge["payload"]["task_run"]["run_count"] = 2**70

    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        greet(socket)
        socket.send_json(huge)
        socket.send_json(good)
        assert until(lambda: client.get(f"/api/task_runs/{task_run}").status_code == 200)

    assert "is left out" in caplog.text


def test_an_event_that_is_too_large_for_an_index_does_not_keep_others_back(client, make_event):
    long, good = make_event(uuid7(), "RUNNING", 1), make_event(task_run := uuid7(), "RUNNING", 1)
    # PostgreSQL would make it short, were it not random.
    long["event"], long["resource"] = "e", {"prefect.resource.id": secrets.token_hex(20_000)}

    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        greet(socket)
        socket.send_json(long)
        socket.send_json(good)
        assert until(lambda: client.get(f"/api/task_runs/{task_run}").status_code == 200)
    assert client.post("/api/task_runs/count").json() == 1


def test_events_wait_for_a_store_that_cannot_be_written(store, make_event, monkeypatch):
    from contextlib import contextmanager

    from litestar.testing import TestClient

    from prefect.exceptions import StoreUnavailable
    from prefect.server import inbox
    from prefect.server.app import make_app

    write, refusals = store.transaction, iter([True, True])

    @contextmanager
    def write_after_a_while():
        if next(refusals, False):
            raise StoreUnavailable("no space is left")
        with write() as connection:
            yield connection

    monkeypatch.setattr(store, "transaction", write_after_a_while)
    monkeypatch.setattr(inbox, "PAUSE_SECONDS", 0.01)
    with TestClient(make_app(store), base_url="http://127.0.0.1") as client:
        with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
            greet(socket)
            socket.send_json(make_event(task_run := uuid7(), "RUNNING", 1))
        assert until(lambda: client.get(f"/api/task_runs/{task_run}").status_code == 200)


def test_events_that_were_sent_are_written_before_the_server_ends(store, make_event):
    from litestar.testing import TestClient

    from prefect.operations import count_task_runs
    from prefect.schemas.queries import TaskRunQuery
    from prefect.server.app import make_app

    with (
        TestClient(make_app(store), base_url="http://127.0.0.1") as client,
        client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket,
    ):
        greet(socket)
        for _ in range(50):
            socket.send_json(make_event(uuid7(), "RUNNING", 1))

    assert count_task_runs(store, TaskRunQuery()) == 50


@pytest.mark.parametrize("first", ['{"nope": 1}', "not json", "[]"])
def test_who_does_not_greet_is_disconnected(client, first):
    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        socket.send_text(first)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()

    assert (ended.value.code, ended.value.detail) == (1008, "Expected 'auth' message")


@pytest.mark.parametrize("wrong", ["not json", json.dumps({"event": "x"})])
def test_what_is_no_event_disconnects(client, wrong):
    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        greet(socket)
        socket.send_text(wrong)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_pages_of_other_sites_cannot_send_events(client):
    with pytest.raises(WebSocketDisconnect) as ended:
        client.websocket_connect("/api/events/in", headers={"origin": "http://evil.example"}).__enter__()

    assert ended.value.code == 1008


@pytest.mark.parametrize("path", ["/api/events/nope", "/api/nope", "/api/flows/"])
def test_sockets_that_are_not_there_are_refused(client, path, caplog):
    with pytest.raises(WebSocketDisconnect):
        client.websocket_connect(path, subprotocols=["prefect"]).__enter__()

    assert caplog.text == ""
