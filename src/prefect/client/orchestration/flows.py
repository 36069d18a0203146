"""The client's methods for flows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.operations.flows import (
    count_flows,
    create_flow,
    delete_flow,
    read_flow,
    read_flow_by_name,
    read_flows,
)
from prefect.schemas.actions import FlowCreate
from prefect.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from prefect.schemas.objects import Flow
from prefect.schemas.queries import FlowQuery
from prefect.schemas.sorting import FlowSort

__all__ = ["FlowMethods"]


class FlowMethods(Group):
    """Makes, reads and deletes flows."""

    def create_flow(self, flow: Any) -> UUID:
        """Make a flow known, unless one of its name is.

        Args:
            flow: What `@flow` gives.

        Returns:
            Its id.
        """
        return self.create_flow_from_name(flow.name)

    def create_flow_from_name(self, flow_name: str) -> UUID:
        """Make a flow of a name known, unless there is one; return its id."""
        return self._call(create_flow, FlowCreate(name=flow_name)).id

    def read_flow(self, flow_id: UUID) -> Flow:
        """Return a flow.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such flow.
        """
        return self._call(read_flow, flow_id)

    def read_flow_by_name(self, flow_name: str) -> Flow:
        """Return the flow of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such flow.
        """
        return self._call(read_flow_by_name, flow_name)

    def read_flows(
        self,
        *,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        deployment_filter: DeploymentFilter | None = None,
        work_pool_filter: WorkPoolFilter | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        sort: FlowSort | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Flow]:
        """Return flows; each filter picks those that belong to what it finds.

        Args:
            flow_filter: Which flows.
            flow_run_filter: Flows with such runs.
            task_run_filter: Flows with such task runs.
            deployment_filter: Flows with such deployments.
            work_pool_filter: Flows deployed to such pools.
            work_queue_filter: Flows deployed to such queues.
            sort: Their order; None: by name.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
        """
        query = FlowQuery(
            flows=flow_filter,
            flow_runs=flow_run_filter,
            task_runs=task_run_filter,
            deployments=deployment_filter,
            work_pools=work_pool_filter,
            work_pool_queues=work_queue_filter,
            sort=sort or FlowSort.NAME_ASC,
            limit=limit,
            offset=offset,
        )
        return self._call(read_flows, query)

    def count_flows(
        self, *, flow_filter: FlowFilter | None = None, flow_run_filter: FlowRunFilter | None = None
    ) -> int:
        """Return how many flows there are that the filters find."""
        return self._call(count_flows, FlowQuery(flows=flow_filter, flow_runs=flow_run_filter))

    def delete_flow(self, flow_id: UUID) -> None:
        """Delete a flow, and its runs with it.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such flow.
        """
        self._call(delete_flow, flow_id)
