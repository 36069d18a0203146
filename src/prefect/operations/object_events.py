"""Events of what the server keeps: that something was created, updated or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.schemas.events import Event
from prefect.store.base import Connection
from prefect.store.events import insert_events
from prefect.types import now, uuid7

__all__ = ["tell_of_object"]


def tell_of_object(
    connection: Connection,
    kind: str,
    happened: str,
    object_id: UUID,
    name: str,
    payload: Mapping[str, Any] | None = None,
    related: Sequence[dict[str, str]] = (),
    labels: Mapping[str, str] | None = None,
) -> None:
    """Write the event of a change, if events are kept, in the transaction that makes the change.

    Args:
        connection: The connection that makes the change.
        kind: What was changed, such as `variable`.
        happened: What happened to it, such as `created`.
        object_id: Which it is.
        name: What it is called.
        payload: What is to be known of it.
        related: Labels of what has to do with it.
        labels: Further labels of it.
    """
    if not connection.keeps_events:
        return
    at = now()
    event = Event(
        id=uuid7(),
        occurred=at,
        event=f"prefect.{kind}.{happened}",
        resource={
            "prefect.resource.id": f"prefect.{kind}.{object_id}",
            "prefect.resource.name": name,
            **(labels or {}),
        },
        related=list(related),
        payload=dict(payload or {}),
    )
    insert_events(connection, [event], at)
