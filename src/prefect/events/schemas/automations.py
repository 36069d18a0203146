"""Automations and their triggers; `prefect.automations` has them too."""

from __future__ import annotations

from prefect.schemas.automations import (
    Automation,
    CompoundTrigger,
    EventTrigger,
    Posture,
    ResourceSpecification,
    SequenceTrigger,
)
from prefect.schemas.automations import AutomationCreate as AutomationCore
from prefect.schemas.automations import Trigger as TriggerTypes

__all__ = [
    "Automation",
    "AutomationCore",
    "CompoundTrigger",
    "EventTrigger",
    "Posture",
    "ResourceSpecification",
    "SequenceTrigger",
    "TriggerTypes",
]
