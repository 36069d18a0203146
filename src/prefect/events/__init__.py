"""Events: tell what happened, and follow what happens."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.events.schemas.events import Event, ReceivedEvent, RelatedResource, Resource
from prefect.events.utilities import emit_event

if TYPE_CHECKING:
    from prefect.deployments.triggers import DeploymentCompoundTrigger as DeploymentCompoundTrigger
    from prefect.deployments.triggers import DeploymentEventTrigger as DeploymentEventTrigger
    from prefect.deployments.triggers import DeploymentSequenceTrigger as DeploymentSequenceTrigger
    from prefect.events.emitters import get_events_client as get_events_client
    from prefect.events.subscribers import get_events_subscriber as get_events_subscriber
    from prefect.schemas.automations import CompoundTrigger as CompoundTrigger
    from prefect.schemas.automations import EventTrigger as EventTrigger
    from prefect.schemas.automations import Posture as Posture
    from prefect.schemas.automations import ResourceSpecification as ResourceSpecification
    from prefect.schemas.automations import SequenceTrigger as SequenceTrigger

_HOMES = {
    **dict.fromkeys(
        ("DeploymentCompoundTrigger", "DeploymentEventTrigger", "DeploymentSequenceTrigger"),
        "prefect.deployments.triggers",
    ),
    **dict.fromkeys(
        ("CompoundTrigger", "EventTrigger", "Posture", "ResourceSpecification", "SequenceTrigger"),
        "prefect.schemas.automations",
    ),
    # Loaded when first used: a flow that tells an event needs neither asyncio nor SQLAlchemy.
    "get_events_client": "prefect.events.emitters",
    "get_events_subscriber": "prefect.events.subscribers",
}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "Event",
    "ReceivedEvent",
    "RelatedResource",
    "Resource",
    "emit_event",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'prefect.events' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
