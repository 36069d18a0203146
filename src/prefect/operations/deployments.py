"""Operations on deployments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused, StoreConflict
from prefect.operations.automations import end_automations_of
from prefect.operations.deployment_limits import drop_limit_of, limit_for
from prefect.operations.deployment_plans import plan_anew
from prefect.operations.deployment_schedules import change_schedules, replace_schedules
from prefect.operations.flow_runs import enter_and_store, lock_flow_run
from prefect.operations.job_variables import check_given, job_template
from prefect.operations.paging import paginated
from prefect.operations.place_events import tell_deployment, tell_deployment_changed
from prefect.operations.registry import operation
from prefect.operations.subflows import FLOW_ID_LABEL
from prefect.parameters.schema_check import SchemaError, ValueMismatch, check_values
from prefect.schemas.deployments import (
    BulkDeleted,
    DeploymentCreate,
    DeploymentResponse,
    DeploymentScheduleCreate,
    DeploymentUpdate,
)
from prefect.schemas.filters import DeploymentFilter
from prefect.schemas.pages import set_fields
from prefect.schemas.queries import BulkLimit, DeploymentPage, DeploymentQuery, RunFilters
from prefect.schemas.responses import Paginated
from prefect.schemas.states import State, StateType
from prefect.store import queries, statements
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_from_row, flow_run_from_row
from prefect.store.deployments import deployment_rows, deployments_from_rows, drop_planned_runs, objects
from prefect.store.queues import find_queue, read_queue
from prefect.store.tables import block_documents, deployments, flow_runs, flows
from prefect.store.values import read_id
from prefect.types import now, uuid7

__all__ = [
    "count_deployments",
    "create_deployment",
    "delete_deployment",
    "delete_deployments",
    "paginate_deployments",
    "pause_deployment",
    "read_deployment",
    "read_deployment_by_name",
    "read_deployments",
    "resume_deployment",
    "update_deployment",
]

NOT_FOUND = "Deployment not found"
_IN_RUNS = frozenset(
    {"version", "job_variables", "parameters", "tags", "labels", "work_queue_id", "work_queue_name"}
)
"""What a run takes over from its deployment when it is planned."""
_NEVER_EMPTY: dict[str, Any] = {
    "job_variables": {},
    "parameters": {},
    "tags": [],
    "enforce_parameter_schema": True,
}
_DOCUMENTS = ("storage_document_id", "infrastructure_document_id")
_CHECKED = {"parameters", "parameter_openapi_schema", "enforce_parameter_schema"}
"""What is to fit together where one of them is changed."""


@operation("POST", "/deployments/", creates=True)
def create_deployment(store: Store, data: DeploymentCreate) -> DeploymentResponse:
    """Return the deployment of a flow and a name; it is made, or changed to what is given.

    Runs of it that are due, late or under way stay as they are.

    Args:
        store: The store.
        data: The deployment.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such flow, work pool or limit.
        prefect.exceptions.StoreConflict: There is no such block document.
        prefect.exceptions.RequestRefused: Its parameters are to fit its schema, and do not; or its job
            variables do not fit its work pool.
    """
    # Who does not say that they are to fit may make it, as with the interface; its runs are checked anyway.
    if data.parameters and data.parameter_openapi_schema and data.enforce_parameter_schema is True:
        try:
            check_values(data.parameters, data.parameter_openapi_schema, partial=True)
        except (ValueMismatch, SchemaError) as error:
            raise RequestRefused(str(error)) from error
    if data.job_variables and data.work_pool_name:
        check_given(data.job_variables, job_template(store, data.work_pool_name), "creating deployment")
    at = now()
    same = deployments.c.flow_id == data.flow_id.hex, deployments.c.name == data.name
    with store.transaction() as connection:
        labels = _labels(connection, data)
        had, is_new = objects.to_change(connection, *same), False
        if had is None:
            made = DeploymentResponse(
                id=uuid7(),
                name=data.name,
                flow_id=data.flow_id,
                created=at,
                updated=at,
                labels=labels,
                parameter_openapi_schema={},
                pull_steps=[],
            )
            # Who makes it at the same time was first, where this adds nothing.
            if objects.insert(connection, made):
                is_new = True
            had = objects.to_change(connection, *same)
            assert had is not None
        fields = set_fields(data)
        wanted: list[DeploymentScheduleCreate] = fields.pop("schedules")
        del fields["name"], fields["flow_id"]
        _change(connection, had, {**fields, "labels": labels}, at, is_new=is_new)
        replace_schedules(connection, had.id, wanted, at)
        return _read(connection, deployments.c.id == had.id.hex)


def _labels(connection: Connection, data: DeploymentCreate) -> dict[str, Any]:
    rows = connection.fetch(statements.FLOW_BY_ID, (data.flow_id.hex,))
    if not rows:
        raise ObjectNotFound(help_message=f"Flow with id {data.flow_id} not found")
    flow = flow_from_row(rows[0])
    return {**flow.labels, FLOW_ID_LABEL: str(flow.id), **(data.labels or {})}


def _change(
    connection: Connection,
    had: DeploymentResponse,
    fields: dict[str, Any],
    at: datetime,
    *,
    is_new: bool = False,
) -> None:
    """Change fields of a deployment that is locked; what is planned by what it was before, is dropped."""
    values = dict(fields)
    for name, empty in _NEVER_EMPTY.items():
        if values.get(name, empty) is None:
            values[name] = empty
    _check_documents(connection, values)
    values |= _queue(connection, had, values)
    values |= limit_for(connection, had.id, values, at)
    changed = {name for name in _IN_RUNS & values.keys() if getattr(had, name) != values[name]}
    objects.update(connection, {**values, "updated": at}, deployments.c.id == had.id.hex)
    if changed or values.get("paused"):
        plan_anew(connection, had.id, at)
    if is_new:
        tell_deployment(connection, "created", had.id)
    elif connection.keeps_events:
        tell_deployment_changed(connection, had, _to_change(connection, had.id))


def _check_documents(connection: Connection, values: dict[str, Any]) -> None:
    for field in _DOCUMENTS:
        wanted: UUID | None = values.get(field)
        if wanted is None:
            continue
        if not connection.select(select(block_documents.c.id).where(block_documents.c.id == wanted.hex)):
            raise StoreConflict(f"There is no block document with id {wanted}: see {field}.")


def _queue(connection: Connection, had: DeploymentResponse, values: dict[str, Any]) -> dict[str, Any]:
    if "work_pool_name" not in values and "work_queue_name" not in values:
        return {}
    pool, queue = values.pop("work_pool_name", None), values.pop("work_queue_name", None)
    if pool is None and queue is None:
        return {"work_queue_id": None, "work_queue_name": None}
    if pool is None and had.work_queue_id is not None:
        present = read_queue(connection, had.work_queue_id)
        pool = None if present is None else present.pool_name
    found = find_queue(connection, pool, queue)
    return {"work_queue_id": found.id, "work_queue_name": found.name}


@operation("GET", "/deployments/{deployment_id}")
def read_deployment(store: Store, deployment_id: UUID) -> DeploymentResponse:
    """Return a deployment.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    return _read(store, deployments.c.id == deployment_id.hex)


