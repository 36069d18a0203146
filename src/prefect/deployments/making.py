"""What the methods of flows do that deploy them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from prefect.client.awaiting import awaited, either_way
from prefect.deployments.runner import DeploymentOptions, RunnerDeployment, ServedOptions, deploy_all
from prefect.deployments.sources import fetched, load_flow
from prefect.deployments.storage import RunnerStorage, create_storage_from_source

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = [
    "adeploy_flow",
    "aflow_from_source",
    "ato_deployment",
    "deploy_flow",
    "flow_from_source",
    "to_deployment",
]


@either_way
def to_deployment(flow: Flow[Any, Any], name: str, **options: Unpack[DeploymentOptions]) -> RunnerDeployment:
    """Make a deployment of a flow; see `Flow.to_deployment`."""
    return RunnerDeployment.from_flow(flow, name, **options)


ato_deployment = awaited(to_deployment)


@either_way
def deploy_flow(
    flow: Flow[Any, Any],
    name: str,
    work_pool_name: str | None,
    image: str | None,
    build: bool,
    print_next_steps: bool,
    **options: Unpack[ServedOptions],
) -> UUID:
    """Deploy a flow; see `Flow.deploy`."""
    deployment = RunnerDeployment.from_flow(flow, name, **options)
    (made,) = deploy_all(
        [deployment], work_pool_name, image, build=build, print_next_steps_message=print_next_steps
    )
    return made


adeploy_flow = awaited(deploy_flow)


@either_way
def flow_from_source(source: str | Path | RunnerStorage, entrypoint: str) -> Flow[..., Any]:
    """Return a flow whose code is elsewhere; see `Flow.from_source`."""
    storage = create_storage_from_source(source) if isinstance(source, str | Path) else source
    with tempfile.TemporaryDirectory(prefix="prefect-source-") as folder:
        storage.set_base_path(Path(folder))
        place, separator, name = entrypoint.partition(":")
        flow = load_flow(f"{fetched(storage) / place}{separator}{name}")
    flow._storage, flow._entrypoint = storage, entrypoint
    return flow


aflow_from_source = awaited(flow_from_source)
