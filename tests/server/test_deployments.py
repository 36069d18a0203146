from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from litestar.testing import TestClient

Client = TestClient[Any]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def deploy(client: Client, flow_id: str) -> Any:
    """Deploy; what is given goes into the request."""

    def request(status: int = 201, **values: Any) -> dict[str, Any]:
        answer = client.post("/api/deployments/", json={"name": "nightly", "flow_id": flow_id, **values})
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    return request


def test_a_deployment_is_made_once_a_name(client: Client, deploy: Any) -> None:
    made = deploy(
        schedules=[{"schedule": {"interval": 30}}, {"schedule": {"cron": "0 0 * * *"}, "active": False}]
    )
    assert deploy(200, version="2")["id"] == made["id"]
    assert {each["schedule"].get("interval") for each in made["schedules"]} == {30.0, None}
    assert client.get(f"/api/deployments/{made['id']}").json()["version"] == "2"
    assert client.get("/api/deployments/name/etl/nightly").json()["id"] == made["id"]
    assert client.patch(f"/api/deployments/{made['id']}", json={"paused": True}).status_code == 204
    assert client.get(f"/api/deployments/{made['id']}").json()["paused"] is True
    for verb in ("pause", "resume"):
        answer = client.post(f"/api/deployments/{made['id']}/{verb}_deployment")
        assert (answer.status_code, answer.json()) == (200, None)
    assert client.delete(f"/api/deployments/{made['id']}").status_code == 204
    gone = client.get(f"/api/deployments/{made['id']}")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Deployment not found"})


def test_a_run_of_a_deployment_has_its_state_from_the_server(client: Client, deploy: Any) -> None:
    made = deploy(parameter_openapi_schema=SCHEMA)
    path = f"/api/deployments/{made['id']}/create_flow_run"
    old = {"type": "SCHEDULED", "timestamp": "2020-01-01T00:00:00Z", "id": str(uuid4())}
    run = client.post(path, json={"parameters": {"n": 1}, "state": old})
    assert run.status_code == 201
    assert run.json()["state"]["id"] != old["id"]
    assert not run.json()["state"]["timestamp"].startswith("2020")
    refused = client.post(path, json={"parameters": {"n": "x"}})
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("Error creating flow run: Validation failed for field 'n'.")
    bulk = client.post(f"{path}/bulk", json=[{"parameters": {"n": 1}}, {}])
    assert bulk.status_code == 200
    assert [each["status"] for each in bulk.json()["results"]] == ["CREATED", "FAILED"]


@pytest.mark.parametrize("field", ["storage_document_id", "infrastructure_document_id"])
def test_a_deployment_by_a_block_that_is_not_there_is_a_conflict(
    client: Client, flow_id: str, deploy: Any, field: str
) -> None:
    unknown = {field: str(uuid4())}
    wanted = {"name": "new", "flow_id": flow_id, **unknown}

    refused = client.post("/api/deployments/", json=wanted)
    assert (refused.status_code, unknown[field] in refused.json()["detail"]) == (409, True)
    assert client.get("/api/deployments/name/etl/new").status_code == 404
    path = f"/api/deployments/{deploy()['id']}"
    assert client.patch(path, json=unknown).status_code == 409
    assert client.get(path).json()[field] is None
    assert client.patch(path, json={field: None}).status_code == 204


def test_runs_are_handed_out_as_clients_ask_for_them(client: Client, deploy: Any) -> None:
    made = deploy()
    run = client.post(f"/api/deployments/{made['id']}/create_flow_run", json={}).json()
    # With a space for T, as the released client writes it.
    asked = {"deployment_ids": [made["id"]], "scheduled_before": "2100-01-01 00:00:00+00:00"}
    found = client.post("/api/deployments/get_scheduled_flow_runs", json=asked)
    assert [each["id"] for each in found.json()] == [run["id"]]
    assert client.get(f"/api/deployments/{made['id']}").json()["status"] == "READY"


def test_schedules_are_served(client: Client, deploy: Any) -> None:
    path = f"/api/deployments/{deploy()['id']}/schedules"
    made = client.post(path, json=[{"schedule": {"rrule": "FREQ=DAILY"}, "slug": "s"}])
    assert made.status_code == 201
    assert client.post(path, json=[{"schedule": {"interval": 5}, "slug": "s"}]).status_code == 409
    (schedule,) = made.json()
    assert client.patch(f"{path}/{schedule['id']}", json={"active": False}).status_code == 204
    assert client.get(path).json()[0]["active"] is False
    assert client.delete(f"{path}/{schedule['id']}").status_code == 204
    missing = client.delete(f"{path}/{schedule['id']}")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Schedule not found."})


@pytest.mark.parametrize(
    "values",
    [
        {"schedules": [{"schedule": {"interval": 0}}]},
        {"schedules": [{"schedule": {"cron": "never"}}]},
        {"schedules": [{"schedule": {}}]},
        {"concurrency_limit": 0},
        {"name": "a/b"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(deploy: Any, values: dict[str, Any]) -> None:
    assert deploy(422, **values)["exception_message"] == "Invalid request received."


def test_a_deployment_goes_to_a_pool_that_is_there(deploy: Any) -> None:
    assert deploy(404, work_pool_name="nowhere") == {"detail": 'Work pool "nowhere" not found.'}


def test_a_limit_may_be_larger_than_a_page(client: Client) -> None:
    made = client.post("/api/v2/concurrency_limits/", json={"name": "many", "limit": 5000})
    assert made.status_code == 201
    assert client.patch("/api/v2/concurrency_limits/many", json={"limit": 6000}).status_code == 204
    assert client.get("/api/v2/concurrency_limits/many").json()["limit"] == 6000


def test_figures_are_served_as_recorded(client: Client, make_run: Any) -> None:
    run = make_run()
    hours = {"history_start": "2026-01-01", "history_end": "2026-01-01 02:00:00"}
    history = client.post("/api/flow_runs/history", json={**hours, "history_interval_seconds": 3600})
    assert [each["interval_start"] for each in history.json()] == [
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
    ]
    assert client.post("/api/flow_runs/lateness", json={"flow_runs": {"name": {"any_": []}}}).json() is None
    assert client.post("/api/ui/flow_runs/count-task-runs", json={"flow_run_ids": [run["id"]]}).json() == {
        run["id"]: 0
    }
    assert client.post("/api/ui/flow_runs/history", json={"limit": 1000}).status_code == 200
    assert client.post("/api/ui/flow_runs/history", json={"limit": 1001}).status_code == 422
    assert client.patch(f"/api/flow_runs/{run['id']}/labels", json={"a": 1}).status_code == 204
    page = client.post("/api/flow_runs/paginate", json={"page": 1, "limit": 10}).json()
    assert (page["count"], page["pages"], page["page"], page["limit"]) == (1, 1, 1, 10)
    assert client.post("/api/flow_runs/paginate", json={"page": 0}).status_code == 422
    assert (
        client.post(
            "/api/flow_runs/filter", json={"flow_runs": {"start_time": {"after_": "9999-01-01"}}}
        ).json()
        == []
    )
