"""The client's methods for flow runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.orchestration.base import Group, proposal_of
from prefect.operations.flow_run_details import read_flow_run_state, update_flow_run_labels
from prefect.operations.flow_runs import (
    count_flow_runs,
    create_flow_run,
    delete_flow_run,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    resume_flow_run,
    set_flow_run_state,
    update_flow_run,
)
from prefect.operations.flows import create_flow
from prefect.schemas.actions import FlowCreate, FlowRunCreate, FlowRunResume, FlowRunUpdate
from prefect.schemas.base import jsonable
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.objects import FlowRun, FlowRunPolicy
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.responses import OrchestrationResult
from prefect.schemas.sorting import FlowRunSort
from prefect.schemas.states import State
from prefect.types import KeyValueLabels, uuid7

if TYPE_CHECKING:
    import httpx

__all__ = ["FlowRunMethods"]


class FlowRunMethods(Group):
    """Makes, reads, changes and deletes flow runs."""

    def create_flow_run(
        self,
        flow: Any,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        parent_task_run_id: UUID | None = None,
        state: State[Any] | None = None,
        work_pool_name: str | None = None,
        work_queue_name: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> FlowRun:
        """Make a run of a flow; nothing runs it yet.

        Args:
            flow: What `@flow` gives.
            name: The run's name; None: a generated one.
            parameters: The run's parameters.
            context: What the run knows of where it came from.
            tags: The run's tags.
            parent_task_run_id: The task run that stands for this run in its parent.
            state: The first state; None: Pending.
            work_pool_name: The pool that the run waits in.
            work_queue_name: The queue that the run waits in.
            job_variables: Changes to the pool's job variables.
        """
        delay = flow.retry_delay_seconds
        flow_id = self._call(create_flow, FlowCreate(name=flow.name)).id
        data = FlowRunCreate(
            flow_id=flow_id,
            name=name,
            flow_version=flow.version,
            parameters=jsonable(parameters or {}),
            context=context or {},
            tags=list(tags or ()),
            parent_task_run_id=parent_task_run_id,
            state=None if state is None else proposal_of(state),
            empirical_policy=FlowRunPolicy(
                retries=flow.retries, retry_delay=delay if isinstance(delay, int | float) else None
            ),
            work_pool_name=work_pool_name,
            work_queue_name=work_queue_name,
            job_variables=job_variables or {},
            # With a key, a request that is sent again makes no second run.
            idempotency_key=str(uuid7()),
        )
        return self._call(create_flow_run, data)

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return a flow run.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        return self._call(read_flow_run, flow_run_id)

    def read_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowRunSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FlowRun]:
        """Return flow runs; each filter picks those that belong to what it finds.

        Args:
            flow_filter: Runs of such flows.
            flow_run_filter: Which runs.
            task_run_filter: Runs with such task runs.
            deployment_filter: Runs of such deployments.
            work_pool_filter: Runs in such pools.
            work_queue_filter: Runs in such queues.
            sort: Their order; None: the latest first.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
        """
        query = FlowRunQuery(
            flows=flow_filter,
            flow_runs=flow_run_filter,
            task_runs=task_run_filter,
            deployments=deployment_filter,
            work_pools=work_pool_filter,
            work_pool_queues=work_queue_filter,
            sort=sort or FlowRunSort.ID_DESC,
            limit=limit,
            offset=offset,
        )
        return self._call(read_flow_runs, query)

    def count_flow_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
    ) -> int:
        """Return how many flow runs the filters find; see `read_flow_runs`."""
        query = FlowRunQuery(
            flows=flow_filter,
            flow_runs=flow_run_filter,
            task_runs=task_run_filter,
            deployments=deployment_filter,
            work_pools=work_pool_filter,
            work_pool_queues=work_queue_filter,
        )
        return self._call(count_flow_runs, query)

    def read_flow_run_states(self, flow_run_id: UUID) -> list[State[Any]]:
        """Return all states that a flow run was in, oldest first."""
        return self._call(read_flow_run_states, flow_run_id)

    def read_flow_run_state(self, flow_run_state_id: UUID) -> State[Any]:
        """Return a state that a flow run is or was in.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such state.
        """
        return self._call(read_flow_run_state, flow_run_state_id)

    def update_flow_run_labels(self, flow_run_id: UUID, labels: KeyValueLabels) -> None:
        """Give a flow run labels beside those that it has.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        self._call(update_flow_run_labels, flow_run_id, labels)

    def set_flow_run_state(
        self, flow_run_id: UUID | str, state: State[Any], force: bool = False
    ) -> OrchestrationResult:
        """Propose a state for a flow run.

        Args:
            flow_run_id: The run.
            state: The state that it is to enter.
            force: Have it enter the state even where the rules would not have it.

        Returns:
            What was decided, with the state that the run has now.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        return self._call(set_flow_run_state, UUID(str(flow_run_id)), proposal_of(state), force=force)

    def set_flow_run_name(self, flow_run_id: UUID, name: str) -> httpx.Response:
        """Rename a flow run."""
        return self._respond(update_flow_run, flow_run_id, FlowRunUpdate(name=name))

    def update_flow_run(
        self,
        flow_run_id: UUID,
        flow_version: str | None = None,
        parameters: dict[str, Any] | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        empirical_policy: FlowRunPolicy | None = None,
        infrastructure_pid: str | None = None,
        job_variables: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """Change a flow run; what is None stays as it is.

        Args:
            flow_run_id: The run.
            flow_version: The version of its flow.
            parameters: Its parameters.
            name: Its name.
            tags: Its tags.
            empirical_policy: How it is retried.
            infrastructure_pid: What runs it.
            job_variables: Its job variables.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        changes: dict[str, Any] = {
            "flow_version": flow_version,
            "parameters": None if parameters is None else jsonable(parameters),
            "name": name,
            "tags": None if tags is None else list(dict.fromkeys(tags)),
            "empirical_policy": empirical_policy,
            "infrastructure_pid": infrastructure_pid,
            "job_variables": job_variables,
        }
        given = {what: value for what, value in changes.items() if value is not None}
        return self._respond(update_flow_run, flow_run_id, FlowRunUpdate(**given))

    def resume_flow_run(
        self, flow_run_id: UUID, run_input: dict[str, Any] | None = None
    ) -> OrchestrationResult:
        """Let a paused flow run go on.

        Args:
            flow_run_id: The run.
            run_input: What it waits for.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        return self._call(resume_flow_run, flow_run_id, FlowRunResume(run_input=run_input))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        """Delete a flow run with its task runs and logs.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        self._call(delete_flow_run, flow_run_id)