@operation("GET", "/deployments/name/{flow_name}/{deployment_name}")
def read_deployment_by_name(store: Store, flow_name: str, deployment_name: str) -> DeploymentResponse:
    """Return the deployment of a name and its flow's.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    flow = select(flows.c.id).where(flows.c.name == flow_name)
    return _read(store, deployments.c.name == deployment_name, deployments.c.flow_id.in_(flow))


def _read(source: Store | Connection, *conditions: ColumnElement[bool]) -> DeploymentResponse:
    found = deployments_from_rows(source, source.select(deployment_rows(*conditions)), now())
    if not found:
        raise ObjectNotFound(help_message=NOT_FOUND)
    return found[0]


@operation("POST", "/deployments/filter")
def read_deployments(store: Store, query: DeploymentQuery) -> list[DeploymentResponse]:
    """Return the deployments that a query is about."""
    with store.reading() as connection:
        return deployments_from_rows(connection, connection.select(queries.select_deployments(query)), now())


@operation("POST", "/deployments/count")
def count_deployments(store: Store, query: RunFilters) -> int:
    """Return how many deployments a query is about."""
    return int(store.select(queries.count_deployments(query))[0][0])


@operation("POST", "/deployments/paginate")
def paginate_deployments(store: Store, query: DeploymentPage) -> Paginated[DeploymentResponse]:
    """Return one page of the deployments that a query is about."""
    with store.reading() as connection:
        count = int(connection.select(queries.count_deployments(query))[0][0])
        rows = connection.select(queries.select_deployments(query))
        return paginated(query, deployments_from_rows(connection, rows, now()), count)


@operation("PATCH", "/deployments/{deployment_id}")
def update_deployment(store: Store, deployment_id: UUID, data: DeploymentUpdate) -> DeploymentResponse:
    """Change what is set in `data` of a deployment, and return the deployment.

    Schedules that all have slugs are changed, or added to, by these; others are replaced.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment, work pool or limit.
        prefect.exceptions.StoreConflict: There is no such block document.
        prefect.exceptions.ObjectAlreadyExists: Its parameters do not fit its schema, or job variables that
            are given together with a work pool do not fit that.
        prefect.exceptions.RequestRefused: A schedule lacks its slug, or what is new its times.
    """
    at, fields = now(), set_fields(data)
    schedules = fields.pop("schedules", None)
    if fields.get("parameters", fields) is None:
        del fields["parameters"]
    # Before the transaction, for which others wait.
    _check_parameters(store, deployment_id, fields)
    _check_job_variables(store, deployment_id, fields)
    with store.transaction() as connection:
        had = _to_change(connection, deployment_id)
        _change(connection, had, fields, at)
        if schedules is not None:
            change_schedules(connection, deployment_id, schedules, at)
        return _read(connection, deployments.c.id == deployment_id.hex)


def _check_parameters(store: Store, deployment_id: UUID, fields: dict[str, Any]) -> None:
    if fields.keys().isdisjoint(_CHECKED):
        return
    had = _read(store, deployments.c.id == deployment_id.hex)
    schema = fields.get("parameter_openapi_schema", had.parameter_openapi_schema)
    is_enforced = fields.get("enforce_parameter_schema", had.enforce_parameter_schema)
    if not schema or is_enforced is False:
        return
    try:
        check_values(fields.get("parameters", had.parameters), schema, partial=True, nullable=True)
    except (ValueMismatch, SchemaError) as error:
        # The interface has no other status for it than that of a conflict.
        raise ObjectAlreadyExists(error, f"Error updating deployment: {error}") from error


def _check_job_variables(store: Store, deployment_id: UUID, fields: dict[str, Any]) -> None:
    values, pool = fields.get("job_variables"), fields.get("work_pool_name")
    if not values or pool is None:
        return
    _read(store, deployments.c.id == deployment_id.hex)
    try:
        check_given(values, job_template(store, pool), "updating deployment")
    except RequestRefused as error:
        # As with parameters.
        raise ObjectAlreadyExists(error, str(error)) from error


@operation("POST", "/deployments/{deployment_id}/pause_deployment", status=200)
def pause_deployment(store: Store, deployment_id: UUID) -> None:
    """Let the schedules of a deployment rest: what they planned is dropped, what is due or late stays.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    _set_paused(store, deployment_id, True)


