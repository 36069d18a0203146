"""Limits and inputs over HTTP: statuses and bodies as clients of the interface know them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from httpx import Client

LIMITS = "/api/v2/concurrency_limits"


@pytest.fixture
def limit(client: Client) -> Any:
    answer = client.post(f"{LIMITS}/", json={"name": "db", "limit": 1})
    assert answer.status_code == 201, answer.text
    return answer.json()


def take(client: Client, *names: str, **values: Any) -> Any:
    body = {"names": list(names), "slots": 1, "mode": "concurrency", "lease_duration": 60, **values}
    return client.post(f"{LIMITS}/increment-with-lease", json=body)


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json() if answer.content else None


def test_a_limit_is_made_once(client: Client, limit: Any) -> None:
    assert limit["avg_slot_occupancy_seconds"] == 2.0
    assert client.post(f"{LIMITS}/", json={"name": "db", "limit": 1}).status_code == 409
    assert client.post(f"{LIMITS}/", json={"name": "a/b", "limit": 1}).status_code == 422
    assert client.post(f"{LIMITS}/", json={"name": "x", "limit": -1}).status_code == 422
    shown = client.get(f"{LIMITS}/db").json()
    assert set(shown) == {
        "active",
        "active_slots",
        "created",
        "id",
        "limit",
        "name",
        "slot_decay_per_second",
        "updated",
    }
    assert client.get(f"{LIMITS}/{limit['id']}").json() == shown
    assert said(client.get(f"{LIMITS}/none")) == (404, {"detail": "Concurrency Limit not found"})
    assert client.patch(f"{LIMITS}/db", json={"limit": 2}).status_code == 204
    assert client.delete(f"{LIMITS}/db").status_code == 204


def test_slots_over_http(client: Client, limit: Any) -> None:
    taken = take(client, "db", "none", holder={"type": "task_run", "id": str(uuid4())})
    assert taken.status_code == 200
    lease_id = taken.json()["lease_id"]
    assert taken.json()["limits"] == [{"id": limit["id"], "name": "db", "limit": 1}]
    refused = take(client, "db")
    assert said(refused) == (423, {"detail": "Locked"})
    assert 0 < float(refused.headers["retry-after"]) <= 30
    renewed = client.post(f"{LIMITS}/leases/{lease_id}/renew", json={"lease_duration": 60})
    assert renewed.status_code == 204
    gone = client.post(f"{LIMITS}/leases/{uuid4()}/renew", json={"lease_duration": 60})
    assert said(gone) == (410, {"detail": "Lease not found - it may have expired or been revoked"})
    for _ in range(2):
        given_back = client.post(f"{LIMITS}/decrement-with-lease", json={"lease_id": lease_id})
        assert given_back.status_code == 204
    too_many = take(client, "db", slots=2)
    assert said(too_many) == (422, {"detail": "Slots requested is greater than the limit"})
    assert take(client, "db", slots=0).status_code == 422
    assert take(client, "db", lease_duration=1).status_code == 422
    assert take(client, "db", holder={"type": "x", "id": str(uuid4())}).status_code == 422


def test_slots_without_leases_over_http(client: Client, limit: Any) -> None:
    minimal = [{"id": limit["id"], "name": "db", "limit": 1}]
    body = {"names": ["db"], "slots": 1}
    assert said(client.post(f"{LIMITS}/increment", json=body)) == (200, minimal)
    assert client.post(f"{LIMITS}/increment", json=body).status_code == 423
    assert said(client.post(f"{LIMITS}/decrement", json={**body, "occupancy_seconds": 2.5})) == (200, minimal)
    assert [each["name"] for each in client.post(f"{LIMITS}/filter", json={}).json()] == ["db"]


def test_limits_of_tags_over_http(client: Client) -> None:
    made = client.post("/api/concurrency_limits/", json={"tag": "t", "concurrency_limit": 1})
    assert made.status_code == 201
    again = client.post("/api/concurrency_limits/", json={"tag": "t", "concurrency_limit": 2})
    assert (again.status_code, again.json()["concurrency_limit"]) == (200, 2)
    run_id = str(uuid4())
    for _ in range(2):
        body = {"names": ["t"], "task_run_id": run_id}
        assert client.post("/api/concurrency_limits/increment", json=body).status_code == 200
    refused = client.post("/api/concurrency_limits/increment", json=body)
    assert said(refused) == (423, {"detail": "Concurrency limit for the t tag has been reached"})
    assert refused.headers["retry-after"] == "10.0"
    assert client.get("/api/concurrency_limits/tag/t").json()["active_slots"] == [run_id, run_id]
    assert said(client.post("/api/concurrency_limits/tag/t/reset", json={})) == (200, None)
    assert said(client.delete("/api/concurrency_limits/tag/t")) == (200, None)
    not_there = (404, {"detail": "Concurrency limit not found"})
    assert said(client.get("/api/concurrency_limits/tag/t")) == not_there
    assert said(client.delete(f"/api/concurrency_limits/{uuid4()}")) == not_there


def test_inputs_over_http(client: Client, make_run: Any) -> None:
    path = f"/api/flow_runs/{make_run()['id']}/input"
    assert client.post(path, json={"key": "k", "value": '{"a": 1}'}).status_code == 201
    there = (409, {"detail": "A flow run input with this key already exists."})
    assert said(client.post(path, json={"key": "k", "value": "2"})) == there
    assert said(client.get(f"{path}/k")) == (200, {"a": 1})
    (found,) = client.post(f"{path}/filter", json={"prefix": "k"}).json()
    assert (found["key"], found["value"], found["sender"]) == ("k", '{"a": 1}', None)
    assert client.post(f"{path}/filter", json={}).status_code == 422
    assert client.delete(f"{path}/k").status_code == 204
    assert said(client.get(f"{path}/k")) == (404, {"detail": "Flow run input not found"})
    other = f"/api/flow_runs/{uuid4()}/input"
    assert said(client.post(other, json={"key": "k", "value": "1"})) == (
        404,
        {"detail": "Flow run not found"},
    )


def test_a_run_is_resumed_with_an_input_over_http(client: Client, make_run: Any) -> None:
    path = f"/api/flow_runs/{make_run()['id']}"
    client.post(f"{path}/set_state", json={"state": {"type": "RUNNING"}})
    keyset = {"schema": "s", "response": "r", "description": "d"}
    details = {"pause_timeout": "2100-01-01T00:00:00Z", "run_input_keyset": keyset}
    client.post(f"{path}/set_state", json={"state": {"type": "PAUSED", "state_details": details}})
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
    client.post(f"{path}/input", json={"key": "s", "value": schema})
    refused = client.post(f"{path}/resume", json={"run_input": {}})
    assert (refused.status_code, refused.json()["status"]) == (200, "REJECT")
    assert refused.json()["details"] == {
        "type": "abort_details",
        "reason": "Reason: Validation failed. Failure reason: 'n' is a required property",
    }
    resumed = client.post(f"{path}/resume", json={"run_input": {"n": 1}})
    assert (resumed.status_code, resumed.json()["status"]) == (201, "ACCEPT")
    assert client.get(f"{path}/input/r").json() == {"n": 1}
