"""Names that nothing can be called."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/flows/", {}),
        ("/work_pools/", {"type": "process"}),
        ("/work_queues/", {}),
        ("/v2/concurrency_limits/", {"limit": 1}),
        ("/block_types/", {"slug": "x"}),
    ],
)
@pytest.mark.parametrize("name", ["", "a/b", "a%b", "<"])
def test_a_name_must_be_one_that_addresses_can_have(client, path, body, name):
    answer = client.post(f"/api{path}", json={"name": name, **body})
    assert answer.status_code == 422, answer.text
    if name:
        good = client.post(f"/api{path}", json={"name": "a-b c.d", **body})
        assert good.status_code == 201, good.text


def test_a_work_pool_must_not_be_called_by_blanks(client):
    answer = client.post("/api/work_pools/", json={"name": "  ", "type": "process"})
    assert answer.status_code == 422
    assert "must not be empty" in answer.json()["exception_detail"][0]["msg"]


def test_runs_without_a_name_are_given_one(client, flow_id, make_run):
    assert make_run(name="")["name"]
    deployment = client.post("/api/deployments/", json={"name": "d", "flow_id": flow_id}).json()
    made = client.post(f"/api/deployments/{deployment['id']}/create_flow_run", json={"name": ""})
    assert made.json()["name"]
