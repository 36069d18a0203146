"""The client's methods for task runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.orchestration.base import Group, proposal_of
from prefect.operations.task_runs import (
    create_task_run,
    delete_task_run,
    read_task_run,
    read_task_run_states,
    read_task_runs,
    set_task_run_state,
    update_task_run,
)
from prefect.schemas.actions import TaskRunCreate, TaskRunUpdate
from prefect.schemas.filters import DeploymentFilter, FlowFilter, FlowRunFilter, TaskRunFilter
from prefect.schemas.objects import Constant, FlowRunResult, Parameter, TaskRun, TaskRunPolicy, TaskRunResult
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.responses import OrchestrationResult
from prefect.schemas.sorting import TaskRunSort
from prefect.schemas.states import State
from prefect.types import uuid7

if TYPE_CHECKING:
    import httpx

__all__ = ["TaskRunMethods"]


class TaskRunMethods(Group):
    """Makes, reads, changes and deletes task runs."""

    def create_task_run(
        self,
        task: Any,
        flow_run_id: UUID | None,
        dynamic_key: str,
        id: UUID | None = None,
        name: str | None = None,
        extra_tags: Iterable[str] | None = None,
        state: State[Any] | None = None,
        task_inputs: dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]] | None = None,
    ) -> TaskRun:
        """Make a run of a task; nothing runs it yet.

        Args:
            task: What `@task` gives.
            flow_run_id: The flow run that it belongs to.
            dynamic_key: What tells it from other runs of the task in the flow run.
            id: Its id; None: a new one.
            name: Its name; None: the task's, with the dynamic key.
            extra_tags: Tags beside the task's own.
            state: The first state; None: Pending.
            task_inputs: What its arguments come from.
        """
        data = TaskRunCreate(
            # With an id, a request that is sent again makes no second run.
            id=id or uuid7(),
            name=name or f"{task.name}-{dynamic_key}",
            flow_run_id=flow_run_id,
            task_key=task.task_key,
            dynamic_key=str(dynamic_key),
            tags=sorted({*task.tags, *(extra_tags or ())}),
            task_version=task.version,
            empirical_policy=TaskRunPolicy(
                retries=task.retries,
                retry_delay=task.retry_delay_seconds,
                retry_jitter_factor=task.retry_jitter_factor,
            ),
            state=None if state is None else proposal_of(state),
            task_inputs=task_inputs or {},
        )
        return self._call(create_task_run, data)

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Return a task run.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        return self._call(read_task_run, task_run_id)

    def read_task_runs(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        sort: TaskRunSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[TaskRun]:
        """Return task runs; each filter picks those that belong to what it finds.

        Args:
            flow_filter: Runs in runs of such flows.
            flow_run_filter: Runs in such flow runs.
            task_run_filter: Which runs.
            deployment_filter: Runs in runs of such deployments.
            sort: Their order; None: the latest first.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
        """
        query = TaskRunQuery(
            flows=flow_filter,
            flow_runs=flow_run_filter,
            task_runs=task_run_filter,
            deployments=deployment_filter,
            sort=sort or TaskRunSort.ID_DESC,
            limit=limit,
            offset=offset,
        )
        return self._call(read_task_runs, query)

    def read_task_run_states(self, task_run_id: UUID) -> list[State[Any]]:
        """Return all states that a task run was in, oldest first."""
        return self._call(read_task_run_states, task_run_id)

    def set_task_run_state(
        self, task_run_id: UUID, state: State[Any], force: bool = False
    ) -> OrchestrationResult:
        """Propose a state for a task run.

        Args:
            task_run_id: The run.
            state: The state that it is to enter.
            force: Have it enter the state even where the rules would not have it.

        Returns:
            What was decided, with the state that the run has now.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        return self._call(set_task_run_state, task_run_id, proposal_of(state), force=force)

    def set_task_run_name(self, task_run_id: UUID, name: str) -> httpx.Response:
        """Rename a task run."""
        return self._respond(update_task_run, task_run_id, TaskRunUpdate(name=name))

    def delete_task_run(self, task_run_id: UUID) -> None:
        """Delete a task run.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such run.
        """
        self._call(delete_task_run, task_run_id)
