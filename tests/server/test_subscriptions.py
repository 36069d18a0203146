"""Clients are told what happens: what is stored first, then what comes, each once and in order."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from queue import Empty

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from prefect.server.app import make_app
from prefect.settings import PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED as STREAM_OUT
from prefect.settings import PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED as PUBLISHING
from prefect.settings import temporary_settings
from prefect.types import uuid7


@pytest.fixture
def client(own_client):
    return own_client


def an_event(name, seconds_ago=0.0, **values):
    return {
        "id": str(uuid7()),
        "occurred": (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": "r.1"},
        **values,
    }


def subscribe(client, path, asked):
    socket = client.websocket_connect(path, subprotocols=["prefect"])
    socket.__enter__()
    socket.send_json({"type": "auth", "token": None})
    assert socket.receive_json() == {"type": "auth_success"}
    socket.send_json({"type": "filter", **asked})
    return socket


def named(prefix):
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    return {"filter": {"event": {"prefix": [prefix]}, "occurred": {"since": since}}}


def test_stored_events_come_first_then_new_ones_each_once(client):
    old = [
        an_event("my.old", 60),
        an_event("my.older", 120),
        an_event("other", 60),
        an_event("my.oldest", 4000),
    ]
    client.post("/api/events", json=old)

    socket = subscribe(client, "/api/events/out", named("my."))
    told = [socket.receive_json() for _ in range(2)]
    new = [an_event("my.new.1"), an_event("else"), an_event("my.new.2")]
    client.post("/api/events", json=new)
    client.post("/api/events", json=[*new, *old, an_event("my.last")])
    told += [socket.receive_json() for _ in range(3)]
    socket.close()

    assert [message["event"]["event"] for message in told] == [
        "my.older",
        "my.old",
        "my.new.1",
        "my.new.2",
        "my.last",
    ]
    assert {message["type"] for message in told} == {"event"}
    assert told[2]["event"]["id"] == new[0]["id"]
    assert told[2]["event"]["received"] >= told[2]["event"]["occurred"][:19]


def test_without_backfill_only_new_events_come(client):
    client.post("/api/events", json=[an_event("my.old", 60)])

    socket = subscribe(client, "/api/events/out", {**named("my."), "backfill": False})
    other = subscribe(client, "/api/events/out", named("my."))
    assert other.receive_json()["event"]["event"] == "my.old"
    client.post("/api/events", json=[an_event("my.new")])

    assert socket.receive_json()["event"]["event"] == "my.new"
    assert other.receive_json()["event"]["event"] == "my.new"
    socket.close()
    other.close()


def test_events_of_another_server_on_the_same_database_come_too(client, store):
    with TestClient(make_app(store), base_url="http://127.0.0.1") as elsewhere:
        socket = subscribe(client, "/api/events/out", named("my."))
        elsewhere.post("/api/events", json=[an_event("my.first")])
        assert socket.receive_json()["event"]["event"] == "my.first"
        elsewhere.post("/api/events", json=[an_event("my.second")])
        assert socket.receive_json()["event"]["event"] == "my.second"
        socket.close()


@pytest.mark.parametrize("first", ['{"type": "nope"}', "no json", "[]", '{"type": "filter"}'])
@pytest.mark.parametrize("path", ["/api/events/out", "/api/logs/out"])
def test_who_does_not_say_what_to_tell_is_disconnected(client, path, first):
    with client.websocket_connect(path) as socket:
        socket.send_text(first)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()

    assert (ended.value.code, ended.value.detail) == (1002, "Expected 'filter' message")


def test_a_filter_that_is_none_is_answered(client):
    socket = subscribe(client, "/api/events/out", {"filter": {"evnt": {}}})
    with pytest.raises(WebSocketDisconnect) as ended:
        socket.receive_json()

    assert ended.value.code == 1007
    assert "evnt" in ended.value.detail


def test_who_does_not_keep_up_is_let_go(client, monkeypatch):
    from prefect.server import feed

    monkeypatch.setattr(feed, "MOST_WAITING", 3)
    client.post("/api/events", json=[an_event("my.old", 60)])
    socket = subscribe(client, "/api/events/out", named("my."))
    socket.receive_json()
    client.post("/api/events", json=[an_event("my.new") for _ in range(10)])

    with pytest.raises(WebSocketDisconnect) as ended:
        for _ in range(10):
            socket.receive_json()

    assert ended.value.code == 1013
    assert "Too slow" in ended.value.detail


def log_records(run, message):
    at = datetime.now(UTC).isoformat()
    same = {"name": "x", "message": message, "timestamp": at, "flow_run_id": run}
    return [{**same, "level": level} for level in (10, 30)]


def test_new_logs_are_told_where_settings_say_so(store):
    run = str(uuid7())
    asked = {"filter": {"level": {"ge_": 20}, "flow_run_id": {"any_": [run]}}}
    with (
        temporary_settings({STREAM_OUT: True, PUBLISHING: True}),
        TestClient(make_app(store), base_url="http://127.0.0.1") as client,
    ):
        client.post("/api/logs/", json=log_records(run, "before"))
        socket = subscribe(client, "/api/logs/out", asked)
        # Nobody is told when a subscription begins, so logs go on until one is told.
        told = None
        for number in range(200):
            client.post("/api/logs/", json=log_records(run, str(number)))
            with contextlib.suppress(Empty):
                told = socket.receive_json(timeout=0.05)
                break
        assert told["log"]["message"].isdigit()
        messages = [int(told["log"]["message"])]
        messages += [int(socket.receive_json()["log"]["message"]) for _ in range(number - messages[0])]
        socket.close()

    assert messages == list(range(messages[0], number + 1))
    assert (told["type"], told["log"]["level"], told["log"]["flow_run_id"]) == ("log", 30, run)


def test_logs_are_not_told_unasked(client):
    socket = subscribe(client, "/api/logs/out", {"filter": {}})
    client.post("/api/logs/", json=log_records(None, "x"))
    with pytest.raises(Empty):
        socket.receive_json(timeout=0.6)
    socket.close()
