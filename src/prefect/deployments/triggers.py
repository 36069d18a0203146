"""Triggers that have a deployment run: they are kept as automations, which are the deployment's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import msgspec

from prefect.client.base import Caller
from prefect.operations.automations import (
    create_automation,
    delete_automations_owned_by,
    read_automations_related_to,
)
from prefect.schemas.automations import (
    Automation,
    AutomationCreate,
    CompoundTrigger,
    EventTrigger,
    Posture,
    RunDeployment,
    SequenceTrigger,
    Trigger,
)
from prefect.schemas.base import whole

__all__ = [
    "AnyTrigger",
    "DeploymentCompoundTrigger",
    "DeploymentEventTrigger",
    "DeploymentSequenceTrigger",
    "read_trigger",
    "settle_triggers",
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


class DeploymentCompoundTrigger(CompoundTrigger, kw_only=True, tag_field="type", tag="compound"):
    """Has a deployment run when some of several triggers fire; the fields are those of an event's."""

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
_KINDS: dict[str, Any] = {
    "event": EventTrigger,
    "compound": CompoundTrigger,
    "sequence": SequenceTrigger,
}
_OWN = frozenset(DeploymentEventTrigger.__struct_fields__) - frozenset(EventTrigger.__struct_fields__)
"""Fields of the automation and of the run, which triggers within others have not."""


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
            trigger = read_trigger(each)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise ValueError(
                f"Trigger {number} of deployment {deployment_name!r} cannot be read: {error}"
            ) from error
        name = trigger.name or f"{deployment_name}__automation_{number}"
        found.append(trigger.model_copy(update={"name": name}))
    return found


def read_trigger(given: Any) -> AnyTrigger:
    """Return a trigger as it is written in code or in a file.

    Args:
        given: See `triggers_of`.

    Raises:
        ValueError: It cannot be read.
        TypeError: It is no trigger.
    """
    if isinstance(given, AnyTrigger):
        return given
    kind = _OF_DEPLOYMENT.get(type(given))
    if kind is not None:
        return cast(AnyTrigger, kind(**{name: getattr(given, name) for name in given.__struct_fields__}))
    if isinstance(given, dict):
        said = {name: value for name, value in given.items() if value is not None}
        read: Any = msgspec.convert(_whole(said, _OWN), whole(AnyTrigger), strict=False)
        return cast(AnyTrigger, read)
    raise TypeError(f"it is {type(given).__name__}, and no trigger.")


def _whole(trigger: Any, own: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Add to what a file says of a trigger what goes without saying."""
    if not isinstance(trigger, dict):
        raise ValueError(f"a trigger is a mapping, unlike {trigger!r}")
    # As an interface's files have it, what says nothing else is about events.
    kind = trigger.get("type", "event")
    if kind not in _KINDS:
        raise ValueError(f"there is no type {kind!r} of triggers. There are {', '.join(_KINDS)}.")
    known = {"type", *_KINDS[kind].__struct_fields__, *own} - {"id"}
    if unknown := sorted(trigger.keys() - known - {"id"}):
        raise ValueError(f"it has no field {unknown[0]!r}. There are {', '.join(sorted(known))}.")
    if kind == "event":
        return {"posture": "Reactive", **trigger, "type": kind}
    if kind == "compound" and "require" not in trigger:
        raise ValueError("it does not say how many of its triggers it requires: any, all or a number.")
    within = [_whole(each) for each in trigger.get("triggers") or []]
    return {"within": None, **trigger, "type": kind, "triggers": within}


def settle_triggers(
    client: Caller, deployment_id: UUID, triggers: Sequence[AnyTrigger], *, only_look: bool = False
) -> bool:
    """Let a deployment have some triggers, and no others.

    Args:
        client: Where they are kept.
        deployment_id: The deployment.
        triggers: The triggers.
        only_look: Change nothing.

    Returns:
        Whether that is a change; where it is none, the automations stay as they are.

    Raises:
        prefect.exceptions.PrefectException: They cannot be kept.
    """
    owner = f"prefect.deployment.{deployment_id}"
    wanted = [_automation(each, deployment_id, owner) for each in triggers]
    there = client.call(read_automations_related_to, owner)
    if sorted(map(_gist, there)) == sorted(map(_gist, wanted)):
        return False
    if not only_look:
        client.call(delete_automations_owned_by, owner)
        for each in wanted:
            client.call(create_automation, each)
    return True


def _gist(automation: Automation | AutomationCreate) -> str:
    """Return what makes automations the same, whatever their ids."""
    trigger = automation.model_dump(mode="json")["trigger"]
    (action,) = automation.actions if len(automation.actions) == 1 else (None,)
    run = action.model_dump(mode="json") if isinstance(action, RunDeployment) else None
    return repr((automation.name, automation.description, automation.enabled, _without_ids(trigger), run))


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _without_ids(item)) for key, item in value.items() if key != "id")
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    return repr(value)


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
