"""The server tells of what it keeps."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from prefect.operations.readiness import tell_who_is_gone
from prefect.types import now


def told(client, *prefixes, **filters):
    asked = {"filter": {"event": {"prefix": [f"prefect.{each}." for each in prefixes]}, "order": "ASC"}}
    asked["filter"].update(filters)
    answer = client.post("/api/events/filter", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["events"]


def names(events):
    return [event["event"].removeprefix("prefect.") for event in events]


def roles(event):
    return [each["prefect.resource.role"] for each in event["related"]]


def ok(answer):
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def test_what_happens_to_a_work_pool_is_told(client):
    ok(client.post("/api/work_pools/", json={"name": "shop", "type": "process"}))
    ok(client.patch("/api/work_pools/shop", json={"concurrency_limit": 5, "description": "d"}))
    ok(client.patch("/api/work_pools/shop", json={"concurrency_limit": 5}))
    ok(client.patch("/api/work_pools/shop", json={"is_paused": True}))
    ok(client.patch("/api/work_pools/shop", json={"is_paused": False}))
    ok(client.delete("/api/work_pools/shop"))

    events = told(client, "work-pool", "work-queue")
    assert names(events) == [
        "work-queue.created",
        "work-pool.created",
        "work-pool.not-ready",
        "work-pool.updated",
        "work-pool.paused",
        "work-pool.not-ready",
        "work-queue.deleted",
        "work-pool.deleted",
    ]
    queue, created, not_ready, updated, *_, deleted = events
    assert created["resource"] == deleted["resource"]
    assert created["resource"]["prefect.work-pool.type"] == "process"
    assert roles(created) == ["default-queue"]
    assert (roles(queue), queue["related"][0]["prefect.work-pool.type"]) == (["work-pool"], "process")
    assert sorted(not_ready["resource"]) == [
        "prefect.resource.id",
        "prefect.resource.name",
        "prefect.work-pool.type",
    ]
    assert updated["payload"] == {
        "updated_fields": ["description", "concurrency_limit"],
        "updates": {"description": {"from": None, "to": "d"}, "concurrency_limit": {"from": None, "to": 5}},
    }


def test_what_happens_to_a_work_queue_is_told(client):
    ok(client.post("/api/work_pools/", json={"name": "shop", "type": "process"}))
    made = ok(client.post("/api/work_pools/shop/queues", json={"name": "fast"}))
    ok(client.patch("/api/work_pools/shop/queues/fast", json={"concurrency_limit": 2}))
    ok(client.patch("/api/work_pools/shop/queues/fast", json={"is_paused": True}))
    ok(client.patch("/api/work_pools/shop/queues/fast", json={"is_paused": False}))
    ok(client.delete("/api/work_pools/shop/queues/fast"))

    events = told(client, "work-queue", resource={"id": [f"prefect.work-queue.{made['id']}"]})
    assert names(events) == [
        f"work-queue.{happened}" for happened in ("created", "updated", "paused", "not-ready", "deleted")
    ]
    assert events[1]["payload"]["updates"] == {"concurrency_limit": {"from": None, "to": 2}}
    assert {event["resource"]["prefect.resource.role"] for event in events} == {"work-queue"}


def test_what_happens_to_a_variable_is_told(client):
    made = client.post("/api/variables/", json={"name": "colour", "value": "red", "tags": ["a"]}).json()
    client.patch(f"/api/variables/{made['id']}", json={"value": "blue"})
    client.post("/api/variables/", json={"name": "colour", "value": "other"})
    client.delete("/api/variables/name/colour")

    events = told(client, "variable", resource={"id": [f"prefect.variable.{made['id']}"]})

    assert names(events) == ["variable.created", "variable.updated", "variable.deleted"]
    assert events[0]["resource"]["prefect.resource.name"] == "colour"
    assert [event["payload"] for event in events] == [
        {"name": "colour", "value": value, "tags": ["a"]} for value in ("red", "blue", "blue")
    ]


def test_what_happens_to_a_deployment_is_told(client, flow_id):
    ok(client.post("/api/work_pools/", json={"name": "shop", "type": "process"}))
    wanted = {"name": "nightly", "flow_id": flow_id, "work_pool_name": "shop", "concurrency_limit": 1}
    for _ in range(2):
        made = ok(client.post("/api/deployments/", json=wanted))
    path = f"/api/deployments/{made['id']}"
    ok(client.patch(path, json={"tags": ["t"], "description": "d"}))
    ok(client.post(f"{path}/pause_deployment"))
    ok(client.post(f"{path}/pause_deployment"))
    ok(client.delete(path))

    events = told(client, "deployment")
    assert names(events) == [
        f"deployment.{happened}" for happened in ("created", "updated", "updated", "deleted")
    ]
    created, updated, paused, _ = events
    assert created["resource"]["prefect.resource.id"] == f"prefect.deployment.{made['id']}"
    assert created["related"][0] == {
        "prefect.resource.id": f"prefect.flow.{flow_id}",
        "prefect.resource.name": "etl",
        "prefect.resource.role": "flow",
    }
    for event in events:
        assert roles(event) == ["flow", "work-queue", "work-pool", "concurrency-limit"]
    assert updated["payload"]["updated_fields"] == ["tags", "description"]
    assert paused["payload"]["updates"] == {"paused": {"from": False, "to": True}}


@pytest.mark.parametrize("of_tag", [False, True])
def test_what_happens_to_a_limit_is_told(client, of_tag):
    if of_tag:
        for number in (2, 3):
            ok(client.post("/api/concurrency_limits/", json={"tag": "db", "concurrency_limit": number}))
        ok(client.delete("/api/concurrency_limits/tag/db"))
    else:
        ok(client.post("/api/v2/concurrency_limits/", json={"name": "db", "limit": 2}))
        ok(client.patch("/api/v2/concurrency_limits/db", json={"limit": 3}))
        ok(client.delete("/api/v2/concurrency_limits/db"))

    events = told(client, "concurrency-limit")
    assert names(events) == [
        f"concurrency-limit.{happened}" for happened in ("created", "updated", "deleted")
    ]
    name = "tag:db" if of_tag else "db"
    assert [event["payload"] for event in events] == [
        {"name": name, "limit": limit, "active": True, "slot_decay_per_second": 0.0} for limit in (2, 3, 3)
    ]


def test_what_happens_to_a_block_is_told_without_its_secrets(client):
    kind = ok(client.post("/api/block_types/", json={"name": "Db", "slug": "db"}))
    fields = {
        "title": "Db",
        "type": "object",
        "properties": {"host": {"type": "string"}, "password": {"type": "string"}},
        "secret_fields": ["password"],
        "block_schema_references": {},
    }
    schema = {"block_type_id": kind["id"], "fields": fields, "capabilities": ["query"]}
    of_it = {"block_type_id": kind["id"]}
    of_it["block_schema_id"] = ok(client.post("/api/block_schemas/", json=schema))["id"]
    data = {"host": "h", "password": "hunter2"}
    made = ok(client.post("/api/block_documents/", json={"name": "doc", "data": data, **of_it}))
    changed = {"data": {"host": "i"}, "merge_existing_data": True}
    ok(client.patch(f"/api/block_documents/{made['id']}", json=changed))
    ok(client.post("/api/block_documents/", json={"is_anonymous": True, "data": data, **of_it}))
    ok(client.delete(f"/api/block_documents/{made['id']}"))
    ok(client.patch(f"/api/block_types/{kind['id']}", json={"description": "d"}))
    ok(client.delete(f"/api/block_types/{kind['id']}"))

    events = told(client, "block-document", "block-type")
    assert names(events) == [
        "block-type.created",
        "block-document.created",
        "block-document.updated",
        "block-document.deleted",
        "block-type.updated",
        "block-type.deleted",
    ]
    assert "hunter2" not in json.dumps(events)
    documents = events[1:4]
    assert [event["payload"]["data"] for event in documents] == [{"host": host} for host in "hii"]
    assert documents[0]["payload"]["block_schema"] == {
        "capabilities": ["query"],
        "block_type": {"id": kind["id"], "name": "Db"},
    }
    assert roles(documents[0]) == ["block-type", "block-schema"]
    assert events[-1]["payload"]["description"] == "d"


def test_what_happens_to_the_latest_artifact_is_told(client, make_run):
    run = make_run()
    of_run = {"key": "report", "type": "markdown", "flow_run_id": run["id"]}
    first, second = (ok(client.post("/api/artifacts/", json={**of_run, "data": data})) for data in "ab")
    ok(client.post("/api/artifacts/", json={"type": "markdown", "data": "no key"}))
    ok(client.delete(f"/api/artifacts/{second['id']}"))
    ok(client.delete(f"/api/artifacts/{first['id']}"))

    events = told(client, "artifact-collection")
    assert names(events) == [
        f"artifact-collection.{happened}" for happened in ("created", "updated", "updated", "deleted")
    ]
    assert [event["payload"]["data"] for event in events] == ["a", "b", "a", "a"]
    assert [event["related"][0]["prefect.resource.id"] for event in events] == [
        f"prefect.artifact.{each['id']}" for each in (first, second, first, first)
    ]
    assert roles(events[0]) == ["latest", "flow-run"]


def test_what_happens_to_an_automation_is_told(client):
    trigger = {"type": "event", "posture": "Reactive", "expect": ["x"], "threshold": 1, "within": 0}
    wanted = {"name": "au", "trigger": trigger, "actions": [{"type": "do-nothing"}]}
    made = ok(client.post("/api/automations/", json={**wanted, "owner_resource": "prefect.deployment.1"}))
    ok(client.patch(f"/api/automations/{made['id']}", json={"enabled": False}))
    ok(client.delete("/api/automations/owned-by/prefect.deployment.1"))
    other = ok(client.post("/api/automations/", json=wanted))
    ok(client.delete(f"/api/automations/{other['id']}"))

    events = told(client, "automation")
    assert names(events) == [
        f"automation.{happened}" for happened in ("created", "updated", "deleted", "created", "deleted")
    ]
    assert [event["payload"]["enabled"] for event in events] == [True, False, False, True, True]
    assert events[0]["payload"]["trigger"]["expect"] == ["x"]


def test_who_is_there_and_who_is_gone_is_told_once(client, store, flow_id):
    ok(client.post("/api/work_pools/", json={"name": "shop", "type": "process"}))
    wanted = {"name": "nightly", "flow_id": flow_id, "work_pool_name": "shop"}
    ok(client.post("/api/deployments/", json=wanted))
    served = ok(client.post("/api/deployments/", json={"name": "served", "flow_id": flow_id}))

    def seen():
        ok(client.post("/api/work_pools/shop/workers/heartbeat", json={"name": "w"}))
        ok(client.post("/api/work_pools/shop/get_scheduled_flow_runs", json={}))
        ok(client.post("/api/deployments/get_scheduled_flow_runs", json={"deployment_ids": [served["id"]]}))

    seen()
    seen()
    ready = told(client, "work-pool", "work-queue", "deployment")
    ready = [event for event in ready if event["event"].endswith(".ready")]
    assert sorted(names(ready)) == [
        "deployment.ready",
        "deployment.ready",
        "work-pool.ready",
        "work-queue.ready",
    ]
    assert {event["resource"]["prefect.resource.name"] for event in ready} == {
        "shop",
        "default",
        "nightly",
        "served",
    }

    assert tell_who_is_gone(store, now()) == 0
    later = now() + timedelta(minutes=5)
    assert tell_who_is_gone(store, later) == 4
    assert tell_who_is_gone(store, later) == 0
    assert tell_who_is_gone(store, later + timedelta(days=1)) == 0
    gone = told(client, "work-pool", "work-queue", "deployment")[-4:]
    assert sorted(names(gone)) == [
        "deployment.not-ready",
        "deployment.not-ready",
        "work-pool.not-ready",
        "work-queue.not-ready",
    ]
