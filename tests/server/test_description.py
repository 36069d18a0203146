"""What the server says of itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import jsonschema
import msgspec

from prefect.operations import OPERATIONS
from prefect.schemas.objects import FlowRun


def test_every_operation_of_the_interface_is_described(client):
    described = client.get("/openapi.json").json()

    for operation in OPERATIONS.values():
        methods = described["paths"].get(f"/api{operation.path}", {})
        assert (operation.method.lower() in methods) is not operation.internal, operation.name
    ids = [each["operationId"] for path in described["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


def test_references_lead_somewhere(client):
    described = client.get("/openapi.json")
    schemas = described.json()["components"]["schemas"]

    references = {part.split('"')[0] for part in described.text.split('"#/components/schemas/')[1:]}

    assert references <= set(schemas)
    assert set(schemas["FlowRun"]["properties"]) == {field.name for field in msgspec.structs.fields(FlowRun)}


def test_parameters_are_where_they_belong(client):
    paths = client.get("/openapi.json").json()["paths"]

    states = paths["/api/flow_run_states/"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in states] == [
        ("flow_run_id", "query", True)
    ]
    set_state = paths["/api/flow_runs/{flow_run_id}/set_state"]["post"]
    assert [each["in"] for each in set_state["parameters"]] == ["path"]
    assert set(set_state["responses"]) == {"200", "201", "default"}


REFUSED: list[tuple[int, str, str, dict[str, Any]]] = [
    (404, "GET", "flow_runs/{flow_run_id}", {}),
    (422, "POST", "flow_runs/", {"json": {"flow_id": [1]}}),
    (422, "POST", "flow_runs/filter", {"json": {"limit": -1}}),
    (415, "POST", "flow_runs/filter", {"content": "{}"}),
    (409, "POST", "variables/", {"json": {"name": "there", "value": 1}}),
    (422, "POST", "automations/templates/validate", {"json": "{{ a b }}"}),
]


def test_refusals_are_described(client):
    document = client.get("/openapi.json").json()
    client.post("/api/variables/", json={"name": "there", "value": 1})

    for status, method, path, sent in REFUSED:
        answer = client.request(method, f"/api/{path.format(flow_run_id=uuid4())}", **sent)
        assert answer.status_code == status
        reference = document["paths"][f"/api/{path}"][method.lower()]["responses"]["default"]["$ref"]
        described = document["components"]["responses"][reference.removeprefix("#/components/responses/")]
        schema = described["content"][answer.headers["content-type"]]["schema"]
        check = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
        assert check.is_valid(answer.json())
        assert not check.is_valid({})


def test_there_is_a_page_to_try_it(client):
    page = client.get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "Proconsul" in page.text


def test_the_server_tells_how_it_is(client):
    assert client.get("/api/health").json() is True
    assert client.get("/api/ready").status_code == 200
    assert client.get("/api/version").json() == "0.8.4"
    assert client.get("/api/admin/version").json() == "3.8.8"
    assert client.get("/api/admin/storage").json() == {"default_result_storage_block_id": None}


def test_secrets_are_masked(client):
    from prefect.settings.context import temporary_settings

    secret = "correct-horse"
    with temporary_settings({"PREFECT_API_KEY": secret, "PREFECT_SERVER_DATABASE_PASSWORD": secret}):
        shown = client.get("/api/admin/settings").text

    assert secret not in shown
