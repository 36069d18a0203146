"""Makes of the fields of a deployment, and of what is known of its flow, what is to be deployed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from prefect.deployments.project.facts import FlowFacts
from prefect.deployments.schedules import normalize_to_deployment_schedule, read_moment
from prefect.rules.names import validate_name
from prefect.schemas.base import Schema, jsonable
from prefect.schemas.deployments import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    DeploymentCreate,
    DeploymentScheduleCreate,
    VersionInfo,
)
from prefect.settings import get_current_settings

__all__ = ["Wanted", "default_pull_steps", "schedules_in", "wanted_of"]

_NO_FLOW = UUID(int=0)


class Wanted(Schema):
    """What is to be deployed."""

    flow_name: str
    data: DeploymentCreate
    """The deployment; its flow is found, or made, when it is deployed."""
    triggers: list[Any] | None = None
    """None: those that it has stay."""

    @property
    def full_name(self) -> str:
        """The name of the flow and that of the deployment."""
        return f"{self.flow_name}/{self.data.name}"


def wanted_of(fields: Mapping[str, Any], facts: FlowFacts) -> Wanted:
    """Return what is to be deployed.

    Args:
        fields: The deployment's fields, filled in; pull steps as they are to be kept.
        facts: What is known of its flow.

    Raises:
        ValueError: They make no sense.
    """
    name = fields.get("name")
    if not name:
        raise ValueError("A deployment needs a name: give --name.")
    given_flow = fields.get("flow_name")
    if given_flow and given_flow != facts.name:
        raise ValueError(f"flow_name: the flow there is called {facts.name!r}, and not {given_flow!r}.")
    pool = fields.get("work_pool") or {}
    job_variables = pool.get("job_variables") or {}
    version = _text(fields.get("version")) or facts.version
    kind = fields.get("version_type")
    if kind and not version:
        raise ValueError("version_type: there is no version that it could be the type of.")
    tags = fields.get("tags") or []
    paused = fields.get("paused")
    enforced = fields.get("enforce_parameter_schema")
    data = DeploymentCreate(
        name=validate_name(str(name)),
        flow_id=_NO_FLOW,
        paused=UNSET if paused is None else paused,
        schedules=schedules_in(fields),
        **_limit(fields.get("concurrency_limit")),
        enforce_parameter_schema=True if enforced is None else enforced,
        parameter_openapi_schema=facts.parameter_schema,
        parameters=jsonable(fields.get("parameters") or {}),
        tags=sorted({*facts.tags, *([tags] if isinstance(tags, str) else tags)}),
        pull_steps=_pull_steps(fields.get("pull"), job_variables),
        work_pool_name=pool.get("name") or get_current_settings().deployments.default_work_pool_name,
        work_queue_name=pool.get("work_queue_name"),
        job_variables=jsonable(job_variables),
        description=_text(fields.get("description")) or facts.description,
        path=None,
        version=version,
        version_info=VersionInfo(type=kind, version=version) if kind and version else UNSET,
        entrypoint=fields.get("entrypoint"),
    )
    return Wanted(flow_name=facts.name, data=data, triggers=fields.get("triggers"))


def default_pull_steps() -> list[dict[str, Any]]:
    """Return the steps of deployments that have none: workers of this machine find the code where it is."""
    return [{"prefect.deployments.steps.set_working_directory": {"directory": str(Path.cwd())}}]


def _pull_steps(given: Any, job_variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    if given is not None:
        return list(given)
    # What has an image has its code in there.
    return [] if job_variables.get("image") else default_pull_steps()


def _text(value: Any) -> str | None:
    # What a placeholder stood for may be a number.
    return None if value is None else str(value)


def _limit(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {"concurrency_limit": given, "concurrency_options": None}
    options = ConcurrencyOptions(
        collision_strategy=ConcurrencyLimitStrategy(given.get("collision_strategy") or "ENQUEUE"),
        grace_period_seconds=given.get("grace_period_seconds"),
    )
    return {"concurrency_limit": given.get("limit"), "concurrency_options": options}


def schedules_in(fields: Mapping[str, Any]) -> list[DeploymentScheduleCreate]:
    """Return the schedules that a deployment's fields say.

    Args:
        fields: The fields: `schedules` has several, `schedule` one.

    Raises:
        ValueError: One of them is none.
    """
    one = fields.get("schedule")
    several = fields.get("schedules") or ([one] if one else [])
    try:
        return normalize_to_deployment_schedule([_schedule(each) for each in several if each])
    except (TypeError, msgspec.ValidationError) as error:
        raise ValueError(f"schedules: {error}") from error


def _schedule(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    fields = {name: value for name, value in given.items() if value is not None}
    if "anchor_date" in fields:
        fields["anchor_date"] = read_moment(fields["anchor_date"])
    return fields
