"""What is recorded of a run's parameters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr

from prefect import flow
from prefect.client.current import get_caller
from prefect.context import FlowRunContext
from prefect.operations import read_flow_run


class Login(BaseModel):
    user: str
    password: SecretStr


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("do not look")


@flow
def take(value: Any) -> UUID:
    context = FlowRunContext.get()
    assert context is not None and context.flow_run is not None
    return context.flow_run.id


def recorded(value: Any) -> Any:
    return get_caller().call(read_flow_run, take(value)).parameters["value"]


@pytest.mark.parametrize("value", [1, "text", None, [1, {"a": True}], {"nested": {"x": 1.5}}])
def test_json_values_are_recorded_as_they_are(value: Any) -> None:
    assert recorded(value) == value


def test_a_very_large_value_is_only_named() -> None:
    assert recorded(list(range(200_000))).startswith("<list: too large to be recorded (")


def test_a_value_that_cannot_be_shown_harms_nothing() -> None:
    assert recorded(Unshowable()) == "<Unshowable: cannot be shown (RuntimeError('do not look'))>"


def test_text_that_no_database_takes_is_escaped() -> None:
    assert recorded("caf\udce9") == "'caf\\udce9'"


def test_secrets_are_masked() -> None:
    assert recorded(SecretStr("hunter2")) == "**********"


def test_secrets_are_not_kept_of_a_call_that_does_not_fit() -> None:
    @flow
    def connect(login: Login, token: SecretStr, port: int, host: str) -> None: ...

    state: Any = connect(
        {"user": ["not", "a", "name"], "password": "hunter2"},  # type: ignore[arg-type]
        "hunter2",  # type: ignore[arg-type]
        "80",  # type: ignore[arg-type]
        "here",
        return_state=True,
    )
    run = get_caller().call(read_flow_run, state.state_details.flow_run_id)
    assert run.parameters == {
        "login": "<dict: does not fit>",
        "token": "**********",
        "port": 80,
        "host": "here",
    }
    assert "hunter2" not in str(state.message)
