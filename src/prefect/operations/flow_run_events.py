"""Events of flow runs, which the server tells: one for each state, kept with the state or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.schemas.events import Event
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State
from prefect.store import statements
from prefect.store.base import Connection
from prefect.store.events import insert_events
from prefect.store.statement import Statement
from prefect.store.values import json_text
from prefect.types import now

__all__ = ["event_of", "related_to", "remember_name", "tell_flow_runs"]

_MOST_TAGS = 90
"""An event has at most a hundred related resources."""
_MOST_NAMES = 10_000
"""How many names a store remembers."""
_LONGEST_LABEL = 10_000

Labels = dict[str, str]


def tell_flow_runs(
    connection: Connection, entered: Iterable[tuple[FlowRun, State[Any] | None]], at: datetime | None = None
) -> None:
    """Write the events of the states that flow runs have entered just now.

    Args:
        connection: The connection that writes the states.
        entered: The runs as they are now, each with the state that it was in before.
        at: The current time.
    """
    told = [
        event_of(run, run.state, before, related_to(connection, run))
        for run, before in entered
        if run.state is not None
    ]
    insert_events(connection, told, at or now())


def related_to(connection: Connection, run: FlowRun) -> list[Labels]:
    """Return the labels of what has to do with a flow run.

    Args:
        connection: Where the names are.
        run: The run.
    """
    related = [_named(connection, "flow", statements.FLOW_NAMES, run.flow_id)]
    if run.deployment_id is not None:
        related.append(_named(connection, "deployment", statements.DEPLOYMENT_NAMES, run.deployment_id))
    if run.work_queue_id is not None:
        related.append(_related("work-queue", run.work_queue_id, run.work_queue_name))
    if run.work_pool_id is not None:
        related.append(_related("work-pool", run.work_pool_id, run.work_pool_name))
    if run.parent_task_run_id is not None:
        related.append(_related("task-run", run.parent_task_run_id, None))
    related += [
        {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}
        for tag in run.tags[:_MOST_TAGS]
    ]
    return related


def _named(connection: Connection, kind: str, names: Statement, object_id: UUID) -> Labels:
    name = connection.names.get(object_id.hex)
    if name is None:
        rows = connection.fetch(names, (json_text([object_id.hex]),))
        if not rows:
            return _related(kind, object_id, None)
        name = str(rows[0][1])
        remember_name(connection, object_id, name)
    return _related(kind, object_id, name)


def remember_name(connection: Connection, object_id: UUID, name: str) -> None:
    """Spare the next event of a flow or deployment the look for its name, which never changes.

    Args:
        connection: A connection to where it is.
        object_id: Which it is.
        name: What it is called.
    """
    if len(connection.names) >= _MOST_NAMES:
        connection.names.clear()
    connection.names[object_id.hex] = name


def event_of(run: FlowRun, state: State[Any], before: State[Any] | None, related: list[Labels]) -> Event:
    """Return the event of a state that a flow run has entered.

    Args:
        run: The run.
        state: The state.
        before: The state that it was in before.
        related: What `related_to` gives.
    """
    return Event(
        id=state.id,
        occurred=state.timestamp,
        event=f"prefect.flow-run.{state.name}",
        resource={
            "prefect.resource.id": f"prefect.flow-run.{run.id}",
            "prefect.resource.name": run.name,
            "prefect.run-count": str(run.run_count),
            "prefect.state-message": (state.message or "")[:_LONGEST_LABEL],
            "prefect.state-name": state.name or "",
            "prefect.state-timestamp": state.timestamp.isoformat(),
            "prefect.state-type": state.type.value,
        },
        related=related,
        payload={
            "intended": {"from": None if before is None else before.type.value, "to": state.type.value},
            "initial_state": None if before is None else _told(before),
            "validated_state": _told(state),
        },
        follows=None if before is None else before.id,
    )


def _told(state: State[Any]) -> dict[str, str]:
    told = {"type": state.type.value, "name": state.name or ""}
    if state.message:
        told["message"] = state.message
    if state.state_details.pause_reschedule:
        told["pause_reschedule"] = "true"
    return told


def _related(kind: str, resource_id: UUID, name: str | None) -> Labels:
    labels = {"prefect.resource.id": f"prefect.{kind}.{resource_id}", "prefect.resource.role": kind}
    return labels if name is None else {**labels, "prefect.resource.name": name}
