"""Events of what the server keeps: that something was created, updated or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.schemas.base import jsonable
from prefect.schemas.events import Event
from prefect.store.base import Connection
from prefect.store.events import insert_events
from prefect.types import now, uuid7

__all__ = ["changes_between", "named", "tell_of_object"]

Labels = dict[str, str]


def tell_of_object(
    connection: Connection,
    event: str,
    object_id: UUID,
    name: str,
    payload: Mapping[str, Any] | None = None,
    related: Sequence[Labels] = (),
    labels: Mapping[str, str] | None = None,
    event_id: UUID | None = None,
) -> None:
    """Write the event of a change, if events are kept, in the transaction that makes the change.

    Args:
        connection: The connection that makes the change.
        event: What was changed and what happened to it, such as `variable.created`.
        object_id: Which it is.
        name: What it is called.
        payload: What is to be known of it.
        related: Labels of what has to do with it.
        labels: Further labels of it.
        event_id: The event's id, for what several may notice and one is to tell; None: a new one.
    """
    if not connection.keeps_events:
        return
    at, kind = now(), event.partition(".")[0]
    told = Event(
        id=uuid7() if event_id is None else event_id,
        occurred=at,
        event=f"prefect.{event}",
        resource={
            "prefect.resource.id": f"prefect.{kind}.{object_id}",
            "prefect.resource.name": name,
            **(labels or {}),
        },
        related=list(related),
        payload=dict(payload or {}),
    )
    insert_events(connection, [told], at)


def named(kind: str, object_id: object, name: str | None = None, role: str | None = None) -> Labels:
    """Return the labels of an object that has to do with another.

    Args:
        kind: What it is, such as `flow`.
        object_id: Which it is.
        name: What it is called; None: that is not said.
        role: What it is to the other; None: what it is.
    """
    labels = {"prefect.resource.id": f"prefect.{kind}.{object_id}", "prefect.resource.role": role or kind}
    return labels if name is None else {**labels, "prefect.resource.name": name}


def changes_between(before: Any, after: Any, fields: Sequence[str]) -> dict[str, Any] | None:
    """Return what events say of a change; None where nothing is another.

    Args:
        before: The object as it was.
        after: The object as it is.
        fields: What is told of it.
    """
    updates = {
        name: {"from": getattr(before, name), "to": getattr(after, name)}
        for name in fields
        if getattr(before, name) != getattr(after, name)
    }
    return {"updated_fields": list(updates), "updates": jsonable(updates)} if updates else None
