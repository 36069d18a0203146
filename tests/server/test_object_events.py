"""The server tells of what it keeps."""

from __future__ import annotations


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
