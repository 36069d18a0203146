"""Inputs of flow runs, and runs that are resumed with one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from makers import make_flow_run

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations import delete_flow_run, resume_flow_run, set_flow_run_state
from prefect.operations.flow_run_inputs import (
    create_flow_run_input,
    delete_flow_run_input,
    filter_flow_run_inputs,
    read_flow_run_input,
)
from prefect.operations.overdue import end_expired_pauses
from prefect.schemas.actions import FlowRunResume
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store.base import Store
from prefect.types import now

KEYSET = {"schema": "p-schema", "response": "p-response", "description": "p-description"}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 3}},
    "required": ["name"],
}


@pytest.fixture
def run_id(store: Store) -> UUID:
    return make_flow_run(store).id


def send(store: Store, run_id: UUID, key: str, value: Any, **values: Any) -> None:
    create_flow_run_input(store, run_id, key, json.dumps(value), **values)


def test_inputs_are_read_and_deleted_by_key(store: Store, run_id: UUID) -> None:
    send(store, run_id, "k", {"a": [1, None]})
    assert read_flow_run_input(store, run_id, "k") == {"a": [1, None]}
    with pytest.raises(ObjectAlreadyExists, match="A flow run input with this key already exists"):
        send(store, run_id, "k", 2)
    delete_flow_run_input(store, run_id, "k")
    for call in (read_flow_run_input, delete_flow_run_input):
        with pytest.raises(ObjectNotFound, match="Flow run input not found"):
            call(store, run_id, "k")


def test_inputs_are_found_by_how_their_keys_start(store: Store, run_id: UUID) -> None:
    other = make_flow_run(store).id
    for number, key in enumerate(["p-2", "p_1", "p-1"]):
        send(store, run_id, key, number, sender=f"prefect.flow-run.{other}")
    send(store, other, "p-3", 3)
    found = filter_flow_run_inputs(store, run_id, "p-", limit=10)
    assert [(each.key, each.value) for each in found] == [("p-2", "0"), ("p-1", "2")]
    assert found[0].sender == f"prefect.flow-run.{other}"
    assert [each.key for each in filter_flow_run_inputs(store, run_id, "p-")] == ["p-2"]
    assert [each.key for each in filter_flow_run_inputs(store, run_id, "p-", 5, ["p-2"])] == ["p-1"]
    assert filter_flow_run_inputs(store, run_id, "p_", 5)[0].key == "p_1"


def test_what_cannot_be_an_input_is_refused(store: Store, run_id: UUID) -> None:
    with pytest.raises(RequestRefused, match="is no key"):
        send(store, run_id, "a/b", 1)
    with pytest.raises(RequestRefused, match="must be JSON"):
        create_flow_run_input(store, run_id, "k", "no json")
    with pytest.raises(ObjectNotFound, match="Flow run not found"):
        send(store, UUID(int=5), "k", 1)


def test_inputs_go_with_their_run(store: Store, run_id: UUID) -> None:
    send(store, run_id, "k", 1)
    delete_flow_run(store, run_id)
    assert filter_flow_run_inputs(store, run_id, "k") == []


def pause(store: Store, run_id: UUID, **details: Any) -> None:
    set_flow_run_state(store, run_id, State(type=StateType.RUNNING))
    details = {"pause_timeout": now() + timedelta(hours=1), "run_input_keyset": KEYSET, **details}
    set_flow_run_state(store, run_id, State(type=StateType.PAUSED, state_details=StateDetails(**details)))


def resume(store: Store, run_id: UUID, **values: Any) -> tuple[str, str | None]:
    answer = resume_flow_run(store, run_id, FlowRunResume(run_input=values or None))
    return answer.status.value, getattr(answer.details, "reason", None)


def test_a_run_is_resumed_with_what_it_waits_for(store: Store, run_id: UUID) -> None:
    pause(store, run_id)
    assert resume(store, run_id, name="a") == ("REJECT", "Run input schema not found.")
    send(store, run_id, "p-schema", SCHEMA)
    missing = "Reason: Validation failed. Failure reason: 'name' is a required property"
    assert resume(store, run_id) == ("REJECT", missing)
    assert resume(store, run_id, name="a", age="x")[0] == "REJECT"
    assert resume(store, run_id, name="a") == ("ACCEPT", None)
    assert read_flow_run_input(store, run_id, "p-response") == {"name": "a"}
    assert resume(store, run_id) == ("ABORT", "Cannot resume a flow run that is not paused.")


def test_what_comes_too_late_is_not_kept(store: Store, run_id: UUID) -> None:
    pause(store, run_id, pause_timeout=now() - timedelta(seconds=1))
    send(store, run_id, "p-schema", SCHEMA)
    assert resume(store, run_id, name="a") == (
        "REJECT",
        "The flow run pause has timed out and can no longer resume.",
    )
    with pytest.raises(ObjectNotFound):
        read_flow_run_input(store, run_id, "p-response")


def test_a_pause_until_a_time_without_a_zone_expires_too(store: Store, run_id: UUID) -> None:
    set_flow_run_state(store, run_id, State(type=StateType.RUNNING))
    until = now()
    details = StateDetails(pause_timeout=until.replace(tzinfo=None))
    set_flow_run_state(store, run_id, State(type=StateType.PAUSED, state_details=details))

    assert end_expired_pauses(store, until - timedelta(seconds=1)) == 0
    assert end_expired_pauses(store, until + timedelta(seconds=1)) == 1
