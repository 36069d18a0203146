"""Events as code makes and reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec

from prefect.schemas import events as wire
from prefect.types import now, uuid7

__all__ = ["Event", "ReceivedEvent", "RelatedResource", "Resource"]


class Resource(dict[str, str]):
    """Labels of something; `prefect.resource.id` says which it is."""

    @property
    def id(self) -> str:
        """Which it is."""
        return self["prefect.resource.id"]

    @property
    def name(self) -> str | None:
        """What it is called."""
        return self.get("prefect.resource.name")

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Make a resource of its labels.

        Raises:
            ValueError: `prefect.resource.id` is not among them.
        """
        labels = cls(msgspec.convert(dict(obj), dict[str, str]))
        if "prefect.resource.id" not in labels:
            raise ValueError("The resource has no `prefect.resource.id`")
        return labels


class RelatedResource(Resource):
    """Labels of something that has to do with an event; `prefect.resource.role` says what."""

    @property
    def role(self) -> str:
        """What it has to do with the event."""
        return self["prefect.resource.role"]


class Event(wire.Event, kw_only=True):
    """Something that happened to a resource; it happens now, unless `occurred` says when."""

    occurred: datetime = msgspec.field(default_factory=now)
    id: UUID = msgspec.field(default_factory=uuid7)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.resource = Resource(self.resource)
        self.related = [RelatedResource(labels) for labels in self.related]


class ReceivedEvent(Event, kw_only=True):
    """An event that a server keeps."""

    received: datetime = msgspec.field(default_factory=now)
