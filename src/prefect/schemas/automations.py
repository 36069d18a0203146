"""Automations: what should be done when something happens. `prefect.rules.triggers` says when."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.filters.automations import AutomationFilter
from prefect.schemas.pages import Page
from prefect.schemas.states import StateType
from prefect.types import uuid7

__all__ = [
    "Automation",
    "AutomationCreate",
    "AutomationPartialUpdate",
    "AutomationQuery",
    "AutomationSort",
    "AutomationUpdate",
    "CallWebhook",
    "CancelFlowRun",
    "ChangeFlowRunState",
    "CompoundTrigger",
    "DeleteFlowRun",
    "DoNothing",
    "EventTrigger",
    "PauseAutomation",
    "PauseDeployment",
    "PauseWorkPool",
    "PauseWorkQueue",
    "Posture",
    "ResourceSpecification",
    "ResumeAutomation",
    "ResumeDeployment",
    "ResumeFlowRun",
    "ResumeWorkPool",
    "ResumeWorkQueue",
    "RunDeployment",
    "SendNotification",
    "SequenceTrigger",
    "SuspendFlowRun",
]

Labels = dict[str, str | list[str]]
Seconds = Annotated[float, Meta(ge=0, le=30_000_000_000)]
"""At most some 950 years: from today so many reach to no year that a calendar lacks."""
Source = Literal["selected", "inferred"]

_PROACTIVE_SECONDS = 10.0


class Posture(StrEnum):
    """What a trigger waits for."""

    REACTIVE = "Reactive"
    """That events come."""
    PROACTIVE = "Proactive"
    """That they stay away."""
    # The names that existing code has for them.
    Reactive = "Reactive"
    Proactive = "Proactive"


class ResourceSpecification(dict[str, str | list[str]]):
    """Labels that a resource must have; a plain mapping will do as well."""

    @classmethod
    def model_validate(cls, obj: Any, **_options: Any) -> ResourceSpecification:
        """Return a mapping as labels."""
        return cls(obj)


def _seconds(given: Any) -> Any:
    """Return a length of time as what is kept; code may give a `timedelta`."""
    return given.total_seconds() if isinstance(given, timedelta) else given


def _plain(given: Any) -> Any:
    return [dict(each) for each in given] if isinstance(given, list) else dict(given)


class EventTrigger(Schema, tag_field="type", tag="event"):
    """Fires when events come, or stay away."""

    posture: Posture
    id: UUID = msgspec.field(default_factory=uuid7)
    match: Labels = msgspec.field(default_factory=dict)
    match_related: Labels | list[Labels] = msgspec.field(default_factory=dict)
    after: list[str] = msgspec.field(default_factory=list)
    expect: list[str] = msgspec.field(default_factory=list)
    for_each: list[str] = msgspec.field(default_factory=list)
    threshold: int = 1
    within: Seconds = 0.0

    def __post_init__(self) -> None:
        self.posture = Posture(self.posture)
        self.within = _seconds(self.within)
        self.match, self.match_related = dict(self.match), _plain(self.match_related)
        for name in ("after", "expect", "for_each"):
            setattr(self, name, list(dict.fromkeys(getattr(self, name))))
        if self.posture is Posture.PROACTIVE and self.within == 0.0:
            self.within = _PROACTIVE_SECONDS
        if self.posture is Posture.PROACTIVE and self.within < _PROACTIVE_SECONDS:
            raise ValueError(f"A proactive trigger waits at least {_PROACTIVE_SECONDS:g} seconds (`within`).")


class CompoundTrigger(Schema, tag_field="type", tag="compound"):
    """Fires when some of several triggers do."""

    triggers: list[EventTrigger | CompoundTrigger | SequenceTrigger]
    within: Seconds | None
    require: int | Literal["any", "all"]
    id: UUID = msgspec.field(default_factory=uuid7)

    def __post_init__(self) -> None:
        self.within = _seconds(self.within)
        if isinstance(self.require, int) and not 1 <= self.require <= len(self.triggers):
            raise ValueError(f"`require` must be from 1 to the number of triggers, {len(self.triggers)}.")


class SequenceTrigger(Schema, tag_field="type", tag="sequence"):
    """Fires when several triggers do, in their order."""

    triggers: list[EventTrigger | CompoundTrigger | SequenceTrigger]
    within: Seconds | None
    id: UUID = msgspec.field(default_factory=uuid7)

    def __post_init__(self) -> None:
        self.within = _seconds(self.within)


Trigger = EventTrigger | CompoundTrigger | SequenceTrigger


def _needs(action: Any, name: str) -> None:
    if (action.source == "selected") is (getattr(action, name) is None):
        verb = "needs" if action.source == "selected" else "takes no"
        raise ValueError(f"An action with source {action.source!r} {verb} `{name}`.")


class DoNothing(Schema, tag_field="type", tag="do-nothing"):
    """Does nothing."""


class RunDeployment(Schema, tag_field="type", tag="run-deployment"):
    """Makes a run of a deployment."""

    source: Source = "selected"
    deployment_id: UUID | None = None
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: Seconds = 0.0

    def __post_init__(self) -> None:
        self.schedule_after = _seconds(self.schedule_after)
        _needs(self, "deployment_id")


class PauseDeployment(Schema, tag_field="type", tag="pause-deployment"):
    """Pauses the schedules of a deployment."""

    source: Source = "selected"
    deployment_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "deployment_id")


class ResumeDeployment(Schema, tag_field="type", tag="resume-deployment"):
    """Resumes the schedules of a deployment."""

    source: Source = "selected"
    deployment_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "deployment_id")


class CancelFlowRun(Schema, tag_field="type", tag="cancel-flow-run"):
    """Cancels the flow run that the trigger is about."""


class DeleteFlowRun(Schema, tag_field="type", tag="delete-flow-run"):
    """Deletes the flow run that the trigger is about."""


class SuspendFlowRun(Schema, tag_field="type", tag="suspend-flow-run"):
    """Suspends the flow run that the trigger is about."""


class ResumeFlowRun(Schema, tag_field="type", tag="resume-flow-run"):
    """Resumes the flow run that the trigger is about."""


class ChangeFlowRunState(Schema, tag_field="type", tag="change-flow-run-state"):
    """Sets the state of the flow run that the trigger is about."""

    state: StateType
    name: str | None = None
    message: str | None = None
    force: bool = False


class PauseWorkQueue(Schema, tag_field="type", tag="pause-work-queue"):
    """Pauses a work queue."""

    source: Source = "selected"
    work_queue_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "work_queue_id")


class ResumeWorkQueue(Schema, tag_field="type", tag="resume-work-queue"):
    """Resumes a work queue."""

    source: Source = "selected"
    work_queue_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "work_queue_id")


class SendNotification(Schema, tag_field="type", tag="send-notification"):
    """Sends a message by way of a block."""

    block_document_id: UUID
    body: str
    subject: str = "Prefect automated notification"


class CallWebhook(Schema, tag_field="type", tag="call-webhook"):
    """Calls a webhook block."""

    block_document_id: UUID
    payload: str = ""


class PauseAutomation(Schema, tag_field="type", tag="pause-automation"):
    """Disables an automation."""

    source: Source = "selected"
    automation_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "automation_id")


class ResumeAutomation(Schema, tag_field="type", tag="resume-automation"):
    """Enables an automation."""

    source: Source = "selected"
    automation_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "automation_id")


class PauseWorkPool(Schema, tag_field="type", tag="pause-work-pool"):
    """Pauses a work pool."""

    source: Source = "selected"
    work_pool_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "work_pool_id")


class ResumeWorkPool(Schema, tag_field="type", tag="resume-work-pool"):
    """Resumes a work pool."""

    source: Source = "selected"
    work_pool_id: UUID | None = None

    def __post_init__(self) -> None:
        _needs(self, "work_pool_id")


Action = (
    DoNothing
    | RunDeployment
    | PauseDeployment
    | ResumeDeployment
    | CancelFlowRun
    | ChangeFlowRunState
    | DeleteFlowRun
    | PauseWorkQueue
    | ResumeWorkQueue
    | SendNotification
    | CallWebhook
    | PauseAutomation
    | ResumeAutomation
    | SuspendFlowRun
    | ResumeFlowRun
    | PauseWorkPool
    | ResumeWorkPool
)


class AutomationUpdate(Schema, forbid_unknown_fields=True):
    """What an automation is to be from now on."""

    name: str
    trigger: Trigger
    actions: list[Action]
    description: str = ""
    enabled: bool = True
    tags: list[str] = msgspec.field(default_factory=list)
    actions_on_trigger: list[Action] = msgspec.field(default_factory=list)
    actions_on_resolve: list[Action] = msgspec.field(default_factory=list)


class AutomationCreate(AutomationUpdate, forbid_unknown_fields=True):
    """An automation to be made."""

    owner_resource: str | None = None
    """The resource that it came with, as `prefect.deployment.<id>`."""


class AutomationPartialUpdate(Schema, forbid_unknown_fields=True):
    """Whether an automation is to be enabled; left out, it stays."""

    enabled: bool | UnsetType = UNSET


class Automation(Schema):
    """An automation."""

    name: str
    trigger: Trigger
    actions: list[Action]
    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    description: str = ""
    enabled: bool = True
    tags: list[str] = msgspec.field(default_factory=list)
    actions_on_trigger: list[Action] = msgspec.field(default_factory=list)
    actions_on_resolve: list[Action] = msgspec.field(default_factory=list)


class AutomationSort(StrEnum):
    """Orders of automations."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


class AutomationQuery(Page):
    """A query of automations."""

    automations: AutomationFilter | None = None
    sort: AutomationSort | None = AutomationSort.NAME_ASC
