"""Variables, artifacts, blocks, automations and saved searches, as clients ask for them over HTTP."""

from __future__ import annotations

import pytest

NOBODY = "00000000-0000-0000-0000-000000000001"
FAILED = {"type": "event", "posture": "Reactive", "expect": ["prefect.flow-run.Failed"]}


def test_variables(client):
    made = client.post("/api/variables/", json={"name": "region", "value": {"eu": 1}, "tags": ["x"]})

    assert (made.status_code, sorted(made.json())) == (
        201,
        ["created", "id", "name", "tags", "updated", "value"],
    )
    again = client.post("/api/variables/", json={"name": "region", "value": 1})
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "A variable with the name 'region' already exists.",
    )
    assert client.patch("/api/variables/name/region", json={"value": None}).status_code == 204
    assert client.get(f"/api/variables/{made.json()['id']}").json()["value"] is None
    assert client.post("/api/variables/count", json={"sort": "CREATED_DESC", "limit": 5}).json() == 1
    assert client.delete("/api/variables/name/region").status_code == 204
    gone = client.get("/api/variables/name/region")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Variable not found."})
    for body in ({"name": "Upper", "value": 1}, {"name": "a"}, {"name": "a", "value": "x" * 5000}):
        assert client.post("/api/variables/", json=body).status_code == 422


def test_artifacts(client):
    asked = {"artifacts": {"key": {"any_": ["k"]}}, "limit": 1, "offset": None, "sort": "UPDATED_DESC"}
    made = client.post("/api/artifacts/", json={"key": "k", "type": "progress", "data": 1.0})

    assert made.status_code == 201
    assert client.patch(f"/api/artifacts/{made.json()['id']}", json={"data": 50.0}).status_code == 204
    assert client.post("/api/artifacts/filter", json=asked).json()[0]["data"] == 50.0
    [latest] = client.post("/api/artifacts/latest/filter", json={}).json()
    assert latest["latest_id"] == made.json()["id"] == client.get("/api/artifacts/k/latest").json()["id"]
    assert client.post("/api/artifacts/", json={"key": "No Key"}).status_code == 422


def test_blocks(client):
    kind = client.post("/api/block_types/", json={"name": "Login", "slug": "login"}).json()
    schema = {"block_type_id": kind["id"], "fields": {"secret_fields": ["password"]}, "capabilities": []}
    made = client.post("/api/block_schemas/", json=schema)
    again = client.post("/api/block_schemas/", json=schema)
    assert (made.status_code, again.status_code, made.json()) == (201, 200, again.json())
    checksum = made.json()["checksum"]
    assert client.get(f"/api/block_schemas/checksum/{checksum}?version=non-versioned").status_code == 200
    document = {
        "name": "mine",
        "data": {"password": "canary"},
        "block_schema_id": made.json()["id"],
        "block_type_id": kind["id"],
        "is_anonymous": False,
    }
    kept = client.post("/api/block_documents/", json=document)
    assert (kept.status_code, kept.json()["data"]) == (201, {"password": "********"})
    assert client.post("/api/block_documents/", json=document).json() == {"detail": "Block already exists"}
    path = "/api/block_types/slug/login/block_documents/name/mine"
    for hidden in (path, "/api/block_types/slug/login/block_documents", f"{path}?include_secrets=false"):
        assert "canary" not in client.get(hidden).text
    assert "canary" not in client.post("/api/block_documents/filter", json={}).text
    assert client.get(f"{path}?include_secrets=true").json()["data"] == {"password": "canary"}
    for wrong in ({"block_type_id": NOBODY}, {"data": {"a": {"$ref": {"block_document_id": NOBODY}}}}):
        assert client.post("/api/block_documents/", json=document | {"name": "b"} | wrong).status_code == 409


def test_what_the_database_refuses_tells_nothing_of_the_database(client, caplog):
    kind = client.post("/api/block_types/", json={"name": "Login", "slug": "login"}).json()
    schema = client.post("/api/block_schemas/", json={"block_type_id": kind["id"], "fields": {}}).json()
    document = {"name": "a", "block_schema_id": schema["id"], "block_type_id": kind["id"]}

    answer = client.post(
        "/api/block_documents/",
        json=document | {"data": {"a": {"$ref": {"block_document_id": NOBODY}}}},
    )

    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "This refers to something that is not there, or was there already."},
    )
    assert "refuses a row" in caplog.text


def test_what_clients_rely_on_is_protected(client):
    kind = client.post("/api/block_types/", json={"name": "Secret", "slug": "secret"}).json()

    refused = client.delete(f"/api/block_types/{kind['id']}")

    assert (kind["is_protected"], refused.status_code) == (True, 403)
    assert refused.json() == {"detail": "protected block types cannot be deleted."}


def test_automations(client):
    wanted = {"name": "mine", "trigger": FAILED, "actions": [{"type": "cancel-flow-run"}]}
    made = client.post("/api/automations/", json=wanted | {"owner_resource": "prefect.deployment.x"})

    assert (made.status_code, made.json()["trigger"]["threshold"]) == (201, 1)
    path = f"/api/automations/{made.json()['id']}"
    assert client.put(path, json=wanted | {"description": "d"}).status_code == 204
    assert client.patch(path, json={"enabled": False}).status_code == 204
    assert (client.get(path).json()["description"], client.get(path).json()["enabled"]) == ("d", False)
    asked = {"automations": {"id": None, "name": {"any_": ["mine"]}}, "sort": None, "limit": None}
    assert len(client.post("/api/automations/filter", json=asked).json()) == 1
    assert len(client.get("/api/automations/related-to/prefect.deployment.x").json()) == 1
    assert client.delete("/api/automations/owned-by/prefect.deployment.x").status_code == 202
    assert client.get(path).status_code == 404


def test_saved_searches(client):
    made = client.put("/api/saved_searches/", json={"name": "mine"})
    again = client.put("/api/saved_searches/", json={"name": "mine"})

    assert (made.status_code, again.status_code, again.json()["id"]) == (201, 200, made.json()["id"])
    assert client.delete(f"/api/saved_searches/{made.json()['id']}").status_code == 204


@pytest.mark.parametrize(("status", "body"), [(404, {"default_result_storage_block_id": NOBODY}), (422, {})])
def test_results_go_only_to_blocks_that_are_there(client, status, body):
    assert client.put("/api/admin/storage", json=body).status_code == status
    assert client.delete("/api/admin/storage").status_code == 204
    assert client.get("/api/admin/storage").json() == {"default_result_storage_block_id": None}
