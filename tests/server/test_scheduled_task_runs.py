"""Workers of tasks are given the task runs that wait for them, one at a time, each to one of them."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from queue import Empty

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from prefect.server.app import make_app
from prefect.types import now, uuid7

PATH = "/api/task_runs/subscriptions/scheduled"


@pytest.fixture
def client(own_client):
    return own_client


def delay(client, key="bg", ahead=0.0, deferred=True):
    due = (now() + timedelta(seconds=ahead)).isoformat()
    details = {"scheduled_time": due, "deferred": deferred, "task_parameters_id": str(uuid7())}
    state = {"type": "SCHEDULED", "name": "Scheduled", "state_details": details}
    run = {
        "state": state,
        "task_key": key,
        "dynamic_key": f"{key}-{uuid7()}",
        "name": "bg",
        "flow_run_id": None,
    }
    answer = client.post("/api/task_runs/", json=run)
    assert answer.status_code == 201
    return answer.json()["id"]


def subscribe(client, *keys):
    socket = client.websocket_connect(PATH, subprotocols=["prefect"])
    socket.__enter__()
    socket.send_json({"type": "auth", "token": None})
    assert socket.receive_json() == {"type": "auth_success"}
    socket.send_json({"type": "subscribe", "keys": list(keys), "client_id": "vm-1"})
    return socket


def test_runs_are_given_one_at_a_time_when_they_are_due(client):
    first = delay(client)
    delay(client, "other")
    delay(client, ahead=3600)
    delay(client, deferred=False)
    second = delay(client)

    worker = subscribe(client, "bg")
    given = worker.receive_json()
    assert (given["id"], given["state_type"], given["task_key"]) == (first, "SCHEDULED", "bg")
    assert given["state"]["state_details"]["task_parameters_id"]
    with pytest.raises(Empty):
        worker.receive_json(timeout=0.1)
    worker.send_json({"type": "ack"})
    assert worker.receive_json()["id"] == second
    worker.send_json({"type": "ack"})
    third = delay(client)
    assert worker.receive_json()["id"] == third
    worker.close()


def given_to(workers):
    """Acknowledge what waits for workers, and return it; who is quicker is given more."""
    given = []
    for worker in workers:
        with suppress(Empty):
            given.append(worker.receive_json(timeout=0.1)["id"])
            worker.send_json({"type": "ack"})
    return given


def test_each_run_is_given_to_one_worker_of_any_server(client, store):
    runs = {delay(client) for _ in range(6)}
    given = []
    with TestClient(make_app(store), base_url="http://127.0.0.1") as elsewhere:
        workers = [subscribe(server, "bg") for server in (client, elsewhere, client)]
        while len(given) < len(runs):
            given += given_to(workers)
        given += given_to(workers)
        for worker in workers:
            worker.close()

    assert sorted(given) == sorted(runs)


def test_a_run_that_nobody_took_is_given_to_another(client):
    run = delay(client)
    worker = subscribe(client, "bg")
    assert worker.receive_json()["id"] == run
    worker.close()

    other = subscribe(client, "bg")
    assert other.receive_json()["id"] == run
    other.send_json({"type": "nope"})
    with pytest.raises(WebSocketDisconnect) as ended:
        other.receive_json()
    assert ended.value.code == 4001

    third = subscribe(client, "bg")
    assert third.receive_json()["id"] == run
    third.send_json({"type": "ack"})
    third.close()


def test_a_worker_that_is_never_heard_of_does_not_keep_a_run(client, monkeypatch):
    from prefect.server import scheduled_task_runs

    monkeypatch.setattr(scheduled_task_runs, "ACKNOWLEDGE_SECONDS", 0.1)
    run = delay(client)
    silent = subscribe(client, "bg")
    assert silent.receive_json()["id"] == run
    with pytest.raises(WebSocketDisconnect):
        silent.receive_json()

    worker = subscribe(client, "bg")
    assert worker.receive_json()["id"] == run
    worker.close()


@pytest.mark.parametrize("first", ['{"type": "nope"}', "no json", '{"type": "subscribe", "keys": []}'])
def test_who_does_not_say_which_tasks_it_serves_is_disconnected(client, first):
    with client.websocket_connect(PATH) as socket:
        socket.send_text(first)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()

    assert ended.value.code == 4001


def test_who_waits_for_task_runs_is_told(client):
    def waiting(**asked):
        answer = client.post("/api/task_workers/filter", json=asked)
        assert answer.status_code == 200
        return [(worker["identifier"], worker["task_keys"]) for worker in answer.json()]

    assert waiting() == []
    worker = subscribe(client, "bg", "other")
    until(lambda: waiting() == [("vm-1", ["bg", "other"])])
    assert waiting(task_worker_filter={"task_keys": ["other", "bg"]}) == [("vm-1", ["bg", "other"])]
    assert waiting(task_worker_filter={"task_keys": ["bg", "third"]}) == []
    assert client.post("/api/task_workers/filter", json={"task_worker_filter": {}}).status_code == 422
    worker.close()
    until(lambda: waiting() == [])


def until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


def test_a_worker_is_no_longer_told_when_its_server_has_died(store, monkeypatch):
    from prefect.operations import task_workers

    task_workers.see_task_worker(store, "a", "vm-1", ["bg"])
    assert [each.identifier for each in task_workers.read_task_workers(store)] == ["vm-1"]
    later = now() + timedelta(minutes=10)
    monkeypatch.setattr(task_workers, "now", lambda: later)
    assert task_workers.read_task_workers(store) == []
    task_workers.see_task_worker(store, "b", "vm-2", ["bg"])
    assert [each.identifier for each in task_workers.read_task_workers(store)] == ["vm-2"]
