"""Requests and answers as such: their size, their form, their path."""

from __future__ import annotations

import gzip

import pytest

from prefect.operations.flow_runs import _send_ended

MANY = [f"tag-{number}" for number in range(200)]


def test_large_answers_are_compressed_for_who_takes_that(client):
    client.post("/api/flows/", json={"name": "large", "tags": MANY})
    client.post("/api/flows/", json={"name": "small"})

    def ask(name, accepted):
        with client.stream("GET", f"/api/flows/name/{name}", headers={"accept-encoding": accepted}) as answer:
            return answer.headers.get("content-encoding"), b"".join(answer.iter_raw())

    encoding, content = ask("large", "deflate, gzip;q=0.8")
    assert encoding == "gzip"
    assert gzip.decompress(content) == ask("large", "identity")[1]
    assert ask("large", "gzip;q=0, br")[0] is None
    assert ask("small", "gzip")[0] is None


@pytest.mark.parametrize("size", [524_288 - 10, 524_288 - 8, 524_288 - 7, 700_000])
def test_parameters_of_a_run_have_at_most_512_kb(client, flow_id, size):
    body = {"flow_id": flow_id, "parameters": {"x": "a" * size}}  # 8 bytes around it

    answer = client.post("/api/flow_runs/", json=body)

    if size + 8 <= 524_288:
        assert answer.status_code == 201
    else:
        assert answer.status_code == 422
        detail = answer.json()["exception_detail"][0]
        assert detail["loc"] == ["body", "parameters"]
        assert f"(got {size + 8:,} bytes)" in detail["msg"]
        assert len(answer.content) < 10_000


def test_other_large_bodies_are_taken_up_to_10_mb(client, flow_id):
    logs = [{"name": "n", "level": 20, "message": "m" * 1000, "timestamp": "2026-03-01T12:00:00Z"}]

    assert client.post("/api/logs/", json=logs * 3000).status_code == 201
    assert client.post("/api/logs/", json=logs * 11000).status_code == 413


@pytest.mark.parametrize("path", ["/api/flows", "/api/flows/"])
def test_a_path_may_end_in_a_slash_or_not(client, path):
    answer = client.post(path, json={"name": "etl"}, follow_redirects=False)

    assert answer.status_code == 201


def test_runs_that_have_ended_are_kept_as_they_are_sent_unless_they_are_large(client, make_run):
    def listed():
        query = {"flow_runs": {"id": {"any_": [run["id"]]}}}
        before = _send_ended.cache_info()
        (found,) = client.post("/api/flow_runs/filter", json=query).json()
        after = _send_ended.cache_info()
        assert found == client.get(f"/api/flow_runs/{run['id']}").json()
        return found["name"], after.misses - before.misses, after.hits - before.hits

    run = make_run(name="first", state={"type": "COMPLETED"})
    assert (listed(), listed()) == (("first", 1, 0), ("first", 0, 1))
    client.patch(f"/api/flow_runs/{run['id']}", json={"name": "second"})
    assert listed() == ("second", 1, 0)
    for long in ({"name": "n" * 5000}, {"name": "second", "tags": ["t" * 5000]}):
        client.patch(f"/api/flow_runs/{run['id']}", json=long)
        assert listed() == (long["name"], 0, 0)
    for long in ({"parameters": {"x": "a" * 5000}}, {"state": {"type": "COMPLETED", "message": "m" * 5000}}):
        run = make_run(**{"name": "third", "state": {"type": "COMPLETED"}, **long})
        assert listed() == ("third", 0, 0)
