"""Filters of events."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema
from prefect.schemas.filters.base import Moment, read_moment
from prefect.types import now

__all__ = [
    "EventAnyResourceFilter",
    "EventFilter",
    "EventIDFilter",
    "EventNameFilter",
    "EventOccurredFilter",
    "EventOrder",
    "EventRelatedFilter",
    "EventResourceFilter",
    "EventTextFilter",
    "LabelValues",
]

LabelValues = str | list[str]
"""Values of a label, any of which will do: `x*` is all that start with x, `!x` is not x."""
_FAR_BACK = timedelta(days=180)


class EventOrder(StrEnum):
    """In what order."""

    ASC = "ASC"
    """Oldest first."""
    DESC = "DESC"
    """Newest first."""


class _Filter(Schema, forbid_unknown_fields=True):
    """What is None, or an empty list, does not count."""


class EventOccurredFilter(_Filter):
    """By when it occurred; both ends are included."""

    since: Moment = msgspec.field(default_factory=lambda: now() - _FAR_BACK)
    until: Moment = msgspec.field(default_factory=now)

    def __post_init__(self) -> None:
        self.since, self.until = read_moment(self.since), read_moment(self.until)


class EventNameFilter(_Filter):
    """By the event's name. All that is given must hold."""

    prefix: list[str] | None = None
    exclude_prefix: list[str] | None = None
    name: list[str] | None = None
    exclude_name: list[str] | None = None


class EventResourceFilter(_Filter):
    """By what it happened to."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: dict[str, LabelValues] | None = None
    """All of these labels must be there."""
    distinct: bool = False
    """Only the newest event of each resource."""


class EventRelatedFilter(_Filter):
    """By one of the related resources."""

    id: list[str] | None = None
    role: list[str] | None = None
    resources_in_roles: list[tuple[str, str]] | None = None
    """Ids with the role that each must have."""
    labels: dict[str, LabelValues] | None = None


class EventAnyResourceFilter(_Filter):
    """By what it happened to or one of the related resources."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: dict[str, LabelValues] | None = None


class EventIDFilter(_Filter):
    """By id."""

    id: list[UUID] | None = None


class EventTextFilter(_Filter):
    """By words in the event's name, labels and payload."""

    query: Annotated[str, msgspec.Meta(max_length=200)]


class EventFilter(_Filter):
    """Which events. All that is given must hold."""

    occurred: EventOccurredFilter = msgspec.field(default_factory=EventOccurredFilter)
    event: EventNameFilter | None = None
    resource: EventResourceFilter | None = None
    related: EventRelatedFilter | list[EventRelatedFilter] | None = None
    """Each of several must find a related resource."""
    any_resource: EventAnyResourceFilter | list[EventAnyResourceFilter] | None = None
    id: EventIDFilter = msgspec.field(default_factory=EventIDFilter)
    text: EventTextFilter | None = None
    order: EventOrder = EventOrder.DESC
