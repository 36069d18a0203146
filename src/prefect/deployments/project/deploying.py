"""Deploys what is planned."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from prefect.client.base import Caller
from prefect.deployments.project.changes import changes_of, with_anchors
from prefect.deployments.project.facts import FlowFacts
from prefect.deployments.project.file import Entry
from prefect.deployments.project.planning import Planned, filled
from prefect.deployments.project.problems import Pools, problems_of, with_typed_variables
from prefect.deployments.project.wanted import Wanted, wanted_of
from prefect.deployments.steps.core import run_steps
from prefect.deployments.triggers import settle_triggers, triggers_of
from prefect.exceptions import ConfigurationError, ObjectNotFound
from prefect.operations.deployments import create_deployment, read_deployment_by_name
from prefect.operations.flows import create_flow
from prefect.schemas.actions import FlowCreate
from prefect.schemas.base import Schema, encode_json
from prefect.schemas.deployments import DeploymentResponse

__all__ = ["Deployed", "Deploying"]


class Deployed(Schema):
    """What became of a deployment."""

    name: str
    id: UUID
    status: Literal["created", "changed", "unchanged"]
    changes: list[str] = msgspec.field(default_factory=list)
    """The fields in which it was changed."""
    work_pool_name: str | None = None


class Deploying:
    """Deploys one deployment after another; steps that several have are run once.

    Args:
        client: Whom to call.
        tell: Is told of each step before it is run.
    """

    def __init__(self, client: Caller, tell: Callable[[str], Any]) -> None:
        self._client = client
        self._tell = tell
        self._pools = Pools(client)
        self._outputs: dict[bytes, dict[str, Any]] = {}

    def deploy(self, planned: Planned) -> Deployed:
        """Run the steps of a deployment, and write it down if it is another than the one that is there.

        Args:
            planned: The deployment, with no problems.

        Raises:
            prefect.exceptions.ConfigurationError: What the steps returned does not fit.
            prefect.deployments.steps.core.StepExecutionError: A step failed.
        """
        entry, facts = planned.entry, planned.facts
        assert facts is not None
        fields = self._after_steps(entry)
        return self._write_down(self._wanted(entry, fields, facts), fields)

    def _after_steps(self, entry: Entry) -> dict[str, Any]:
        outputs = self._run(entry.fields.get("build"), {})
        outputs = self._run(entry.fields.get("push"), outputs)
        return filled(entry, self._client, outputs)

    def _run(self, steps: Sequence[Mapping[str, Any]] | None, outputs: dict[str, Any]) -> dict[str, Any]:
        if not steps:
            return outputs
        key = encode_json([steps, outputs])
        if key not in self._outputs:
            # Steps may go elsewhere; the next deployment's begin here again.
            with contextlib.chdir(Path.cwd()):
                self._outputs[key] = run_steps(steps, outputs, self._tell)
        return self._outputs[key]

    def _wanted(self, entry: Entry, fields: Mapping[str, Any], facts: FlowFacts) -> Wanted:
        wanted = with_typed_variables(wanted_of(fields, facts), self._pools)
        problems = list(problems_of(wanted, self._pools))
        if problems:
            raise ConfigurationError("\n".join(f"{wanted.full_name}: {text}" for text in problems))
        return wanted

    def _write_down(self, wanted: Wanted, fields: Mapping[str, Any]) -> Deployed:
        had = self._find(wanted)
        data = wanted.data if had is None else with_anchors(had, wanted.data, _have_anchors(fields))
        changes = [] if had is None else changes_of(had, data)
        if had is None or changes:
            flow_id = self._client.call(create_flow, FlowCreate(name=wanted.flow_name)).id
            made = self._client.call(create_deployment, replace(data, flow_id=flow_id))
        else:
            made = had
        if wanted.triggers is not None:
            triggers = triggers_of(wanted.triggers, data.name)
            if settle_triggers(self._client, made.id, triggers):
                changes.append("triggers")
        return Deployed(
            name=wanted.full_name,
            id=made.id,
            status="created" if had is None else "changed" if changes else "unchanged",
            changes=[] if had is None else changes,
            work_pool_name=made.work_pool_name,
        )

    def _find(self, wanted: Wanted) -> DeploymentResponse | None:
        try:
            return self._client.call(read_deployment_by_name, wanted.flow_name, wanted.data.name)
        except ObjectNotFound:
            return None


def _have_anchors(fields: Mapping[str, Any]) -> list[bool]:
    one = fields.get("schedule")
    several = fields.get("schedules") or ([one] if one else [])
    return [not isinstance(each, Mapping) or each.get("anchor_date") is not None for each in several if each]
