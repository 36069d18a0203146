"""What an automation is to do, from when its trigger fired until it is done."""

from __future__ import annotations

from uuid import UUID

import msgspec

from prefect.schemas.automations import Action, EventTrigger, Trigger
from prefect.schemas.base import Schema
from prefect.schemas.events import ReceivedEvent
from prefect.types import uuid7

__all__ = ["TriggeredAction", "labels_of_automation"]


class TriggeredAction(Schema):
    """Something to be done."""

    automation_id: UUID
    automation_name: str
    trigger: Trigger
    action: Action
    action_index: int
    told: UUID
    """The event which says that the automation was triggered."""
    id: UUID = msgspec.field(default_factory=uuid7)
    event: ReceivedEvent | None = None
    """The event that made it fire."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    depth: int = 0
    """How many automations came before that had one set off the next."""
    attempts: int = 0
    """How often it was tried before, in vain."""
    delivered: int = 0
    """How many of the requests that it consists of were taken already."""


def labels_of_automation(automation_id: UUID, name: str, trigger: Trigger) -> dict[str, str]:
    """Return the labels with which events name an automation that was triggered.

    Args:
        automation_id: Which it is.
        name: What it is called.
        trigger: What triggered it.
    """
    labels = {"prefect.resource.id": f"prefect.automation.{automation_id}", "prefect.resource.name": name}
    if isinstance(trigger, EventTrigger):
        labels["prefect.posture"] = trigger.posture.value
    return labels
