"""Operations that change several flows or flow runs in one request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectNotFound
from prefect.operations.flow_runs import set_flow_run_state
from prefect.operations.registry import operation
from prefect.schemas.deployments import BulkDeleted
from prefect.schemas.filters import FlowFilter, FlowRunFilter
from prefect.schemas.queries import BulkLimit, FlowQuery, FlowRunQuery
from prefect.schemas.responses import FlowRunBulkSetStateResponse, FlowRunOrchestrationResult
from prefect.schemas.states import State
from prefect.store import queries
from prefect.store.base import Store
from prefect.store.deletions import flow_deletions, flow_run_deletions
from prefect.store.values import read_id
from prefect.types import now, uuid7

__all__ = ["delete_flow_runs", "delete_flows", "set_flow_run_states"]


@operation("POST", "/flows/bulk_delete")
def delete_flows(store: Store, flows: FlowFilter | None = None, limit: BulkLimit = 50) -> BulkDeleted:
    """Delete some of the flows that a filter is about, with their runs, as one by one.

    Args:
        store: The store.
        flows: Which; None: all.
        limit: At most so many.
    """
    query = FlowQuery(flows=flows, limit=limit)
    with store.transaction() as connection:
        ids = [read_id(row[0]) for row in connection.select(queries.select_flows(query))]
        for deletion in (each for one in ids for each in flow_deletions(one)):
            connection.execute(deletion)
    return BulkDeleted(deleted=ids)


@operation("POST", "/flow_runs/bulk_delete")
def delete_flow_runs(
    store: Store, flow_runs: FlowRunFilter | None = None, limit: BulkLimit = 50
) -> BulkDeleted:
    """Delete some of the flow runs that a filter is about, with their task runs and logs, as one by one.

    Args:
        store: The store.
        flow_runs: Which; None: all.
        limit: At most so many.
    """
    with store.transaction() as connection:
        ids = _ids(connection.select(_query(flow_runs, limit)))
        for deletion in (each for one in ids for each in flow_run_deletions(one)):
            connection.execute(deletion)
    return BulkDeleted(deleted=ids)


@operation("POST", "/flow_runs/bulk_set_state", status=200)
def set_flow_run_states(
    store: Store,
    state: State[Any],
    flow_runs: FlowRunFilter | None = None,
    force: bool = False,
    limit: BulkLimit = 50,
) -> FlowRunBulkSetStateResponse:
    """Propose a state for some of the flow runs that a filter is about; the rules decide for each.

    Args:
        store: The store.
        state: The state that they are to enter.
        flow_runs: Which; None: all.
        force: Enter it even where the rules would not have it.
        limit: At most so many.
    """
    results: list[FlowRunOrchestrationResult] = []
    for run_id in _ids(store.select(_query(flow_runs, limit))):
        try:
            # A state has an id of its own in each run.
            decided = set_flow_run_state(
                store, run_id, msgspec.structs.replace(state, id=uuid7(), timestamp=now()), force
            )
        except ObjectNotFound:
            # It was deleted since it was found.
            continue
        results.append(
            FlowRunOrchestrationResult(
                flow_run_id=run_id, status=decided.status, state=decided.state, details=decided.details
            )
        )
    return FlowRunBulkSetStateResponse(results=results)


def _query(flow_runs: FlowRunFilter | None, limit: int) -> Any:
    return queries.select_flow_runs(FlowRunQuery(flow_runs=flow_runs, limit=limit))


def _ids(rows: list[tuple[Any, ...]]) -> list[UUID]:
    return [read_id(row[0]) for row in rows]
