"""Operations on flows."""

from __future__ import annotations

from uuid import UUID

import msgspec

from prefect.exceptions import ObjectNotFound
from prefect.operations.listings import known_flows
from prefect.operations.registry import operation
from prefect.schemas.actions import FlowCreate, FlowUpdate
from prefect.schemas.objects import Flow
from prefect.schemas.queries import FlowQuery
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import flow_edit_row, flow_from_row, flow_row
from prefect.store.values import Row
from prefect.types import now

__all__ = [
    "count_flows",
    "create_flow",
    "delete_flow",
    "read_flow",
    "read_flow_by_name",
    "read_flows",
    "update_flow",
]


@operation("POST", "/flows/", creates=True)
def create_flow(store: Store, data: FlowCreate) -> Flow:
    """Return the flow of a name; it is made where there is none.

    Args:
        store: The store.
        data: The flow; where one of its name is there already, that one stays as it is.
    """
    # Nearly always the flow is there already, and then nobody has to wait for the write lock.
    found = store.fetch(statements.FLOW_BY_NAME, (data.name,))
    if not found:
        at = now()
        made = Flow(name=data.name, tags=data.tags, labels=data.labels or {}, created=at, updated=at)
        with store.transaction() as connection:
            connection.run(statements.INSERT_FLOW, flow_row(made))
            found = connection.fetch(statements.FLOW_BY_NAME, (data.name,))
    return flow_from_row(found[0])


@operation("GET", "/flows/{flow_id}")
def read_flow(store: Store, flow_id: UUID) -> Flow:
    """Return a flow.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow.
    """
    return _only(store.fetch(statements.FLOW_BY_ID, (flow_id.hex,)), f"with id {flow_id}")


@operation("GET", "/flows/name/{name}")
def read_flow_by_name(store: Store, name: str) -> Flow:
    """Return the flow of a name.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow.
    """
    return _only(store.fetch(statements.FLOW_BY_NAME, (name,)), f"named {name!r}")


@operation("POST", "/flows/filter")
def read_flows(store: Store, query: FlowQuery) -> list[Flow]:
    """Return the flows that a query is about."""
    if known := known_flows(query):
        return [flow_from_row(row) for row in store.fetch(*known)]
    from prefect.store.queries import select_flows  # noqa: PLC0415 - SQLAlchemy

    return [flow_from_row(row) for row in store.select(select_flows(query))]


@operation("POST", "/flows/count")
def count_flows(store: Store, query: FlowQuery) -> int:
    """Return how many flows a query is about, whatever its window."""
    from prefect.store import queries  # noqa: PLC0415 - SQLAlchemy

    return int(store.select(queries.count_flows(query))[0][0])


@operation("PATCH", "/flows/{flow_id}")
def update_flow(store: Store, flow_id: UUID, data: FlowUpdate) -> None:
    """Change what is set in `data` of a flow.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow.
    """
    with store.transaction() as connection:
        flow = _only(connection.fetch(statements.FLOW_BY_ID, (flow_id.hex,)), f"with id {flow_id}")
        flow.updated = now()
        if data.tags is not msgspec.UNSET:
            flow.tags = data.tags
        connection.run(statements.UPDATE_FLOW, flow_edit_row(flow))


@operation("DELETE", "/flows/{flow_id}")
def delete_flow(store: Store, flow_id: UUID) -> None:
    """Delete a flow with its runs, their task runs and logs.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow.
    """
    from prefect.store.deletions import flow_deletions  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        if not [connection.execute(deletion) for deletion in flow_deletions(flow_id)][-1]:
            raise ObjectNotFound(help_message=f"Flow with id {flow_id} not found")


def _only(rows: list[Row], which: str) -> Flow:
    if not rows:
        raise ObjectNotFound(help_message=f"Flow {which} not found")
    return flow_from_row(rows[0])
