"""Events: what happened to a resource, as clients and servers tell it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema
from prefect.schemas.filters.events import EventFilter

__all__ = [
    "Countable",
    "Event",
    "EventCount",
    "EventPage",
    "EventQuery",
    "ReceivedEvent",
    "TimeUnit",
]


class Event(Schema):
    """Something that happened to a resource."""

    occurred: datetime
    event: str
    """Its name, such as `prefect.task-run.Completed`."""
    resource: dict[str, str]
    """Labels of what it happened to; `prefect.resource.id` is always among them."""
    id: UUID
    related: Annotated[list[dict[str, str]], msgspec.Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )
    """Labels of other resources; `prefect.resource.role` says what they are to it."""
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    follows: UUID | None = None
    """The event that came before."""

    def __post_init__(self) -> None:
        if "prefect.resource.id" not in self.resource:
            raise ValueError("The resource has no `prefect.resource.id`")
        for labels in self.related:
            if "prefect.resource.id" not in labels:
                raise ValueError("A related resource has no `prefect.resource.id`")


class ReceivedEvent(Event, kw_only=True):
    """An event that a server keeps."""

    received: datetime


class EventPage(Schema):
    """Some of the events that a filter is about."""

    events: list[ReceivedEvent]
    total: int
    """How many there are, on all pages."""
    next_page: str | None = None
    """Where the next ones are."""


class EventQuery(Schema):
    """What a page of events is asked for with."""

    filter: EventFilter | None = None
    limit: Annotated[int, msgspec.Meta(ge=0, le=50)] = 50


class Countable(StrEnum):
    """What events are counted by."""

    day = "day"
    """The day on which they occurred, in UTC."""
    time = "time"
    """Spans of time, of a length that is given."""
    event = "event"
    """Their name."""
    resource = "resource"
    """What they happened to."""


class TimeUnit(StrEnum):
    """What spans of time are measured in."""

    week = "week"
    day = "day"
    hour = "hour"
    minute = "minute"
    second = "second"


class EventCount(Schema):
    """How many events have something in common."""

    value: str
    label: str
    count: int
    start_time: datetime
    """When the first of them occurred, or their span of time begins."""
    end_time: datetime
