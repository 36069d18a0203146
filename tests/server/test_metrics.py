"""What the server tells Prometheus."""

from __future__ import annotations

import socket
import sys

import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from prefect.exceptions import ConfigurationError
from prefect.server.app import make_app
from prefect.server.run import Serving, serve
from prefect.settings.context import temporary_settings
from prefect.types import uuid7


@pytest.fixture
def client(store):
    with (
        temporary_settings({"PREFECT_SERVER_METRICS_ENABLED": "true"}),
        TestClient(make_app(store), base_url="http://127.0.0.1") as made,
    ):
        yield made


@pytest.fixture
def figures(client):
    """Give figures by their name and labels."""

    def read(path="/metrics"):
        answer = client.get(path)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answer.text)
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_requests_are_counted_by_their_route(client, figures, flow_id):
    for path in [f"/api/flows/{flow_id}", "/api/flows/x", "/api/nope", f"/nope/{flow_id}"]:
        client.get(path)
    client.request("BREW", "/api/flows/")

    read = figures()

    requests = {key[1:]: value for key, value in read.items() if key[0] == "prefect_server_requests_total"}
    assert requests.pop(("405", "none", "other"), 1) == 1
    assert requests == {
        ("/api/flows", "201", "POST"): 1,
        ("/api/flows/{flow_id}", "200", "GET"): 1,
        ("/api/flows/{flow_id}", "404", "GET"): 1,
        ("404", "GET", "none"): 2,
    }
    assert read["prefect_server_request_seconds_count", "/api/flows", "POST"] == 1
    assert read["prefect_server_requests_in_flight",] == 1  # the one that asks
    assert flow_id not in str(read)


def test_events_runs_and_the_process_are_told_of(client, figures, make_run, make_event):
    make_run(state={"type": "RUNNING"})
    make_run()
    before = figures("/api/metrics")

    assert before["prefect_server_flow_runs", "PENDING"] == 1
    assert before["prefect_server_flow_runs", "RUNNING"] == 1
    assert before["prefect_server_flow_runs", "SCHEDULED"] == 0
    assert before["prefect_server_events_received_total",] == 0
    assert before["process_resident_memory_bytes",] > 1e6
    with client.websocket_connect("/api/events/in", subprotocols=["prefect"]) as socket:
        socket.send_json({"type": "auth", "token": None})
        socket.receive_json()
        for _ in range(5):
            socket.send_json(make_event(uuid7(), "RUNNING", 1))
        while figures()["prefect_server_events_written_total",] < 5:
            pass
    after = figures()
    assert after["prefect_server_events_received_total",] == 5
    assert after["prefect_server_events_waiting",] == 0


def test_figures_do_not_need_the_store(client, figures, store, monkeypatch):
    from prefect.exceptions import StoreUnavailable

    def refuse(*_):
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "select", refuse)

    assert ("prefect_server_flow_runs", "RUNNING") not in figures()


def test_no_figures_are_served_unless_that_is_asked_for(store):
    with TestClient(make_app(store), base_url="http://127.0.0.1") as client:
        assert client.get("/metrics").status_code == 404


def test_a_server_without_the_package_for_figures_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        temporary_settings({"PREFECT_SERVER_METRICS_ENABLED": "true"}),
        pytest.raises(ConfigurationError, match=r"pip install 'proconsul\[metrics\]'"),
    ):
        serve(Serving(listener, "http://127.0.0.1/api"))
