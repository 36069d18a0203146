"""The server tells of what it keeps."""

from __future__ import annotations


def test_what_happens_to_a_work_pool_is_told(client):
    client.post("/api/work_pools/", json={"name": "shop", "type": "process"})
    client.delete("/api/work_pools/shop")

    asked = {"filter": {"event": {"prefix": ["prefect.work-pool."]}, "order": "ASC"}}
    created, deleted = client.post("/api/events/filter", json=asked).json()["events"]

    assert (created["event"], deleted["event"]) == ("prefect.work-pool.created", "prefect.work-pool.deleted")
    assert created["resource"] == deleted["resource"]
    assert created["resource"]["prefect.work-pool.type"] == "process"
    assert created["related"][0]["prefect.resource.role"] == "default-queue"


def test_what_happens_to_a_variable_is_told(client):
    made = client.post("/api/variables/", json={"name": "colour", "value": "red", "tags": ["a"]}).json()
    client.patch(f"/api/variables/{made['id']}", json={"value": "blue"})
    client.post("/api/variables/", json={"name": "colour", "value": "other"})
    client.delete("/api/variables/name/colour")

    asked = {"filter": {"resource": {"id": [f"prefect.variable.{made['id']}"]}, "order": "ASC"}}
    events = client.post("/api/events/filter", json=asked).json()["events"]

    assert [event["event"] for event in events] == [
        f"prefect.variable.{happened}" for happened in ("created", "updated", "deleted")
    ]
    assert events[0]["resource"]["prefect.resource.name"] == "colour"
    assert [event["payload"] for event in events] == [
        {"name": "colour", "value": value, "tags": ["a"]} for value in ("red", "blue", "blue")
    ]


def test_a_new_deployment_is_told_once(client, flow_id):
    for _ in range(2):
        made = client.post("/api/deployments/", json={"name": "nightly", "flow_id": flow_id}).json()

    asked = {"filter": {"event": {"prefix": ["prefect.deployment."]}}}
    (event,) = client.post("/api/events/filter", json=asked).json()["events"]

    assert event["resource"]["prefect.resource.id"] == f"prefect.deployment.{made['id']}"
    assert event["related"][0]["prefect.resource.id"] == f"prefect.flow.{flow_id}"