@operation("POST", "/deployments/{deployment_id}/resume_deployment", status=200)
def resume_deployment(store: Store, deployment_id: UUID) -> None:
    """Let the schedules of a deployment go on.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    _set_paused(store, deployment_id, False)


def _set_paused(store: Store, deployment_id: UUID, paused: bool) -> None:
    with store.transaction() as connection:
        _change(connection, _to_change(connection, deployment_id), {"paused": paused}, now())


@operation("DELETE", "/deployments/{deployment_id}")
def delete_deployment(store: Store, deployment_id: UUID) -> None:
    """Delete a deployment with its schedules and the automations that its triggers are.

    Its runs that wait to be started are cancelled. Those that have begun go on.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    with store.transaction() as connection:
        _delete(connection, deployment_id)


@operation("POST", "/deployments/bulk_delete")
def delete_deployments(
    store: Store, deployments: DeploymentFilter | None = None, limit: BulkLimit = 50
) -> BulkDeleted:
    """Delete some of the deployments that a filter is about, as one by one.

    Args:
        store: The store.
        deployments: Which; None: all.
        limit: At most so many.
    """
    query = DeploymentQuery(deployments=deployments, limit=limit)
    with store.transaction() as connection:
        ids = [read_id(row[0]) for row in connection.select(queries.select_deployments(query))]
        for deployment_id in ids:
            _delete(connection, deployment_id)
    return BulkDeleted(deleted=ids)


def _delete(connection: Connection, deployment_id: UUID) -> None:
    at, had = now(), _to_change(connection, deployment_id)
    drop_planned_runs(connection, deployment_id, at)
    waiting = select(flow_runs.c.id).where(
        flow_runs.c.deployment_id == deployment_id.hex,
        flow_runs.c.state_type == StateType.SCHEDULED.value,
        # It has begun: its process waits to try again.
        flow_runs.c.state_name != "AwaitingRetry",
    )
    message = f"The deployment {had.name!r} was deleted before the run was started."
    for row in connection.select(waiting.order_by(flow_runs.c.id)):
        run = flow_run_from_row(lock_flow_run(connection, read_id(row[0]).hex)[0])
        # Somebody may have taken it up since.
        if run.state_type is StateType.SCHEDULED:
            enter_and_store(connection, run, State(type=StateType.CANCELLED, message=message, timestamp=at))
    end_automations_of(connection, f"prefect.deployment.{deployment_id}")
    tell_deployment(connection, "deleted", deployment_id)
    drop_limit_of(connection, deployment_id)
    objects.delete(connection, deployments.c.id == deployment_id.hex)


def _to_change(connection: Connection, deployment_id: UUID) -> DeploymentResponse:
    found = objects.to_change(connection, deployments.c.id == deployment_id.hex)
    if found is None:
        raise ObjectNotFound(help_message=NOT_FOUND)
    return found
