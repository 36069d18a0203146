"""The client's methods for work pools and workers."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.exceptions import ObjectAlreadyExists
from prefect.operations.collections import WORKERS, read_view
from prefect.operations.work_pools import (
    WorkPoolPage,
    create_work_pool,
    delete_work_pool,
    get_scheduled_flow_runs,
    read_work_pool,
    read_work_pool_concurrency_status,
    read_work_pools,
    update_work_pool,
)
from prefect.operations.workers import WorkerPage, read_workers, send_worker_heartbeat
from prefect.schemas.filters import WorkerFilter, WorkPoolFilter
from prefect.schemas.work_pools import (
    Worker,
    WorkerFlowRunResponse,
    WorkPool,
    WorkPoolConcurrencyStatus,
    WorkPoolCreate,
    WorkPoolUpdate,
)

__all__ = ["WorkPoolMethods"]


class WorkPoolMethods(Group):
    """Makes, reads, changes and deletes work pools; speaks for workers."""

    def create_work_pool(self, work_pool: WorkPoolCreate, overwrite: bool = False) -> WorkPool:
        """Make a work pool.

        Args:
            work_pool: The pool.
            overwrite: Change the one of its name, where there is one.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: There is one of its name.
        """
        try:
            return self._call(create_work_pool, work_pool)
        except ObjectAlreadyExists:
            if not overwrite:
                raise
        changes = WorkPoolUpdate(
            description=work_pool.description,
            is_paused=work_pool.is_paused,
            base_job_template=work_pool.base_job_template,
            concurrency_limit=work_pool.concurrency_limit,
            storage_configuration=work_pool.storage_configuration,
        )
        self._call(update_work_pool, work_pool.name, changes)
        return self._call(read_work_pool, work_pool.name)

    def read_work_pool(self, work_pool_name: str) -> WorkPool:
        """Return the work pool of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        return self._call(read_work_pool, work_pool_name)

    def read_work_pools(
        self, limit: int | None = None, offset: int = 0, work_pool_filter: WorkPoolFilter | None = None
    ) -> list[WorkPool]:
        """Return work pools.

        Args:
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
            work_pool_filter: Which ones.
        """
        return self._call(
            read_work_pools, WorkPoolPage(work_pools=work_pool_filter, limit=limit, offset=offset)
        )

    def update_work_pool(self, work_pool_name: str, work_pool: WorkPoolUpdate) -> None:
        """Change a work pool.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such pool.
        """
        self._call(update_work_pool, work_pool_name, work_pool)

    def delete_work_pool(self, work_pool_name: str) -> None:
        """Delete a work pool with its queues.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such pool.
        """
        self._call(delete_work_pool, work_pool_name)

    def read_work_pool_concurrency_status(
        self, work_pool_name: str, page: int = 1, limit: int | None = None, flow_run_limit: int = 10
    ) -> WorkPoolConcurrencyStatus:
        """Return which runs hold the slots of a work pool, by queue.

        Args:
            work_pool_name: The pool.
            page: Which page of the queues.
            limit: How many queues are on a page.
            flow_run_limit: How many runs are named for each queue.
        """
        return self._call(
            read_work_pool_concurrency_status,
            work_pool_name,
            page=page,
            flow_run_limit=flow_run_limit,
            limit=limit,
        )

    def get_scheduled_flow_runs_for_work_pool(
        self,
        work_pool_name: str,
        work_queue_names: list[str] | None = None,
        scheduled_before: datetime | None = None,
    ) -> list[WorkerFlowRunResponse]:
        """Return runs of a work pool that are due, for a worker to start.

        Args:
            work_pool_name: The pool.
            work_queue_names: Of these queues; None: of all.
            scheduled_before: Due by then; None: at any time.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such pool.
        """
        return self._call(
            get_scheduled_flow_runs,
            work_pool_name,
            work_queue_names=work_queue_names,
            scheduled_before=scheduled_before,
        )

    def send_worker_heartbeat(
        self,
        work_pool_name: str,
        worker_name: str,
        heartbeat_interval_seconds: float | None = None,
        get_worker_id: bool = False,
        worker_metadata: Any = None,
    ) -> UUID | None:
        """Say that a worker is there.

        Args:
            work_pool_name: Its pool.
            worker_name: Its name.
            heartbeat_interval_seconds: When it will say so again, at the latest.
            get_worker_id: Accepted for the interface's sake: only a hosted service gives ids.
            worker_metadata: Accepted for the interface's sake.

        Returns:
            None.
        """
        every = None if heartbeat_interval_seconds is None else ceil(heartbeat_interval_seconds)
        self._call(send_worker_heartbeat, work_pool_name, name=worker_name, heartbeat_interval_seconds=every)
        return None

    def read_worker_metadata(self) -> dict[str, Any]:
        """Return the kinds of work pools, each with the template of its jobs, by package."""
        return self._call(read_view, WORKERS)

    def read_workers_for_work_pool(
        self,
        work_pool_name: str,
        worker_filter: WorkerFilter | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> list[Worker]:
        """Return the workers of a work pool.

        Args:
            work_pool_name: The pool.
            worker_filter: Which ones.
            offset: Leave out so many of the first.
            limit: At most so many; None: 200.
        """
        query = WorkerPage(workers=worker_filter, offset=offset or 0, limit=limit)
        return self._call(read_workers, work_pool_name, query)
