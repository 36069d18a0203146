"""One form for each kind of error, and never a 500 for what a client sends."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from prefect.exceptions import StoreUnavailable
from prefect.server.app import make_app
from prefect.server.routes import ROUTES
from prefect.server.workroom import Workroom
from prefect.store import make_store

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("path", ["/api/nope", "/api/flows/not-an-id", f"/api/flows/{NOBODY}", "/nope"])
def test_what_is_not_there_is_404(client, path):
    answer = client.get(path)

    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]


def test_another_method_is_405(client):
    answer = client.put("/api/flows/", json={})

    assert (answer.status_code, list(answer.json())) == (405, ["detail"])
    assert answer.headers["allow"] == "OPTIONS, POST"
    allowed = client.options(f"/api//flows/{NOBODY}/")
    assert (allowed.status_code, allowed.headers["allow"]) == (204, "DELETE, GET, OPTIONS, PATCH")


def test_a_body_that_does_not_fit_is_422_and_says_where(client):
    answer = client.post("/api/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": ["NO"]}}}})

    assert answer.status_code == 422
    said = answer.json()
    assert said["exception_message"] == "Invalid request received."
    assert said["exception_detail"][0]["loc"][:2] == ["body", "flow_runs"]
    assert said["request_body"]["flow_runs"]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b'"text"', b'{"name": 1}', b'{"name": "a", "b": 1}']
)
def test_a_malformed_body_is_422(client, body):
    answer = client.post("/api/flows/", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["exception_message"] == "Invalid request received."


@pytest.mark.parametrize(
    "window", [{"limit": 201}, {"limit": -1}, {"offset": -1}, {"offset": 2**70}, {"offset": 2**63 - 1}]
)
def test_a_window_out_of_range_is_422(client, window):
    assert client.post("/api/flow_runs/filter", json=window).status_code == 422


def test_numbers_that_no_database_keeps_are_refused(client):
    log = {"name": "n", "level": 2**40, "message": "m", "timestamp": "2026-03-01T12:00:00Z"}

    assert client.post("/api/logs/", json=[log | {"level": 2**70}]).status_code in (409, 422)
    assert client.post("/api/logs/", json=[log]).status_code in (201, 409, 422)


def test_a_name_that_is_too_long_for_an_index_is_refused_for_good(client):
    name = secrets.token_hex(20_000)

    assert client.post("/api/flows/", json={"name": name}).status_code in (201, 409)


def test_a_search_that_no_database_does_is_refused_for_good(client):
    client.post("/api/flows/", json={"name": "f"})

    answer = client.post("/api/flows/filter", json={"flows": {"name": {"like_": "x" * 100_000}}})

    assert answer.status_code in (200, 422)


def test_a_body_that_is_not_declared_as_json_is_refused(client):
    answer = client.post("/api/flows/", content=b'{"name": "a"}', headers={"content-type": "text/plain"})

    assert answer.status_code == 415


def test_a_client_that_goes_away_in_the_middle_is_no_failure(tmp_path, caplog):
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/flows/",
        "raw_path": b"/api/flows/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
    }
    told = iter([{"type": "http.request", "body": b'{"na', "more_body": True}])
    sent = []

    async def receive():
        return next(told, {"type": "http.disconnect"})

    async def send(message):
        sent.append(message)

    store = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")
    asyncio.run(make_app(store)(scope, receive, send))

    assert sent[0]["status"] == 400
    assert not caplog.records


def test_an_old_api_version_is_refused(client):
    def status(version):
        return client.get("/api/health", headers={"X-PREFECT-API-VERSION": version}).status_code

    assert [status(version) for version in ("0.8.4", "0.9.0", "0.7.9", "new")] == [200, 200, 400, 400]


def test_csrf_protection_is_off(client):
    answer = client.get("/api/csrf-token", params={"client": "me"})

    assert (answer.status_code, answer.json()) == (422, {"detail": "CSRF protection is disabled."})


def test_a_store_that_cannot_be_written_is_503_for_now(tmp_path, monkeypatch):
    store = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")

    def refuse():
        raise StoreUnavailable("no space is left")

    monkeypatch.setattr(store, "transaction", refuse)
    with TestClient(make_app(store), base_url="http://127.0.0.1") as client:
        answer = client.post("/api/flows/", json={"name": "a"})
    store.close()

    assert (answer.status_code, answer.json()) == (503, {"exception_message": "Service Unavailable"})
    assert float(answer.headers["retry-after"]) > 0


def test_too_many_requests_are_503_for_now(tmp_path, monkeypatch):
    store = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")
    is_reading, go_on = threading.Event(), threading.Event()
    fetch = store.fetch

    def slowly(*arguments):
        is_reading.set()
        go_on.wait(20)
        return fetch(*arguments)

    monkeypatch.setattr(store, "fetch", slowly)
    with TestClient(make_app(store, Workroom(threads=1, waiting=0)), base_url="http://127.0.0.1") as client:
        answers = []
        first = threading.Thread(target=lambda: answers.append(client.get("/api/ready")))
        first.start()
        assert is_reading.wait(20)
        refused = client.get("/api/health")
        go_on.set()
        first.join()

    assert (refused.status_code, answers[0].status_code) == (503, 200)
    assert float(refused.headers["retry-after"]) > 0
    store.close()


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
KEYS = ["flow_id", "name", "state", "type", "tags", "labels", "parameters", "force", "sort", "limit", "logs"]
KEYS += [
    "flow_runs",
    "any_",
    "like_",
    "before_",
    "task_key",
    "dynamic_key",
    "id",
    "timestamp",
    "level",
    "message",
]
likely = st.recursive(
    scalars | st.sampled_from(["RUNNING", NOBODY, "2026-03-01", "2026-03-01T00:00:00Z", "%", "_"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
)


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.body_type is not None],
    ids=lambda route: route.operation.name,
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=documents | likely)
def test_no_body_is_a_500(client, route, body):
    path = "/api" + route.operation.path
    for name in route.in_path:
        path = path.replace(f"{{{name}}}", NOBODY)

    answer = client.request(
        route.operation.method, path, content=json.dumps(body), headers={"content-type": "application/json"}
    )

    assert answer.status_code < 500, answer.text
