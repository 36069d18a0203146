"""Operations on the inputs of flow runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused, StoreConflict
from prefect.operations.registry import operation
from prefect.schemas.base import encode_json
from prefect.schemas.inputs import FlowRunInput
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.store.base import Store
from prefect.types import now

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from prefect.store.records import Records

__all__ = [
    "answer_pause",
    "create_flow_run_input",
    "delete_flow_run_input",
    "filter_flow_run_inputs",
    "forget_input",
    "keep_input",
    "read_flow_run_input",
]

_KEY = re.compile(r"[a-zA-Z0-9._-]+")


@operation("POST", "/flow_runs/{flow_run_id}/input", creates=True)
def create_flow_run_input(
    store: Store, flow_run_id: UUID, key: str, value: str, sender: str | None = None
) -> None:
    """Send something to a flow run.

    Args:
        store: The store.
        flow_run_id: The run.
        key: What it is kept under, once.
        value: JSON.
        sender: Who sends it.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
        prefect.exceptions.ObjectAlreadyExists: It was sent something under this key before.
        prefect.exceptions.RequestRefused: The value is no JSON.
    """
    keep_input(store, FlowRunInput(flow_run_id=flow_run_id, key=key, value=value, sender=sender))


@operation("POST", "/flow_runs/{flow_run_id}/input/filter")
def filter_flow_run_inputs(
    store: Store,
    flow_run_id: UUID,
    prefix: str,
    limit: int = 1,
    exclude_keys: list[str] | None = None,
) -> list[FlowRunInput]:
    """Return inputs of a flow run by how their keys start, oldest first.

    Args:
        store: The store.
        flow_run_id: The run.
        prefix: What the keys start with.
        limit: At most so many.
        exclude_keys: Not those under these keys.
    """
    inputs = _inputs()
    columns = inputs.table.c
    query = inputs.select(
        columns.flow_run_id == flow_run_id.hex,
        columns.key.startswith(prefix, autoescape=True),
        columns.key.not_in(exclude_keys or []),
    ).order_by(columns.created, columns.id)
    return inputs.all(store, query.limit(min(limit, DEFAULT_LIMIT)))


@operation("GET", "/flow_runs/{flow_run_id}/input/{key}")
def read_flow_run_input(store: Store, flow_run_id: UUID, key: str) -> Any:
    """Return what a flow run was sent under a key.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such input.
    """
    found = _inputs().first(store, *_key(flow_run_id, key))
    if found is None:
        raise _not_found()
    return msgspec.json.decode(found.value or "null")


@operation("DELETE", "/flow_runs/{flow_run_id}/input/{key}")
def delete_flow_run_input(store: Store, flow_run_id: UUID, key: str) -> None:
    """Delete what a flow run was sent under a key.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such input.
    """
    if not forget_input(store, flow_run_id, key):
        raise _not_found()


def keep_input(store: Store, given: FlowRunInput) -> None:
    """Keep an input of a flow run; see `create_flow_run_input`."""
    if not _KEY.fullmatch(given.key):
        raise RequestRefused(
            f"{given.key!r} is no key of an input: keys are of letters, digits, dots, dashes and underscores."
        )
    try:
        msgspec.json.decode(given.value or "null")
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestRefused(f"The value of an input must be JSON: {error}.") from error
    at = now()
    given = msgspec.structs.replace(given, created=at, updated=at)
    try:
        with store.transaction() as connection:
            if not _inputs().insert(connection, given):
                raise ObjectAlreadyExists(help_message="A flow run input with this key already exists.")
    except StoreConflict as error:
        raise ObjectNotFound(error, "Flow run not found") from error


def forget_input(store: Store, flow_run_id: UUID, key: str) -> bool:
    """Delete an input of a flow run, and return whether it was there."""
    with store.transaction() as connection:
        return bool(_inputs().delete(connection, *_key(flow_run_id, key)))


def answer_pause(
    store: Store, flow_run_id: UUID, keyset: Mapping[str, str], values: Mapping[str, Any]
) -> str | None:
    """Keep what a paused flow run waits for.

    Args:
        store: The store.
        flow_run_id: The run.
        keyset: Under which keys its inputs are: of the schema of what it waits for, and of the answer.
        values: The answer.

    Returns:
        Why it is not what the run waits for; None: it was kept.
    """
    from prefect.parameters.schema_check import (  # noqa: PLC0415 - only with inputs
        SchemaError,
        ValueMismatch,
        check_values,
    )

    # What a client has said where it paused the run: there may be anything.
    missing = [name for name in ("schema", "response") if not _KEY.fullmatch(keyset.get(name, ""))]
    if missing:
        return f"The pause does not say under which keys its input is: {' and '.join(missing)}."
    try:
        schema = read_flow_run_input(store, flow_run_id, keyset["schema"])
    except ObjectNotFound:
        return "Run input schema not found."
    try:
        check_values(values, schema if isinstance(schema, dict) else {})
    except (ValueMismatch, SchemaError) as error:
        return f"Reason: {error}"
    # What an attempt left that did not get to the end.
    forget_input(store, flow_run_id, keyset["response"])
    answer = encode_json(values).decode()
    keep_input(store, FlowRunInput(flow_run_id=flow_run_id, key=keyset["response"], value=answer))
    return None


def _inputs() -> Records[FlowRunInput]:
    from prefect.store.records import Records  # noqa: PLC0415 - SQLAlchemy
    from prefect.store.tables import flow_run_inputs  # noqa: PLC0415 - SQLAlchemy

    return Records(flow_run_inputs, FlowRunInput)


def _key(flow_run_id: UUID, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    from prefect.store.tables import flow_run_inputs  # noqa: PLC0415 - SQLAlchemy

    return flow_run_inputs.c.flow_run_id == flow_run_id.hex, flow_run_inputs.c.key == key


def _not_found() -> ObjectNotFound:
    return ObjectNotFound(help_message="Flow run input not found")
