"""Whether the job variables of deployments and runs fit the work pool that they go to."""

from __future__ import annotations

from typing import Any

from prefect.exceptions import RequestRefused
from prefect.parameters.job_schema import check_job_variables
from prefect.parameters.schema_check import SchemaError, ValueMismatch
from prefect.schemas.deployments import DeploymentResponse
from prefect.schemas.objects import FlowRun
from prefect.store.base import Connection, Store
from prefect.store.deployments import deployment_rows, deployments_from_rows
from prefect.store.tables import deployments, work_pools
from prefect.store.work_pools import pools
from prefect.types import now

__all__ = ["check_changed_run", "check_given", "check_run", "job_template"]


def job_template(source: Store | Connection, pool_name: str | None) -> dict[str, Any]:
    """Return the job template of a work pool; an empty one where there is no such pool, or none is named.

    Args:
        source: Where the pool is.
        pool_name: Its name.
    """
    found = None if pool_name is None else pools.first(source, work_pools.c.name == pool_name)
    return {} if found is None else found.base_job_template


def check_given(values: dict[str, Any], template: dict[str, Any], what: str) -> None:
    """Refuse job variables that their work pool takes otherwise; some may be missing.

    Args:
        values: The job variables.
        template: The job template of the pool.
        what: What they are given for, for the text of the error.

    Raises:
        prefect.exceptions.RequestRefused: They do not fit.
    """
    _check(values, template, what, partial=True)


def check_run(
    deployment: DeploymentResponse, values: dict[str, Any] | None, template: dict[str, Any], what: str
) -> None:
    """Refuse the job variables of a run that, with those of its deployment, its work pool takes otherwise.

    Args:
        deployment: The run's deployment.
        values: The run's job variables.
        template: The job template of the pool.
        what: What is done, for the text of the error.

    Raises:
        prefect.exceptions.RequestRefused: They do not fit, or one is missing.
    """
    _check({**deployment.job_variables, **(values or {})}, template, what, partial=False)


def _check(values: dict[str, Any], template: dict[str, Any], what: str, *, partial: bool) -> None:
    try:
        check_job_variables(values, template, partial=partial)
    except (ValueMismatch, SchemaError) as error:
        raise RequestRefused(f"Error {what}: {error}") from error


def check_changed_run(store: Store, run: FlowRun, values: dict[str, Any]) -> None:
    """Refuse new job variables of a run that do not fit; see `check_run`.

    Args:
        store: The store.
        run: The run.
        values: The job variables that it is to have.

    Raises:
        prefect.exceptions.RequestRefused: They do not fit, or one is missing.
    """
    assert run.deployment_id is not None
    with store.reading() as connection:
        rows = connection.select(deployment_rows(deployments.c.id == run.deployment_id.hex))
        found = deployments_from_rows(connection, rows, now())
        template = job_template(connection, found[0].work_pool_name) if found else {}
    if found:
        check_run(found[0], values, template, "updating flow run")
