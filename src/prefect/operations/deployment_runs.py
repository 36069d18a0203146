"""Operations on the runs of deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import or_, select, update

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations.flow_runs import add_flow_run, send_to
from prefect.operations.job_variables import check_run, job_template
from prefect.operations.readiness import tell_polled_deployments
from prefect.operations.registry import operation
from prefect.parameters.schema_check import SchemaError, ValueMismatch, check_values
from prefect.rules.bookkeeping import estimate
from prefect.rules.names import random_name
from prefect.schemas.deployments import (
    DeploymentFlowRunCreate,
    DeploymentResponse,
    FlowRunBulkCreateResponse,
    FlowRunCreateResult,
)
from prefect.schemas.objects import CreatedBy, FlowRun
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_from_row
from prefect.store.deployments import deployment_rows, deployments_from_rows
from prefect.store.queries import select_scheduled_runs
from prefect.store.queues import read_queue
from prefect.store.tables import deployments
from prefect.store.values import read_id
from prefect.types import format_utc, now, uuid7

__all__ = [
    "DEPLOYMENT_ID_LABEL",
    "create_flow_run_from_deployment",
    "create_flow_runs_from_deployment",
    "read_scheduled_runs_of_deployments",
    "run_deployment",
]

DEPLOYMENT_ID_LABEL = "prefect.deployment.id"
"""What runs of a deployment are marked with."""
_MAKING = "creating flow run"
_POLLS_APART = timedelta(seconds=5)
"""How precisely it is written down when a deployment's runs were asked for last."""


@operation("POST", "/deployments/{deployment_id}/create_flow_run", creates=True)
def create_flow_run_from_deployment(
    store: Store, deployment_id: UUID, data: DeploymentFlowRunCreate
) -> FlowRun:
    """Make a run of a deployment; it is scheduled for now, unless its state says otherwise.

    Args:
        store: The store.
        deployment_id: The deployment.
        data: The run. Where a run of its flow and idempotency key is there already, that one is returned.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
        prefect.exceptions.ObjectAlreadyExists: The parameters do not fit the deployment's schema.
        prefect.exceptions.RequestRefused: The job variables do not fit the deployment's work pool.
    """
    return run_deployment(store, deployment_id, data)


def run_deployment(
    store: Store, deployment_id: UUID, data: DeploymentFlowRunCreate, created_by: CreatedBy | None = None
) -> FlowRun:
    """Make a run of a deployment, and say what made it; see `create_flow_run_from_deployment`."""
    deployment, template = _deployment(store, deployment_id)
    try:
        # Before the transaction, for which others wait.
        parameters = _parameters(deployment, data)
    except (ValueMismatch, SchemaError) as error:
        # The interface has no other status for it than that of a conflict.
        raise ObjectAlreadyExists(error, f"Error creating flow run: {error}") from error
    check_run(deployment, data.job_variables, template, _MAKING)
    with store.transaction() as connection:
        _still_there(connection, deployment_id)
        return _create(connection, deployment, data, parameters, created_by)


