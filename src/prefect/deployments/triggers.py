"""Triggers that have a deployment run: they are kept as automations, which are the deployment's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal, cast
from uuid import UUID

import msgspec

from prefect.client.base import Caller
from prefect.operations.automations import create_automation, delete_automations_owned_by
from prefect.schemas.automations import (
    AutomationCreate,
    CompoundTrigger,
    EventTrigger,
    Posture,
    RunDeployment,
    SequenceTrigger,
    Trigger,
)

__all__ = [
    "AnyTrigger",
    "DeploymentCompoundTrigger",
    "DeploymentEventTrigger",
    "DeploymentSequenceTrigger",
    "replace_triggers",
    "triggers_of",
]

_SPANS = "within", "schedule_after"


def _seconds(trigger: Any) -> None:
    """Take spans of time as they are written in code too."""
    for name in _SPANS:
        value = getattr(trigger, name)
        if isinstance(value, timedelta):
            setattr(trigger, name, value.total_seconds())


class DeploymentEventTrigger(EventTrigger, tag_field="type", tag="event"):
    """Has a deployment run when events come, or stay away.

    `parameters` may hold templates, such as `{{ event.resource.id }}`.
    """

    posture: Posture = Posture.REACTIVE
    name: str | None = None
    """Of the automation; None: the deployment's, and a number."""
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    """Of the run, beside the deployment's."""
    job_variables: dict[str, Any] | None = None
    """Of the run, beside the deployment's."""
    schedule_after: float = 0.0
    """Seconds from the event to the run; a timedelta does too."""

    def __post_init__(self) -> None:
        _seconds(self)
        super().__post_init__()


class DeploymentCompoundTrigger(CompoundTrigger, tag_field="type", tag="compound"):
    """Has a deployment run when some of several triggers fire; the fields are those of an event's."""

    require: int | Literal["any", "all"] = "all"
    within: float | None = None
    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float = 0.0

    def __post_init__(self) -> None:
        _seconds(self)
        super().__post_init__()


class DeploymentSequenceTrigger(SequenceTrigger, tag_field="type", tag="sequence"):
    """Has a deployment run when several triggers fire in their order; the fields are those of an event's."""

    within: float | None = None
    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float = 0.0

    def __post_init__(self) -> None:
        _seconds(self)


AnyTrigger = DeploymentEventTrigger | DeploymentCompoundTrigger | DeploymentSequenceTrigger

_OF_DEPLOYMENT: dict[Any, Any] = {
    EventTrigger: DeploymentEventTrigger,
    CompoundTrigger: DeploymentCompoundTrigger,
    SequenceTrigger: DeploymentSequenceTrigger,
}


def triggers_of(given: Iterable[Any] | None, deployment_name: str) -> list[AnyTrigger]:
    """Return triggers as they are written in code or in a file, each with a name.

    Args:
        given: Triggers of this module or of `prefect.automations`, or what a file says of them.
        deployment_name: What those without a name are named after.

    Raises:
        ValueError: One of them cannot be read; it says which, and why.
    """
    found: list[AnyTrigger] = []
    for number, each in enumerate(given or (), 1):
        try:
            trigger = _trigger(each)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise ValueError(
                f"Trigger {number} of deployment {deployment_name!r} cannot be read: {error}"
            ) from error
        name = trigger.name or f"{deployment_name}__automation_{number}"
        found.append(trigger.model_copy(update={"name": name}))
    return found


def _trigger(given: Any) -> AnyTrigger:
    if isinstance(given, AnyTrigger):
        return given
    kind = _OF_DEPLOYMENT.get(type(given))
    if kind is not None:
        return cast(AnyTrigger, kind(**{name: getattr(given, name) for name in given.__struct_fields__}))
    if isinstance(given, dict):
        # As an interface's files have it, what says nothing else is about events.
        read: Any = msgspec.convert({"type": "event", **given}, AnyTrigger, strict=False)
        return cast(AnyTrigger, read)
    raise TypeError(f"it is {type(given).__name__}, and no trigger.")


def replace_triggers(client: Caller, deployment_id: UUID, triggers: Sequence[AnyTrigger]) -> None:
    """Let a deployment have some triggers, and no others.

    Args:
        client: Where they are kept.
        deployment_id: The deployment.
        triggers: The triggers.

    Raises:
        prefect.exceptions.PrefectException: They cannot be kept.
    """
    owner = f"prefect.deployment.{deployment_id}"
    client.call(delete_automations_owned_by, owner)
    for each in triggers:
        client.call(create_automation, _automation(each, deployment_id, owner))


def _automation(trigger: AnyTrigger, deployment_id: UUID, owner: str) -> AutomationCreate:
    action = RunDeployment(
        deployment_id=deployment_id,
        parameters=trigger.parameters,
        job_variables=trigger.job_variables,
        schedule_after=trigger.schedule_after,
    )
    return AutomationCreate(
        name=trigger.name or f"Automation for deployment {deployment_id}",
        description=trigger.description,
        enabled=trigger.enabled,
        trigger=_plain(trigger),
        actions=[action],
        owner_resource=owner,
    )


def _plain(trigger: AnyTrigger) -> Trigger:
    plain = next(kind for kind, own in _OF_DEPLOYMENT.items() if isinstance(trigger, own))
    return cast(Trigger, plain(**{name: getattr(trigger, name) for name in plain.__struct_fields__}))
