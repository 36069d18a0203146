"""Finds all facts of a flow run, for code outside of runs that knows but its id."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.schemas.objects import FlowRun
from prefect.schemas.snapshots import DeploymentSnapshot, FlowRunSnapshot
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.client.base import Caller
    from prefect.schemas.deployments import DeploymentResponse

__all__ = ["facts_of_flow_run", "find_flow_run"]

_LONGEST_CHAIN = 100
"""How many parents are followed, so that a store with a cycle in it is survived."""


def find_flow_run(run_id: str) -> FlowRunSnapshot | None:
    """Return what the store, or the server that the settings name, knows of a flow run.

    A read makes no store and starts nothing. It raises nothing either: where nothing is found, a warning says
    why.

    Args:
        run_id: The run's id.
    """
    try:
        return _Lookup().flow_run(UUID(run_id))
    except ValueError:
        problem = "it is no UUID"
    except ObjectNotFound:
        problem = "there is no such flow run"
    except PrefectException as error:
        problem = str(error)
    logging.getLogger("prefect.runtime").warning(
        "prefect.runtime knows nothing of flow run %s but its id: %s.", run_id, problem
    )
    return None


def facts_of_flow_run(client: Caller, run: FlowRun, deployment: DeploymentResponse | None) -> FlowRunSnapshot:
    """Return the facts of a flow run that was read already.

    Args:
        client: Where it was read.
        run: The run.
        deployment: Its own deployment, if it has one.
    """
    from prefect.operations import read_flow  # noqa: PLC0415 - only code outside of runs looks anything up

    flow = client.call(read_flow, run.flow_id)
    chain = [run, *_parents(client, run)]
    deployed = next((one for one in chain if one.deployment_id is not None), None)
    parent = chain[1] if len(chain) > 1 else None
    parent_deployed = next((one for one in chain[1:] if one.deployment_id is not None), None)
    return FlowRunSnapshot(
        id=str(run.id),
        name=run.name or None,
        tags=list(run.tags),
        scheduled_start_time=run.next_scheduled_start_time or run.expected_start_time,
        flow_name=flow.name,
        flow_version=run.flow_version,
        parameters=run.parameters,
        parent_flow_run_id=str(parent.id) if parent is not None else None,
        parent_deployment_id=str(parent_deployed.deployment_id) if parent_deployed is not None else None,
        root_flow_run_id=str(chain[-1].id),
        run_count=run.run_count,
        job_variables=run.job_variables,
        start_time=run.start_time,
        state_name=run.state_name,
        max_retries=run.empirical_policy.retries or 0,
        work_pool_name=run.work_pool_name,
        work_queue_name=run.work_queue_name,
        deployment=None if deployed is None else _deployment_of(client, deployed, deployment),
    )


def _parents(client: Caller, run: FlowRun) -> list[FlowRun]:
    """Return the flow runs that a run is nested in, the nearest first; a deleted one ends the chain."""
    from prefect.operations import read_flow_run, read_task_run  # noqa: PLC0415 - as above

    parents: list[FlowRun] = []
    while run.parent_task_run_id is not None and len(parents) < _LONGEST_CHAIN:
        try:
            parent_id = client.call(read_task_run, run.parent_task_run_id).flow_run_id
            if parent_id is None:
                break
            run = client.call(read_flow_run, parent_id)
        except ObjectNotFound:
            break
        parents.append(run)
    return parents


def _deployment_of(client: Caller, run: FlowRun, known: DeploymentResponse | None) -> DeploymentSnapshot:
    from prefect.operations.deployments import read_deployment  # noqa: PLC0415 - SQLAlchemy

    assert run.deployment_id is not None
    if known is None or known.id != run.deployment_id:
        try:
            known = client.call(read_deployment, run.deployment_id)
        except ObjectNotFound:  # deleted since
            known = None
    return DeploymentSnapshot(
        id=str(run.deployment_id),
        name=None if known is None else known.name,
        version=run.deployment_version or (None if known is None else known.version),
        parameters=run.parameters,
        tags=[] if known is None else list(known.tags),
    )


class _Lookup:
    """One look into the store, or at the server."""

    def __init__(self) -> None:
        from prefect.client.current import get_caller  # noqa: PLC0415 - only code outside of runs looks it up
        from prefect.client.local import LocalClient  # noqa: PLC0415 - the same
        from prefect.store import open_store  # noqa: PLC0415 - the same
        from prefect.store.sqlite import SqliteStore  # noqa: PLC0415 - the same

        self.client: Caller
        if get_current_settings().api.url is not None:
            self.client = get_caller()
            return
        store = open_store()
        if isinstance(store, SqliteStore) and store.path != ":memory:" and not Path(store.path).exists():
            raise ObjectNotFound(help_message="There is no store yet.")
        self.client = LocalClient(store)

    def flow_run(self, run_id: UUID) -> FlowRunSnapshot:
        from prefect.operations import read_flow_run  # noqa: PLC0415 - as above

        return facts_of_flow_run(self.client, self.client.call(read_flow_run, run_id), None)
