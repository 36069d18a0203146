"""Operations on flows."""

from __future__ import annotations

from prefect.operations.registry import operation
from prefect.schemas.actions import FlowCreate
from prefect.schemas.objects import Flow
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import flow_from_row, flow_row
from prefect.types import now

__all__ = ["create_flow"]


@operation("POST", "/flows/")
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
