"""Writing and reading the inputs of flow runs; in a run, its own unless another is named."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.current import get_caller
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.operations import flow_run_inputs as operations
from prefect.schemas.base import encode_json
from prefect.schemas.inputs import FlowRunInput

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "acreate_flow_run_input",
    "acreate_flow_run_input_from_model",
    "adelete_flow_run_input",
    "afilter_flow_run_input",
    "aread_flow_run_input",
    "create_flow_run_input",
    "create_flow_run_input_from_model",
    "delete_flow_run_input",
    "ensure_flow_run_id",
    "filter_flow_run_input",
    "read_flow_run_input",
]


def ensure_flow_run_id(flow_run_id: UUID | None = None) -> UUID:
    """Return an id that is given, or else the current flow run's.

    Raises:
        RuntimeError: There is neither.
    """
    if flow_run_id is not None:
        return flow_run_id if isinstance(flow_run_id, UUID) else UUID(str(flow_run_id))
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("Outside of a flow run, `flow_run_id` says whose input it is.")
    return context.flow_run.id


def create_flow_run_input(
    key: str, value: Any, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Send something to a flow run.

    Args:
        key: What it is kept under, once.
        value: What has a JSON form.
        flow_run_id: The run.
        sender: Who sends it.
    """
    text = encode_json(value).decode()
    _call(
        operations.create_flow_run_input, ensure_flow_run_id(flow_run_id), key=key, value=text, sender=sender
    )


async def acreate_flow_run_input(
    client: Any, key: str, value: Any, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Send something to a flow run; as `create_flow_run_input`, for async code."""
    await asyncio.to_thread(create_flow_run_input, key, value, flow_run_id, sender)


def create_flow_run_input_from_model(
    key: str, model_instance: BaseModel, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Send a pydantic model to a flow run.

    Args:
        key: What it is kept under, once.
        model_instance: The model.
        flow_run_id: The run.
        sender: Who sends it; None: in a run, that.
    """
    if sender is None:
        sender = _this_run()
    create_flow_run_input(key, model_instance.model_dump(mode="json"), flow_run_id, sender)


async def acreate_flow_run_input_from_model(
    key: str, model_instance: BaseModel, flow_run_id: UUID | None = None, sender: str | None = None
) -> None:
    """Send a pydantic model to a flow run; as `create_flow_run_input_from_model`, for async code."""
    await asyncio.to_thread(create_flow_run_input_from_model, key, model_instance, flow_run_id, sender)


def filter_flow_run_input(
    key_prefix: str,
    limit: int = 1,
    exclude_keys: Collection[str] | None = None,
    flow_run_id: UUID | None = None,
) -> list[FlowRunInput]:
    """Return inputs of a flow run by how their keys start, oldest first.

    Args:
        key_prefix: What the keys start with.
        limit: At most so many.
        exclude_keys: Not those under these keys.
        flow_run_id: The run.
    """
    found: list[FlowRunInput] = _call(
        operations.filter_flow_run_inputs,
        ensure_flow_run_id(flow_run_id),
        prefix=key_prefix,
        limit=limit,
        exclude_keys=sorted(exclude_keys or ()),
    )
    return found


async def afilter_flow_run_input(
    client: Any,
    key_prefix: str,
    limit: int = 1,
    exclude_keys: Collection[str] | None = None,
    flow_run_id: UUID | None = None,
) -> list[FlowRunInput]:
    """Return inputs of a flow run; as `filter_flow_run_input`, for async code."""
    return await asyncio.to_thread(filter_flow_run_input, key_prefix, limit, exclude_keys, flow_run_id)


def read_flow_run_input(key: str, flow_run_id: UUID | None = None) -> Any:
    """Return what a flow run was sent under a key; None if nothing was.

    Args:
        key: The key.
        flow_run_id: The run.
    """
    try:
        return _call(operations.read_flow_run_input, ensure_flow_run_id(flow_run_id), key)
    except ObjectNotFound:
        return None


async def aread_flow_run_input(client: Any, key: str, flow_run_id: UUID | None = None) -> Any:
    """Return what a flow run was sent under a key; as `read_flow_run_input`, for async code."""
    return await asyncio.to_thread(read_flow_run_input, key, flow_run_id)


def delete_flow_run_input(key: str, flow_run_id: UUID | None = None) -> None:
    """Delete what a flow run was sent under a key.

    Args:
        key: The key.
        flow_run_id: The run.
    """
    _call(operations.delete_flow_run_input, ensure_flow_run_id(flow_run_id), key)


async def adelete_flow_run_input(client: Any, key: str, flow_run_id: UUID | None = None) -> None:
    """Delete what a flow run was sent under a key; as `delete_flow_run_input`, for async code."""
    await asyncio.to_thread(delete_flow_run_input, key, flow_run_id)


def _this_run() -> str | None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return None
    return f"prefect.flow-run.{context.flow_run.id}"


def _call(operation: Any, *args: Any, **kwargs: Any) -> Any:
    return get_caller().call(operation, *args, **kwargs)
