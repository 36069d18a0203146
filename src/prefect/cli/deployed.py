"""Choosing a deployment on the command line."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from prefect.cli.commands import Flag
from prefect.cli.selecting import whole_id
from prefect.client.base import Caller
from prefect.exceptions import CommandFailed, ObjectNotFound
from prefect.operations.deployments import read_deployment, read_deployment_by_name
from prefect.operations.flows import read_flow
from prefect.schemas.deployments import DeploymentResponse

__all__ = ["DeploymentName", "find_deployment", "whole_name"]

DeploymentName = Annotated[str, Flag(metavar="FLOW/DEPLOYMENT")]


def find_deployment(client: Caller, name: str | None, id_: str | None = None) -> DeploymentResponse:
    """Return the deployment that is meant.

    Args:
        client: Whom to ask.
        name: The names of its flow and its own, with a slash between; or its id.
        id_: Its id, given as an option.

    Raises:
        prefect.exceptions.CommandFailed: There is none, or none is named.
    """
    if (name is None) == (id_ is None):
        raise CommandFailed("Which deployment? Give its name, FLOW/DEPLOYMENT, or --id with its id.")
    given = name if name is not None else str(id_)
    deployment_id = whole_id(given)
    try:
        if deployment_id is not None:
            return client.call(read_deployment, deployment_id)
        if name is None:
            raise CommandFailed(f"{given!r} is no id of a deployment.")
        flow, slash, own = name.partition("/")
        if not (flow and slash and own):
            raise CommandFailed(f"{name!r} is no name of a deployment: give FLOW/DEPLOYMENT, or its id.")
        return client.call(read_deployment_by_name, flow, own)
    except ObjectNotFound as error:
        raise CommandFailed(
            f"There is no deployment {given!r}. `prefect deployment ls` lists those that are there."
        ) from error


def whole_name(client: Caller, found: DeploymentResponse, flows: dict[UUID, str] | None = None) -> str:
    """Return a deployment's name with that of its flow.

    Args:
        client: Whom to ask.
        found: The deployment.
        flows: Names of flows that are known already.
    """
    flow = (flows or {}).get(found.flow_id) or client.call(read_flow, found.flow_id).name
    return f"{flow}/{found.name}"
