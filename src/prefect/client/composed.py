"""What the command line asks, and no server is asked at once: put together of requests that servers know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal
from uuid import UUID

from prefect.client.base import Caller
from prefect.operations.flow_runs import count_flow_runs, read_flow_runs
from prefect.operations.flows import read_flows
from prefect.operations.names import read_flow_names, read_task_run_names
from prefect.operations.prefixes import find_run_ids
from prefect.operations.sizes import count_if_cheap
from prefect.operations.task_runs import count_task_runs, read_task_runs
from prefect.schemas.filters import FlowFilter, FlowFilterId, TaskRunFilter, TaskRunFilterId
from prefect.schemas.queries import DEFAULT_LIMIT, FlowQuery, FlowRunQuery, TaskRunQuery

__all__ = ["COMPOSED"]


def _read_flow_names(client: Caller, ids: Iterable[UUID]) -> dict[UUID, str]:
    return {
        flow.id: flow.name
        for some in _chunks(ids)
        for flow in client.call(read_flows, FlowQuery(flows=FlowFilter(id=FlowFilterId(any_=some))))
    }


def _read_task_run_names(client: Caller, ids: Iterable[UUID]) -> dict[UUID, str]:
    return {
        run.id: run.name
        for some in _chunks(ids)
        for run in client.call(
            read_task_runs, TaskRunQuery(task_runs=TaskRunFilter(id=TaskRunFilterId(any_=some)))
        )
    }


def _find_run_ids(
    client: Caller, kind: Literal["flow-run", "task-run"], prefix: str, limit: int = 10
) -> list[UUID]:
    """Look among the latest runs, which are those that people ask for."""
    digits = prefix.replace("-", "").lower()
    runs: list[Any] = (
        list(client.call(read_flow_runs, FlowRunQuery()))
        if kind == "flow-run"
        else list(client.call(read_task_runs, TaskRunQuery()))
    )
    return sorted(run.id for run in runs if run.id.hex.startswith(digits))[:limit]


def _count(client: Caller, query: FlowRunQuery | TaskRunQuery) -> int:
    whole = query.model_copy(update={"limit": None, "offset": 0})
    if isinstance(whole, FlowRunQuery):
        return client.call(count_flow_runs, whole)
    return client.call(count_task_runs, whole)


def _chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    remaining = iter(ids)
    while some := list(islice(remaining, DEFAULT_LIMIT)):
        yield some


COMPOSED: Mapping[Callable[..., Any], Callable[..., Any]] = {
    count_if_cheap: _count,
    find_run_ids: _find_run_ids,
    read_flow_names: _read_flow_names,
    read_task_run_names: _read_task_run_names,
}
"""By the function that a store in this process is asked with."""
