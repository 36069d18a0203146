"""Times in requests, which every field that wants one reads in all the forms that the interface knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import pytest
from httpx import Client

from prefect.schemas.base import encode_json
from prefect.schemas.lenient import Reader
from prefect.server.app import PREFIX
from prefect.server.openapi import describe
from prefect.server.routes import ROUTES, Route

Described = dict[str, Any]
Path = tuple[str, ...]
"""The way to a field of a body; `*` is any element of a list."""

FORMS = (
    "2026-03-01",
    "2026-03-01T12:00",
    "2026-03-01 12:00:00",
    "2026-03-01T13:00+0100",
    1772366400,
    1772366400000,
)
NO_TIMES = ("tomorrow", "2026-13-01", "2026-03-01T25:00", 1e300, True)


@cache
def _document() -> Described:
    return describe(ROUTES, PREFIX)


def _referred(schema: Described) -> Described:
    while "$ref" in schema:
        schema = _document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _times(schema: Described, path: Path = (), above: tuple[str, ...] = ()) -> Iterator[Path]:
    """Give the ways to the times in what a schema describes."""
    if (name := schema.get("$ref")) in above:
        return
    schema, above = _referred(schema), (*above, str(name)) if name else above
    if schema.get("format") == "date-time":
        yield path
    for one in schema.get("anyOf", ()):
        yield from _times(one, path, above)
    for member, one in schema.get("properties", {}).items():
        yield from _times(one, (*path, member), above)
    if isinstance(schema.get("items"), dict):
        yield from _times(schema["items"], (*path, "*"), above)


def _body(schema: Described, path: Path, value: Any) -> Any:
    """Make a body of what is required and one field."""
    schema = _referred(schema)
    for one in schema.get("anyOf", ()):
        if not path or path in {found[: len(path)] for found in _times(one)}:
            return _body(one, path, value)
    if not path and schema.get("format") == "date-time":
        return value
    if path and path[0] == "*":
        return [_body(schema["items"], path[1:], value)]
    if "properties" not in schema:
        return _plain(schema)
    wanted = {*schema.get("required", ()), *path[:1]}
    return {
        name: _body(schema["properties"][name], path[1:] if path[:1] == (name,) else (), value)
        for name in wanted
    }


def _plain(schema: Described) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(UUID(int=1))
    return {
        "integer": 10,
        "number": 10.0,
        "boolean": True,
        "array": [],
        "object": {"prefect.resource.id": "x"},
    }.get(schema.get("type", "object"), "2026-03-01" if schema.get("format") == "date-time" else "text")


def _fields() -> Iterator[tuple[Route, Described, Path]]:
    for route in ROUTES:
        if route.body_type is not None:
            described = _document()["paths"][PREFIX + route.operation.path][route.operation.method.lower()]
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            yield from ((route, schema, found) for found in sorted(set(_times(schema))))


def _is_read(route: Route, body: Any) -> bool:
    try:
        Reader(route.body_type, strict=False).decode(encode_json(body))
    except msgspec.ValidationError:
        return False
    return True


def test_every_field_of_every_request_that_wants_a_time_reads_its_forms_and_nothing_else() -> None:
    fields = list(_fields())

    wrong = [
        (route.operation.name, ".".join(path), form)
        for route, schema, path in fields
        for form in ("2026-03-01", "2026-03-01T12:00", "tomorrow")
        if _is_read(route, _body(schema, path, form)) != (form != "tomorrow")
    ]

    assert len(fields) > 300
    assert not wrong


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_time_in_any_form_is_that_time(client: Client, flow_id: str, form: Any) -> None:
    details = {"scheduled_time": form}
    run = client.post(
        "/api/flow_runs/", json={"flow_id": flow_id, "state": {"type": "SCHEDULED", "state_details": details}}
    )
    schedule = {"schedule": {"interval": 3600, "anchor_date": form}}
    deployment = client.post(
        "/api/deployments/", json={"name": "nightly", "flow_id": flow_id, "schedules": [schedule]}
    )
    log = {"name": "n", "level": 20, "message": "m", "timestamp": form}

    logged = client.post("/api/logs/", json=[log, {**log, "timestamp": "2026-03-02T00:00:00Z"}])
    found = client.post("/api/logs/filter", json={"logs": {"timestamp": {"after_": form}}}).json()

    wanted = (datetime(2026, 3, 1, 0 if form == FORMS[0] else 12, tzinfo=UTC),)
    told = (
        run.json()["state"]["state_details"]["scheduled_time"],
        deployment.json()["schedules"][0]["schedule"]["anchor_date"],
    )
    assert {datetime.fromisoformat(each) for each in told} == {*wanted}, "without an offset, it is in UTC"
    assert logged.status_code == 201
    assert [datetime.fromisoformat(each["timestamp"]) for each in found][:1] == [*wanted]
    assert len(found) == 2


@pytest.mark.parametrize("value", NO_TIMES, ids=str)
def test_what_is_no_time_is_told_by_its_place(client: Client, flow_id: str, value: Any) -> None:
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": value}}

    answer = client.post("/api/flow_runs/", json={"flow_id": flow_id, "state": state})

    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0]["loc"] == ["body", "state", "state_details", "scheduled_time"]
