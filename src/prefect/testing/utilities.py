"""Helpers for tests of flows, under the name that existing code imports them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client.local import LocalClient
from prefect.exceptions import ObjectNotFound
from prefect.operations import read_flow_runs
from prefect.schemas.filters import FlowFilter, FlowFilterName
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.store import open_store
from prefect.testing.harness import prefect_test_harness
from prefect.testing.runs import run_context

if TYPE_CHECKING:
    from prefect.schemas.objects import FlowRun
    from prefect.schemas.states import State

__all__ = [
    "assert_uses_result_serializer",
    "get_most_recent_flow_run",
    "prefect_test_harness",
    "run_context",
]


async def assert_uses_result_serializer(state: State[Any], serializer: Any, client: object = None) -> None:
    """Check that the result of a run was written with a serializer.

    Args:
        state: The run's state.
        serializer: The serializer, or its type (`pickle`, `json` …).
        client: Accepted for the interface's sake.

    Raises:
        AssertionError: Another one wrote it, or the result was not kept.
    """
    data = state.data.metadata if isinstance(state.data, ResultRecord) else state.data
    if not isinstance(data, ResultRecordMetadata):
        raise AssertionError(f"The result of {state} was not kept, so no serializer wrote it.")
    wanted = serializer if isinstance(serializer, str) else serializer.type
    used = (data.serializer or {}).get("type")
    if used != wanted:
        raise AssertionError(
            f"The result of {state} was written with the serializer {used!r}, not {wanted!r}."
        )


async def get_most_recent_flow_run(client: object = None, flow_name: str | None = None) -> FlowRun:
    """Return the flow run that was made last.

    Args:
        client: Accepted for the interface's sake: runs are read from the store of the settings.
        flow_name: Consider runs of this flow only.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no run.
    """
    flows = None if flow_name is None else FlowFilter(name=FlowFilterName(any_=[flow_name]))
    runs = LocalClient(open_store()).call(read_flow_runs, FlowRunQuery(flows=flows, limit=1))
    if not runs:
        raise ObjectNotFound(help_message=f"There is no run of {flow_name or 'any flow'}.")
    return runs[0]
