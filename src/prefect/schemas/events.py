"""Events: what happened to a resource, as clients tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from prefect.schemas.base import Schema

__all__ = ["Event"]


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
