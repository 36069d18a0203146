"""The server tells of each state that a flow run enters."""

from __future__ import annotations

from prefect.operations import create_flow, create_flow_run
from prefect.operations.event_listings import read_events
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.events import EventQuery
from prefect.store import make_store


def events_of(client, run):
    asked = {"filter": {"resource": {"id": [f"prefect.flow-run.{run['id']}"]}, "order": "ASC"}}
    return client.post("/api/events/filter", json=asked).json()["events"]


def test_each_state_is_an_event(client, make_run, flow_id):
    run = make_run(state={"type": "SCHEDULED"}, tags=["nightly"], name="brown-fox")
    for kind in ("PENDING", "RUNNING"):
        client.post(f"/api/flow_runs/{run['id']}/set_state", json={"state": {"type": kind, "message": "on"}})

    scheduled, pending, running = events_of(client, run)
    states = client.get("/api/flow_run_states/", params={"flow_run_id": run["id"]}).json()
    assert [event["id"] for event in (scheduled, pending, running)] == [state["id"] for state in states]
    assert [event["event"] for event in (scheduled, pending, running)] == [
        f"prefect.flow-run.{name}" for name in ("Scheduled", "Pending", "Running")
    ]
    assert [event["follows"] for event in (scheduled, pending, running)] == [
        None,
        states[0]["id"],
        states[1]["id"],
    ]
    assert running["occurred"] == states[2]["timestamp"]
    assert running["resource"] == {
        "prefect.resource.id": f"prefect.flow-run.{run['id']}",
        "prefect.resource.name": "brown-fox",
        "prefect.run-count": "1",
        "prefect.state-message": "on",
        "prefect.state-name": "Running",
        "prefect.state-timestamp": running["resource"]["prefect.state-timestamp"],
        "prefect.state-type": "RUNNING",
    }
    assert running["related"] == [
        {
            "prefect.resource.id": f"prefect.flow.{flow_id}",
            "prefect.resource.role": "flow",
            "prefect.resource.name": "etl",
        },
        {"prefect.resource.id": "prefect.tag.nightly", "prefect.resource.role": "tag"},
    ]
    assert running["payload"] == {
        "intended": {"from": "PENDING", "to": "RUNNING"},
        "initial_state": {"type": "PENDING", "name": "Pending", "message": "on"},
        "validated_state": {"type": "RUNNING", "name": "Running", "message": "on"},
    }
    assert scheduled["payload"]["initial_state"] is None


def test_what_is_refused_is_no_event(client, make_run):
    run = make_run(state={"type": "RUNNING"})
    client.post(f"/api/flow_runs/{run['id']}/set_state", json={"state": {"type": "PENDING"}})

    assert [event["event"] for event in events_of(client, run)] == ["prefect.flow-run.Running"]


def test_a_file_that_no_server_serves_keeps_none(tmp_path):
    store = make_store(f"sqlite:///{tmp_path / 'alone.db'}")
    flow = create_flow(store, FlowCreate(name="etl"))
    create_flow_run(store, FlowRunCreate(flow_id=flow.id))

    assert read_events(store, EventQuery()).total == 0
    store.close()
