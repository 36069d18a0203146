"""Numbers in requests: what is none, and what is too large for a calendar, is refused before it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client

from prefect.server.app import PREFIX
from prefect.server.openapi import describe
from prefect.server.routes import ROUTES

Described = dict[str, Any]

NO_NUMBERS = ("nan", "inf", "-inf", "Infinity")
YEAR_10000 = 253402300800
"""The first second that no calendar has."""


def _numbers(
    described: Described, schemas: Described, met: frozenset[str] = frozenset()
) -> Iterator[Described]:
    """Give the numbers that a schema asks for; those that may be texts as well are left as texts."""
    if "$ref" in described:
        name = described["$ref"].rsplit("/", 1)[1]
        if name not in met:
            yield from _numbers(schemas[name], schemas, met | {name})
        return
    if described.get("type") == "number":
        yield described
    kinds = described.get("anyOf", [])
    if not any(kind.get("type") == "string" for kind in kinds):
        for kind in kinds:
            yield from _numbers(kind, schemas, met)
    for member in described.get("properties", {}).values():
        yield from _numbers(member, schemas, met)
    for member in (described.get("items"), described.get("additionalProperties")):
        if isinstance(member, dict):
            yield from _numbers(member, schemas, met)


def test_every_number_of_a_request_has_bounds():
    document = describe(ROUTES, PREFIX)
    schemas = document["components"]["schemas"]
    asked = [
        (path, number)
        for path, methods in document["paths"].items()
        for operation in methods.values()
        for body in (operation.get("requestBody", {}).get("content", {}).get("application/json", {}),)
        for number in _numbers(body.get("schema", {}), schemas)
    ]

    unbound = {path for path, number in asked if "maximum" not in number}
    assert asked
    assert not unbound


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flow_runs/", {"flow_id": "of a flow", "empirical_policy": {"retry_delay_seconds": ...}}),
        ("flow_runs/", {"flow_id": "of a flow", "empirical_policy": {"retry_delay": ...}}),
        ("task_runs/", {"task_key": "t", "dynamic_key": "0", "empirical_policy": {"retry_delay": [...]}}),
        (
            "task_runs/",
            {"task_key": "t", "dynamic_key": "", "empirical_policy": {"retry_jitter_factor": ...}},
        ),
        ("automations/", {"name": "a", "trigger": {"type": "event", "posture": "Proactive", "within": ...}}),
        ("v2/concurrency_limits/", {"name": "a", "limit": 1, "slot_decay_per_second": ...}),
    ],
)
def test_what_is_no_number_is_not_kept(client: Client, path: str, body: dict[str, Any], number: str):
    flow = client.post("/api/flows/", json={"name": "f"}).json()["id"]

    answer = client.post(f"/api/{path}", json=_filled(body, number, flow))

    assert answer.status_code == 422
    listed = client.post(f"/api/{path}filter", json={})
    assert (listed.status_code, listed.json()) == (200, [])


def _filled(value: Any, number: Any, flow: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, number, flow) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, number, flow) for each in value]
    return {...: number, "of a flow": flow}.get(value, value)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deployments/00000000-0000-0000-0000-000000000000/schedule", {"min_time": "nan"}),
        (
            "flow_runs/history",
            {"history_start": "2026-01-01", "history_end": "2026-01-02", "history_interval_seconds": "nan"},
        ),
        ("events/count-by/time", {"filter": {}, "time_unit": "hour", "time_interval": "nan"}),
        ("logs/", [{"name": "n", "level": 20, "message": "m", "timestamp": YEAR_10000}]),
        ("logs/", [{"name": "n", "level": 20, "message": "m", "timestamp": f"{YEAR_10000}"}]),
        (
            "logs/",
            [
                {"name": "n", "level": 20, "message": "m", "timestamp": timestamp}
                for timestamp in ("2026-03-01", YEAR_10000)
            ],
        ),
        ("deployments/00000000-0000-0000-0000-000000000000/schedule", {"start_time": YEAR_10000}),
    ],
)
def test_what_cannot_be_counted_with_is_refused(client: Client, path: str, body: Any):
    answer = client.post(f"/api/{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["exception_message"] == "Invalid request received."


@pytest.mark.parametrize(
    "delay", [1e18, 1e308, 10**400, -1e308], ids=["long", "longer", "no float", "negative"]
)
@pytest.mark.parametrize("kind", ["flow_runs", "task_runs"])
def test_a_run_whose_delay_no_calendar_has_fails_all_the_same(client: Client, kind: str, delay: float):
    flow = client.post("/api/flows/", json={"name": "f"}).json()["id"]
    policy = {"retries": 1, "retry_delay": delay}
    body = {"flow_id": flow} if kind == "flow_runs" else {"task_key": "t", "dynamic_key": "0"}
    made = client.post(f"/api/{kind}/", json=body | {"empirical_policy": policy})
    assert made.status_code == 201
    place = f"/api/{kind}/{made.json()['id']}"
    client.post(f"{place}/set_state", json={"state": {"type": "RUNNING"}})

    answer = client.post(f"{place}/set_state", json={"state": {"type": "FAILED"}})

    assert (answer.status_code, answer.json()["state"]["name"]) == (201, "AwaitingRetry")
    assert client.get(place).json()["state_type"] == "SCHEDULED"
