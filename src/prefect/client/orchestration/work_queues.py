"""The client's methods for work queues."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.operations.work_queues import (
    WorkQueuePage,
    create_work_queue,
    create_work_queue_in_pool,
    delete_work_queue,
    read_work_queue,
    read_work_queue_by_name,
    read_work_queue_concurrency_status,
    read_work_queue_in_pool,
    read_work_queue_runs,
    read_work_queue_status,
    read_work_queues,
    read_work_queues_in_pool,
    update_work_queue,
)
from prefect.schemas.filters import WorkQueueFilter, WorkQueueFilterName
from prefect.schemas.objects import FlowRun
from prefect.schemas.work_pools import (
    WorkQueue,
    WorkQueueConcurrencyStatus,
    WorkQueueCreate,
    WorkQueueStatusDetail,
    WorkQueueUpdate,
)

__all__ = ["WorkQueueMethods"]


class WorkQueueMethods(Group):
    """Makes, reads, changes and deletes work queues. Without a pool's name, it is the default pool's."""

    def create_work_queue(
        self,
        name: str,
        description: str | None = None,
        is_paused: bool | None = None,
        concurrency_limit: int | None = None,
        priority: int | None = None,
        work_pool_name: str | None = None,
    ) -> WorkQueue:
        """Make a work queue.

        Args:
            name: Its name.
            description: What it is for.
            is_paused: Whether nobody is given its runs.
            concurrency_limit: How many of its runs may be under way at a time.
            priority: 1 comes first; None: the first that is free.
            work_pool_name: The pool.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: The pool has a queue of that name.
            prefect.exceptions.ObjectNotFound: There is no such pool.
        """
        data = WorkQueueCreate(
            name=name,
            description=description or "",
            is_paused=bool(is_paused),
            concurrency_limit=concurrency_limit,
            priority=priority,
        )
        if work_pool_name is None:
            return self._call(create_work_queue, data)
        return self._call(create_work_queue_in_pool, work_pool_name, data)

    def read_work_queue(self, id: UUID) -> WorkQueue:
        """Return a work queue.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such queue.
        """
        return self._call(read_work_queue, id)

    def read_work_queue_by_name(self, name: str, work_pool_name: str | None = None) -> WorkQueue:
        """Return the work queue of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        if work_pool_name is None:
            return self._call(read_work_queue_by_name, name)
        return self._call(read_work_queue_in_pool, work_pool_name, name)

    def read_work_queues(
        self,
        work_pool_name: str | None = None,
        work_queue_filter: WorkQueueFilter | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[WorkQueue]:
        """Return work queues.

        Args:
            work_pool_name: Those of this pool; None: of all.
            work_queue_filter: Which ones.
            limit: At most so many; None: 200.
            offset: Leave out so many of the first.
        """
        query = WorkQueuePage(work_queues=work_queue_filter, limit=limit, offset=offset or 0)
        if work_pool_name is None:
            return self._call(read_work_queues, query)
        return self._call(read_work_queues_in_pool, work_pool_name, query)

    def match_work_queues(self, prefixes: list[str], work_pool_name: str | None = None) -> list[WorkQueue]:
        """Return the work queues whose names start with one of some texts."""
        starting = WorkQueueFilter(name=WorkQueueFilterName(startswith_=list(prefixes)))
        return self.read_work_queues(work_pool_name, starting)

    def update_work_queue(self, id: UUID, **kwargs: Any) -> None:
        """Change a work queue.

        Args:
            id: The queue.
            kwargs: What is changed: `name`, `description`, `is_paused`, `concurrency_limit`, `priority`.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such queue.
        """
        if not kwargs:
            raise ValueError("There is nothing to change: give fields of the queue by their names.")
        self._call(update_work_queue, id, WorkQueueUpdate(**kwargs))

    def delete_work_queue_by_id(self, id: UUID) -> None:
        """Delete a work queue.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such queue.
        """
        self._call(delete_work_queue, id)

    def get_runs_in_work_queue(
        self, id: UUID, limit: int = 10, scheduled_before: datetime | None = None
    ) -> list[FlowRun]:
        """Return runs of a work queue that are due.

        Args:
            id: The queue.
            limit: At most so many.
            scheduled_before: Due by then; None: by now.
        """
        return self._call(read_work_queue_runs, id, scheduled_before=scheduled_before, limit=limit)

    def read_work_queue_status(self, id: UUID) -> WorkQueueStatusDetail:
        """Return how a work queue fares."""
        return self._call(read_work_queue_status, id)

    def read_work_queue_concurrency_status(
        self, id: UUID, page: int = 1, limit: int | None = None
    ) -> WorkQueueConcurrencyStatus:
        """Return which runs hold the slots of a work queue.

        Args:
            id: The queue.
            page: Which page of them.
            limit: How many are on a page.
        """
        return self._call(read_work_queue_concurrency_status, id, page=page, limit=limit)
