"""The triggers of deployments in `prefect.yaml`: automations that run the deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
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
    RunDeployment,
    SequenceTrigger,
)

__all__ = ["read_trigger", "settle_triggers"]

_KINDS: dict[str, type[Any]] = {
    "event": EventTrigger,
    "compound": CompoundTrigger,
    "sequence": SequenceTrigger,
}
_OF_AUTOMATION = ("name", "description", "enabled")
_OF_RUN = ("parameters", "job_variables", "schedule_after")
_NOBODY = UUID(int=0)


def read_trigger(value: Any, deployment_id: UUID = _NOBODY, name: str = "") -> AutomationCreate:
    """Return the automation that a trigger of a deployment means.

    Args:
        value: The trigger.
        deployment_id: The deployment that it runs.
        name: What the automation is called if the trigger does not say.

    Raises:
        ValueError: It is no trigger.
    """
    if not isinstance(value, dict):
        raise ValueError(f"a trigger is a mapping, unlike {value!r}")
    rest = {key: item for key, item in value.items() if item is not None}
    about = {key: rest.pop(key) for key in _OF_AUTOMATION if key in rest}
    run = {key: rest.pop(key) for key in _OF_RUN if key in rest}
    action = {"type": "run-deployment", "source": "selected", "deployment_id": str(deployment_id), **run}
    wanted = {"name": name, **about, "trigger": _whole(rest), "actions": [action]}
    wanted["owner_resource"] = f"prefect.deployment.{deployment_id}"
    try:
        return msgspec.convert(wanted, AutomationCreate)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def _whole(trigger: Any) -> dict[str, Any]:
    """Add to a trigger what goes without saying."""
    if not isinstance(trigger, dict):
        raise ValueError(f"a trigger is a mapping, unlike {trigger!r}")
    kind = trigger.get("type", "event")
    if kind not in _KINDS:
        raise ValueError(f"there is no type {kind!r} of triggers. There are {', '.join(_KINDS)}.")
    known = {"type", *_KINDS[kind].__struct_fields__} - {"id"}
    if unknown := sorted(trigger.keys() - known):
        raise ValueError(f"it has no field {unknown[0]!r}. There are {', '.join(sorted(known))}.")
    defaults: dict[str, Any] = {"posture": "Reactive"} if kind == "event" else {"within": None}
    if kind == "compound":
        defaults["require"] = "any"
    whole = {**defaults, **trigger, "type": kind}
    if kind != "event":
        whole["triggers"] = [_whole(each) for each in whole.get("triggers") or []]
    return whole


def settle_triggers(
    client: Caller, deployment_id: UUID, name: str, triggers: Sequence[Any], *, only_look: bool = False
) -> bool:
    """Let a deployment have some triggers, and no others; return whether that is a change.

    Args:
        client: Whom to call.
        deployment_id: The deployment.
        name: The deployment's name.
        triggers: Its triggers, as the file has them.
        only_look: Change nothing.
    """
    owner = f"prefect.deployment.{deployment_id}"
    wanted = [
        read_trigger(each, deployment_id, f"{name}__automation_{place}")
        for place, each in enumerate(triggers, 1)
    ]
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