@operation("POST", "/deployments/{deployment_id}/create_flow_run/bulk", status=200)
def create_flow_runs_from_deployment(
    store: Store, deployment_id: UUID, data: list[DeploymentFlowRunCreate]
) -> FlowRunBulkCreateResponse:
    """Make several runs of a deployment; one that does not fit keeps the others from nothing.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    results: list[FlowRunCreateResult] = []
    deployment, template = _deployment(store, deployment_id)
    checked: list[dict[str, Any] | str] = []
    for each in data:
        try:
            parameters = _parameters(deployment, each)
            check_run(deployment, each.job_variables, template, _MAKING)
        except RequestRefused as error:
            checked.append(str(error))
        except (ValueMismatch, SchemaError) as error:
            checked.append(f"Parameter validation failed: {error}")
        else:
            checked.append(parameters)
    with store.transaction() as connection:
        _still_there(connection, deployment_id)
        for each, outcome in zip(data, checked, strict=True):
            if isinstance(outcome, str):
                results.append(FlowRunCreateResult(status="FAILED", error=outcome))
                continue
            run = _create(connection, deployment, each, outcome)
            results.append(FlowRunCreateResult(flow_run_id=run.id))
    return FlowRunBulkCreateResponse(results=results)


def _deployment(store: Store, deployment_id: UUID) -> tuple[DeploymentResponse, dict[str, Any]]:
    """Return a deployment with the job template of its work pool."""
    with store.reading() as connection:
        rows = connection.select(deployment_rows(deployments.c.id == deployment_id.hex))
        if not rows:
            raise _missing()
        found = deployments_from_rows(connection, rows, now())[0]
        return found, job_template(connection, found.work_pool_name)


def _still_there(connection: Connection, deployment_id: UUID) -> None:
    if not connection.select(select(deployments.c.id).where(deployments.c.id == deployment_id.hex)):
        raise _missing()


def _missing() -> ObjectNotFound:
    return ObjectNotFound(help_message="Deployment not found")


def _parameters(deployment: DeploymentResponse, data: DeploymentFlowRunCreate) -> dict[str, Any]:
    parameters = {**deployment.parameters, **data.parameters}
    is_enforced = data.enforce_parameter_schema
    if is_enforced is None:
        is_enforced = deployment.enforce_parameter_schema
    if is_enforced and deployment.parameter_openapi_schema:
        check_values(parameters, deployment.parameter_openapi_schema, nullable=True)
    return parameters


def _create(
    connection: Connection,
    deployment: DeploymentResponse,
    data: DeploymentFlowRunCreate,
    parameters: dict[str, Any],
    created_by: CreatedBy | None = None,
) -> FlowRun:
    at = now()
    run = FlowRun(
        id=uuid7(),
        created=at,
        updated=at,
        flow_id=deployment.flow_id,
        deployment_id=deployment.id,
        deployment_version=deployment.version,
        name=data.name or random_name(),
        parameters=parameters,
        context=data.context,
        parent_task_run_id=data.parent_task_run_id,
        infrastructure_document_id=data.infrastructure_document_id or deployment.infrastructure_document_id,
        empirical_policy=data.empirical_policy,
        tags=list(dict.fromkeys([*deployment.tags, *data.tags])),
        labels={**deployment.labels, DEPLOYMENT_ID_LABEL: str(deployment.id), **(data.labels or {})},
        idempotency_key=data.idempotency_key,
        job_variables=data.job_variables,
        created_by=created_by,
    )
    queue = None if deployment.work_queue_id is None else read_queue(connection, deployment.work_queue_id)
    if data.work_queue_name is not None:
        send_to(connection, run, None if queue is None else queue.pool_name, data.work_queue_name)
    elif queue is not None:
        run.work_queue_id, run.work_queue_name, run.work_pool_id, run.work_pool_name = queue
    return add_flow_run(connection, run, data.state or _scheduled_for(at))


def _scheduled_for(at: datetime) -> State[Any]:
    details = msgspec.structs.replace(NO_DETAILS, scheduled_time=at)
    return State(type=StateType.SCHEDULED, timestamp=at, state_details=details)


@operation("POST", "/deployments/get_scheduled_flow_runs")
def read_scheduled_runs_of_deployments(
    store: Store,
    deployment_ids: list[UUID],
    scheduled_before: datetime | None = None,
    limit: int | None = None,
) -> list[FlowRun]:
    """Return the runs of deployments that wait to be started, the longest due first.

    Who asks is there to start them: the deployments count as ready for a while.

    Args:
        store: The store.
        deployment_ids: The deployments.
        scheduled_before: Only those due until then; None: all.
        limit: At most so many; None: as many as an answer may have.
    """
    at = now()
    _note_poll(store, deployment_ids, at)
    query = select_scheduled_runs(deployment_ids, scheduled_before, limit)
    runs = [flow_run_from_row(row) for row in store.select(query)]
    for run in runs:
        estimate(run, at)
    return runs


def _note_poll(store: Store, deployment_ids: Sequence[UUID], at: datetime) -> None:
    stale = [
        deployments.c.id.in_([one.hex for one in deployment_ids]),
        or_(deployments.c.last_polled.is_(None), deployments.c.last_polled < format_utc(at - _POLLS_APART)),
    ]
    # Looked at first, so that who asks again and again does not write each time.
    ids = [read_id(row[0]).hex for row in store.select(select(deployments.c.id).where(*stale))]
    if ids:
        with store.transaction() as connection:
            tell_polled_deployments(connection, at, deployments.c.id.in_(ids))
            connection.execute(
                update(deployments).where(deployments.c.id.in_(ids)).values(last_polled=format_utc(at))
            )
