"""Events: tell what happened."""

from __future__ import annotations

from prefect.events.schemas.events import Event, ReceivedEvent, RelatedResource, Resource
from prefect.events.utilities import emit_event

__all__ = ["Event", "ReceivedEvent", "RelatedResource", "Resource", "emit_event"]
