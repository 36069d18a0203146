"""Logs as a file, templates that are checked, block types that are registered ahead of use."""

from __future__ import annotations

import csv
import io

import pytest

from blocks.system_blocks import classes
from prefect.operations import log_downloads
from prefect.types import now
from prefect.version import INTERFACE_VERSION

NOBODY = "00000000-0000-0000-0000-000000000001"


def write_logs(client, run, *messages):
    at = now().replace(microsecond=0).isoformat()
    logs = [
        {"name": "x", "level": 20, "message": message, "timestamp": at, "flow_run_id": run["id"]}
        for message in messages
    ]
    assert client.post("/api/logs/", json=logs).status_code == 201


@pytest.mark.parametrize("at_once", [2, 1000])
def test_the_logs_of_a_run_are_a_file(client, make_run, monkeypatch, at_once):
    monkeypatch.setattr(log_downloads, "_AT_ONCE", at_once)
    run, other = make_run(name='my "run"\nä'), make_run()
    messages = ['a, "b"', "two\nlines", "", "é\U0001f600", "last"]
    write_logs(client, run, *messages)
    write_logs(client, other, "another's")

    answer = client.get(f"/api/flow_runs/{run['id']}/logs/download")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''my%20%22run%22%0A%C3%A4-logs.csv"
    )
    header, *lines = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["timestamp", "level", "flow_run_id", "task_run_id", "message"]
    assert [line[1:] for line in lines] == [["20", run["id"], "", message] for message in messages]
    assert lines[0][0].endswith("+00:00")


def test_a_run_without_logs_and_one_that_is_not_there(client, make_run):
    empty = client.get(f"/api/flow_runs/{make_run()['id']}/logs/download")
    assert empty.text == "timestamp,level,flow_run_id,task_run_id,message\r\n"
    missing = client.get(f"/api/flow_runs/{NOBODY}/logs/download")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Flow run not found"})
    assert client.get("/api/flow_runs/x/logs/download").status_code == 404


@pytest.mark.parametrize("path", ["/api/templates/validate", "/api/automations/templates/validate"])
def test_templates_are_checked(client, path):
    pytest.importorskip("jinja2")
    for good in ("", "hello {{ flow_run.name }}", "{{ a | unknown_filter }}", "{{ a.__class__ }}"):
        assert client.post(path, json=good).status_code == 204
    assert client.post(path).status_code == 204

    bad = client.post(path, json="one\n{{ x")
    assert bad.status_code == 422
    error = bad.json()["error"]
    assert (error["line"], error["source"]) == (2, "one\n{{ x")
    assert "unexpected end of template" in error["message"]
    deep = "{% for a in b %}" * 3 + "{% endfor %}" * 3
    error = client.post(path, json=deep).json()["error"]
    assert (error["line"], error["message"]) == (0, "It has loops 3 deep; templates may have loops 2 deep.")
    assert client.post(path, json="{% for a in b %}" * 2 + "{% endfor %}" * 2).status_code == 204
    assert client.post(path, json="{{" + "(" * 20_000).status_code == 422
    assert client.post(path, json=3).json()["exception_message"] == "Invalid request received."


def test_block_types_are_registered_ahead_of_use(client):
    for _ in range(2):
        done = client.post("/api/block_types/install_system_block_types")
        assert (done.status_code, done.json()) == (200, None)

    kind = client.get("/api/block_types/slug/secret").json()
    assert (kind["name"], kind["is_protected"]) == ("Secret", True)
    schemas = client.post("/api/block_schemas/filter", json={}).json()
    found = {each["block_type"]["slug"]: each for each in schemas}
    assert len(found) == len(schemas) == len(classes())
    for each in classes():
        schema = found[each.get_block_type_slug()]
        # So that the block finds it.
        assert schema["checksum"] == each._calculate_schema_checksum(), "run tests/blocks/system_blocks.py"
        assert (schema["version"], schema["fields"]) == (INTERFACE_VERSION, each.model_json_schema())
        assert schema["capabilities"] == sorted(each.get_block_capabilities())
