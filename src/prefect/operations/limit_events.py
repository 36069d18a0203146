"""What the server tells of concurrency limits."""

from __future__ import annotations

from prefect.operations.object_events import tell_of_object
from prefect.store.base import Connection
from prefect.store.limits import Limit

__all__ = ["tell_limit"]


def tell_limit(connection: Connection, happened: str, limit: Limit) -> None:
    """Write the event of what happened to a limit.

    Args:
        connection: The connection that makes the change.
        happened: What happened to it.
        limit: The limit.
    """
    said = {
        "name": limit.name,
        "limit": limit.limit,
        "active": limit.active,
        "slot_decay_per_second": limit.slot_decay_per_second,
    }
    tell_of_object(connection, f"concurrency-limit.{happened}", limit.id, limit.name, said)
