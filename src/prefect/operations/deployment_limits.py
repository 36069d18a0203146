"""How many runs of a deployment run at a time: a limit of its own, or one that it shares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.exceptions import ObjectNotFound
from prefect.operations.flow_runs import call_runs
from prefect.operations.slots import next_for_slots
from prefect.store.base import Connection
from prefect.store.limits import limits, new_limit
from prefect.store.tables import concurrency_limits

__all__ = ["drop_limit_of", "limit_for", "own_limit_name"]


def own_limit_name(deployment_id: UUID) -> str:
    """Return the name of the limit that is a deployment's own."""
    return f"deployment:{deployment_id}"


def limit_for(
    connection: Connection, deployment_id: UUID, fields: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """Return what a deployment's columns say of its limit, after a change.

    Args:
        connection: A connection that may write; the deployment's own limit is made, changed or deleted.
        deployment_id: The deployment.
        fields: What is changed; where it is about no limit, the one that is there stays.
        at: The current time.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
    """
    shared = fields.get("global_concurrency_limit_id")
    if shared is not None:
        if not limits.count(connection, concurrency_limits.c.id == shared.hex):
            raise ObjectNotFound(help_message=f"Concurrency limit with id {shared} not found")
        drop_limit_of(connection, deployment_id)
        return {"global_concurrency_limit_id": shared}
    if "concurrency_limit" not in fields and "global_concurrency_limit_id" not in fields:
        return {}
    slots = fields.get("concurrency_limit")
    if slots is None:
        drop_limit_of(connection, deployment_id)
        return {"global_concurrency_limit_id": None}
    name = own_limit_name(deployment_id)
    limits.insert(connection, new_limit(name, slots, at))
    limits.update(connection, {"limit": slots, "updated": at}, concurrency_limits.c.name == name)
    own = limits.first(connection, concurrency_limits.c.name == name)
    assert own is not None
    call_runs(connection, next_for_slots(connection, own.id, at))
    return {"global_concurrency_limit_id": own.id}


def drop_limit_of(connection: Connection, deployment_id: UUID) -> None:
    """Delete the limit that is a deployment's own, if it has one."""
    limits.delete(connection, concurrency_limits.c.name == own_limit_name(deployment_id))
