"""The client's methods for deployments and their schedules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET

from prefect.client.orchestration.base import Group, proposal_of
from prefect.exceptions import ObjectUnsupported
from prefect.operations.deployment_runs import (
    create_flow_run_from_deployment,
    read_scheduled_runs_of_deployments,
)
from prefect.operations.deployment_schedules import (
    create_deployment_schedules,
    delete_deployment_schedule,
    read_deployment_schedules,
    update_deployment_schedule,
)
from prefect.operations.deployments import (
    create_deployment,
    delete_deployment,
    pause_deployment,
    read_deployment,
    read_deployment_by_name,
    read_deployments,
    resume_deployment,
    update_deployment,
)
from prefect.schemas.base import jsonable
from prefect.schemas.deployments import (
    ConcurrencyOptions,
    DeploymentCreate,
    DeploymentFlowRunCreate,
    DeploymentResponse,
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
    VersionInfo,
)
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import DeploymentQuery
from prefect.schemas.schedules import AnySchedule
from prefect.schemas.sorting import DeploymentSort
from prefect.schemas.states import State
from prefect.types import KeyValueLabels, uuid7

__all__ = ["DeploymentMethods"]


class DeploymentMethods(Group):
    """Makes, reads, changes and deletes deployments, and has them run."""

    def create_deployment(
        self,
        flow_id: UUID,
        name: str,
        version: str | None = None,
        version_info: VersionInfo | None = None,
        schedules: list[DeploymentScheduleCreate] | None = None,
        concurrency_limit: int | None = None,
        concurrency_options: ConcurrencyOptions | None = None,
        parameters: dict[str, Any] | None = None,
        description: str | None = None,
        work_queue_name: str | None = None,
        work_pool_name: str | None = None,
        tags: list[str] | None = None,
        storage_document_id: UUID | None = None,
        path: str | None = None,
        entrypoint: str | None = None,
        infrastructure_document_id: UUID | None = None,
        parameter_openapi_schema: dict[str, Any] | None = None,
        paused: bool | None = None,
        pull_steps: list[dict[str, Any]] | None = None,
        enforce_parameter_schema: bool | None = None,
        job_variables: dict[str, Any] | None = None,
        branch: str | None = None,
        base: UUID | None = None,
        root: UUID | None = None,
    ) -> UUID:
        """Make a deployment of a flow, or change the one of its name; return its id.

        What is None is left to the server, or as it was.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such flow, or no such work pool.
            prefect.exceptions.ObjectUnsupported: It is to be a branch of another.
        """
        if branch is not None or base is not None or root is not None:
            raise ObjectUnsupported("Branches of deployments are not supported.")
        given = {
            "version": version,
            "version_info": version_info,
            "schedules": schedules,
            "concurrency_limit": concurrency_limit,
            "concurrency_options": concurrency_options,
            "parameters": jsonable(parameters) if parameters else None,
            "description": description,
            "work_queue_name": work_queue_name,
            "work_pool_name": work_pool_name,
            "tags": None if tags is None else list(tags),
            "storage_document_id": storage_document_id,
            "path": path,
            "entrypoint": entrypoint,
            "infrastructure_document_id": infrastructure_document_id,
            "parameter_openapi_schema": jsonable(parameter_openapi_schema),
            "paused": paused,
            "pull_steps": pull_steps,
            "enforce_parameter_schema": enforce_parameter_schema,
            "job_variables": jsonable(job_variables),
        }
        said: dict[str, Any] = {what: value for what, value in given.items() if value is not None}
        return self._call(create_deployment, DeploymentCreate(flow_id=flow_id, name=name, **said)).id

    def read_deployment(self, deployment_id: UUID | str) -> DeploymentResponse:
        """Return a deployment.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
            ValueError: The id is none.
        """
        return self._call(read_deployment, _id(deployment_id))

    def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        """Return the deployment of a name.

        Args:
            name: The flow's name and the deployment's, with a slash between.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
            ValueError: There is no slash in the name.
        """
        flow_name, slash, deployment_name = name.partition("/")
        if not slash:
            raise ValueError(f"{name!r} must be the flow's name and the deployment's: 'flow/deployment'.")
        return self._call(read_deployment_by_name, flow_name, deployment_name)

    def read_deployments(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        sort: DeploymentSort | None = None,
        offset: int = 0,
    ) -> list[DeploymentResponse]:
        """Return deployments; each filter picks those that belong to what it finds.

        Args:
            flow_filter: Deployments of such flows.
            flow_run_filter: Deployments with such runs.
            task_run_filter: Deployments with such task runs.
            deployment_filter: Which deployments.
            work_pool_filter: Deployments to such pools.
            work_queue_filter: Deployments to such queues.
            limit: At most so many; None: 200.
            sort: Their order; None: by name.
            offset: Leave out so many of the first.
        """
        query = DeploymentQuery(
            flows=flow_filter,
            flow_runs=flow_run_filter,
            task_runs=task_run_filter,
            deployments=deployment_filter,
            work_pools=work_pool_filter,
            work_pool_queues=work_queue_filter,
            sort=sort or DeploymentSort.NAME_ASC,
            limit=limit,
            offset=offset,
        )
        return self._call(read_deployments, query)

    def update_deployment(self, deployment_id: UUID, deployment: DeploymentUpdate) -> None:
        """Change a deployment.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        self._call(update_deployment, deployment_id, deployment)

    def set_deployment_paused_state(self, deployment_id: UUID, paused: bool) -> None:
        """Have a deployment's schedules rest, or go on."""
        self._call(update_deployment, deployment_id, DeploymentUpdate(paused=paused))

    def pause_deployment(self, deployment_id: UUID | str) -> None:
        """Have a deployment's schedules rest.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        self._call(pause_deployment, _id(deployment_id))

    def resume_deployment(self, deployment_id: UUID | str) -> None:
        """Have a deployment's schedules go on.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        self._call(resume_deployment, _id(deployment_id))

    def delete_deployment(self, deployment_id: UUID) -> None:
        """Delete a deployment.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        self._call(delete_deployment, deployment_id)

    def create_deployment_schedules(
        self,
        deployment_id: UUID,
        schedules: list[tuple[AnySchedule, bool]] | list[DeploymentScheduleCreate],
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> list[DeploymentSchedule]:
        """Give a deployment further schedules.

        Args:
            deployment_id: The deployment.
            schedules: The schedules, or pairs of one and whether it is active.
            max_scheduled_runs: How many runs are planned ahead, for pairs.
            parameters: What its runs get, for pairs.
            slug: Its name, for a single pair.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
            prefect.exceptions.ObjectAlreadyExists: It has a schedule of that slug.
        """
        made = [
            given
            if isinstance(given, DeploymentScheduleCreate)
            else DeploymentScheduleCreate(
                schedule=given[0],
                active=given[1],
                max_scheduled_runs=max_scheduled_runs,
                parameters=jsonable(parameters or {}),
                slug=slug,
            )
            for given in schedules
        ]
        return self._call(create_deployment_schedules, deployment_id, made)

    def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]:
        """Return a deployment's schedules.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        return self._call(read_deployment_schedules, deployment_id)

    def update_deployment_schedule(
        self,
        deployment_id: UUID,
        schedule_id: UUID,
        active: bool | None = None,
        schedule: AnySchedule | None = None,
        max_scheduled_runs: int | None = None,
        parameters: dict[str, Any] | None = None,
        slug: str | None = None,
    ) -> None:
        """Change a schedule; what is None stays as it is.

        Args:
            deployment_id: The deployment.
            schedule_id: The schedule.
            active: Whether it plans runs.
            schedule: When they start.
            max_scheduled_runs: How many runs are planned ahead.
            parameters: What its runs get.
            slug: Its name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such schedule.
        """
        data = DeploymentScheduleUpdate(
            active=UNSET if active is None else active,
            schedule=UNSET if schedule is None else schedule,
            max_scheduled_runs=UNSET if max_scheduled_runs is None else max_scheduled_runs,
            parameters=UNSET if parameters is None else jsonable(parameters),
            slug=UNSET if slug is None else slug,
        )
        self._call(update_deployment_schedule, deployment_id, schedule_id, data)

    def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        """Delete a schedule.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such schedule.
        """
        self._call(delete_deployment_schedule, deployment_id, schedule_id)

    def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        state: State[Any] | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        idempotency_key: str | None = None,
        parent_task_run_id: UUID | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
        labels: KeyValueLabels | None = None,
    ) -> FlowRun:
        """Make a run of a deployment, for a worker or a runner to start.

        Args:
            deployment_id: The deployment.
            parameters: In the place of the deployment's, each by its name.
            context: What the run knows of where it came from.
            state: The first state; None: Scheduled, for now.
            name: The run's name; None: a generated one.
            tags: Tags beside the deployment's.
            idempotency_key: A second run with the same key is not made: the first is given in its place.
            parent_task_run_id: The task run that stands for this run in its parent.
            work_queue_name: A queue of the deployment's pool.
            job_variables: In the place of the deployment's, each by its name.
            labels: The run's labels.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such deployment.
        """
        data = DeploymentFlowRunCreate(
            parameters=jsonable(parameters or {}),
            context=context or {},
            state=None if state is None else proposal_of(state),
            name=name,
            tags=list(tags or ()),
            # With a key, a request that is sent again makes no second run.
            idempotency_key=idempotency_key or str(uuid7()),
            parent_task_run_id=parent_task_run_id,
            work_queue_name=work_queue_name,
            job_variables=jsonable(job_variables or {}),
            labels=labels or {},
        )
        return self._call(create_flow_run_from_deployment, deployment_id, data)

    def get_scheduled_flow_runs_for_deployments(
        self,
        deployment_ids: list[UUID],
        scheduled_before: datetime | None = None,
        limit: int | None = None,
    ) -> list[FlowRun]:
        """Return runs of deployments that are due.

        Args:
            deployment_ids: The deployments.
            scheduled_before: Due by then; None: at any time.
            limit: At most so many.
        """
        return self._call(
            read_scheduled_runs_of_deployments,
            deployment_ids=list(deployment_ids),
            scheduled_before=scheduled_before,
            limit=limit,
        )


def _id(given: UUID | str) -> UUID:
    if isinstance(given, UUID):
        return given
    try:
        return UUID(given)
    except ValueError:
        raise ValueError(f"{given!r} is no id of a deployment: ids are UUIDs.") from None
