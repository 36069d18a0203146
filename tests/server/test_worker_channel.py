"""The socket of workers, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from litestar.exceptions import WebSocketDisconnect

from prefect.operations.work_pools import delete_work_pool, update_work_pool
from prefect.schemas.work_pools import WorkPoolUpdate
from prefect.server import worker_channel
from prefect.types import now

BOTH = ["worker_heartbeat.v1", "work_pool_snapshot.v1"]


@pytest.fixture
def client(own_client: Any) -> Any:
    return own_client


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_channel, "LOOK_SECONDS", 0.01)


@pytest.fixture
def pool(client: Any) -> dict[str, Any]:
    return dict(client.post("/api/work_pools/", json={"name": "pool", "type": "process"}).json())


def frame(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "id": str(uuid4()), "sent_at": now().isoformat(), "payload": payload}


def hello(**changes: Any) -> dict[str, Any]:
    payload = {
        "consumer_id": str(uuid4()),
        "worker_name": "w",
        "worker_type": "process",
        "heartbeat_interval_seconds": 30,
        "supported_channel_versions": ["work_pool_worker_channel.v1"],
        "requested_capabilities": BOTH,
        **changes,
    }
    return frame("worker.hello.v1", **payload)


@contextmanager
def connected(client: Any, pool: str = "pool") -> Iterator[Any]:
    path = f"/api/work_pools/{pool}/workers/connect"
    with client.websocket_connect(path, subprotocols=["prefect"]) as socket:
        socket.send_json({"type": "auth", "token": None})
        assert socket.receive_json() == {"type": "auth_success"}
        yield socket


def closing(client: Any, message: dict[str, Any], pool: str = "pool") -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as closed, connected(client, pool) as socket:
        socket.send_json(message)
        socket.receive_json()
    return closed.value.code, closed.value.detail


def test_a_worker_is_told_what_its_pool_is_like(client, pool):
    with connected(client) as socket:
        greeting = hello(requested_capabilities=[*BOTH, "cleanup_delivery.v1"])
        socket.send_json(greeting)
        ready = socket.receive_json()

        assert ready.keys() == {"type", "id", "sent_at", "payload"}
        assert ready["type"] == "worker.ready.v1"
        payload = ready["payload"]
        snapshot = payload.pop("initial_snapshot")
        assert payload == {
            "consumer_id": greeting["payload"]["consumer_id"],
            "worker_id": None,
            "selected_channel_version": "work_pool_worker_channel.v1",
            "effective_heartbeat_interval_seconds": 30,
            "accepted_capabilities": BOTH,
            "rejected_capabilities": ["cleanup_delivery.v1"],
            "effective_max_cleanup_concurrency": 0,
            "resolved_work_queues": [{"id": pool["default_queue_id"], "name": "default"}],
        }
        assert (snapshot["snapshot_sequence"], snapshot["work_pool"]["status"]) == (1, "READY")
        assert snapshot["work_pool"].keys() == pool.keys()


def test_a_worker_is_told_of_changes_whoever_makes_them(client, pool, store):
    with connected(client) as socket:
        socket.send_json(hello())
        socket.receive_json()

        update_work_pool(store, "pool", WorkPoolUpdate(is_paused=True))
        told = socket.receive_json()

        assert told["type"] == "work_pool.snapshot.v1"
        assert told["payload"]["snapshot_sequence"] == 2
        assert told["payload"]["reason"] == "work_pool_updated"
        assert told["payload"]["work_pool"]["is_paused"] is True


def test_a_worker_that_is_heard_of_is_online(client, pool):
    with connected(client) as socket:
        socket.send_json(hello())
        socket.receive_json()
        beat = {"consumer_id": str(uuid4()), "worker_name": "w", "heartbeat_interval_seconds": 7}
        socket.send_json(frame("worker.heartbeat.v1", **beat))
        # It is not answered.
        deadline, worker = time.monotonic() + 50, {"heartbeat_interval_seconds": None}
        while worker["heartbeat_interval_seconds"] != 7:
            assert time.monotonic() < deadline, worker
            (worker,) = client.post("/api/work_pools/pool/workers/filter", json={}).json()

        assert worker["status"] == "ONLINE"


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"requested_capabilities": BOTH[:1]}, 1002, "protocol_error"),
        ({"requested_capabilities": []}, 1002, "protocol_error"),
        ({"default_base_job_template": None}, 1002, "protocol_error"),
        ({"worker_name": ""}, 1002, "protocol_error"),
        ({"more": 1}, 1002, "protocol_error"),
        ({"supported_channel_versions": ["v9"]}, 1008, "unsupported_version"),
        ({"work_queue_names": ["none"]}, 1008, "authorization_failed"),
    ],
)
def test_workers_that_are_not_let_in(client, pool, changes, code, reason):
    assert closing(client, hello(**changes)) == (code, reason)


def test_what_is_no_frame_ends_the_connection(client, pool):
    assert closing(client, {"type": "hello"}) == (1002, "protocol_error")
    assert closing(client, {**hello(), "more": 1}) == (1002, "protocol_error")


def test_a_pool_is_made_only_if_it_is_asked_for(client):
    assert closing(client, hello(), "new") == (1008, "authorization_failed")
    assert closing(client, hello(create_pool_if_not_found=True), "prefect-x") == (
        1008,
        "authorization_failed",
    )
    with connected(client, "new") as socket:
        socket.send_json(hello(create_pool_if_not_found=True))
        made = socket.receive_json()["payload"]["initial_snapshot"]["work_pool"]
    assert (made["name"], made["type"]) == ("new", "process")


def test_the_worker_of_a_deleted_pool_is_disconnected(client, pool, store):
    with pytest.raises(WebSocketDisconnect) as closed, connected(client) as socket:
        socket.send_json(hello())
        socket.receive_json()
        delete_work_pool(store, "pool")
        socket.receive_json()
    assert (closed.value.code, closed.value.detail) == (1008, "authorization_failed")


def test_who_does_not_greet_is_not_let_in(client, pool):
    path = "/api/work_pools/pool/workers/connect"
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect(path, subprotocols=["prefect"]) as socket,
    ):
        socket.send_json({"type": "hello"})
        socket.receive_json()
    assert (closed.value.code, closed.value.detail) == (1008, "authentication_failed")
