"""Telling of events."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.current import get_caller
from prefect.events.schemas.events import Event
from prefect.exceptions import PrefectException
from prefect.operations.events import record_events
from prefect.types import now, uuid7

__all__ = ["emit_event"]

_log = logging.getLogger("prefect.events")


def emit_event(
    event: str,
    resource: Mapping[str, str],
    occurred: datetime | None = None,
    related: Sequence[Mapping[str, str]] | None = None,
    payload: Mapping[str, Any] | None = None,
    id: UUID | None = None,
    follows: Event | None = None,
    **_ignored: Any,
) -> Event:
    """Tell that something happened; it is kept when this returns.

    Where the server or the store does not take it, a warning says so: what the event is about goes on.

    Args:
        event: Its name.
        resource: Labels of what it happened to; `prefect.resource.id` must be among them.
        occurred: When; None: now.
        related: Labels of other resources, with their `prefect.resource.role`.
        payload: Anything more that is to be known, as JSON.
        id: Its id; one that is known already changes nothing.
        follows: The event that came before.

    Returns:
        The event.

    Raises:
        ValueError: A resource has no `prefect.resource.id`.
    """
    told = Event(
        event=event,
        resource=dict(resource),
        occurred=occurred or now(),
        related=[dict(labels) for labels in related or ()],
        payload=dict(payload or {}),
        id=id or uuid7(),
        follows=None if follows is None else follows.id,
    )
    try:
        get_caller().call(record_events, [told])
    except PrefectException as error:
        _log.warning("The event %s could not be told: %s", event, error)
    return told
