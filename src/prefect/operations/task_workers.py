"""Who waits for task runs: the workers of tasks that are connected to a server over this store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from prefect.operations.registry import operation
from prefect.schemas.base import Schema, whole
from prefect.store.base import Store
from prefect.store.tables import configurations
from prefect.store.values import json_text
from prefect.types import format_utc, now, uuid7

__all__ = [
    "SEEN_SECONDS",
    "TaskWorker",
    "TaskWorkerFilter",
    "forget_task_worker",
    "read_task_workers",
    "see_task_worker",
]

SEEN_SECONDS = 30.0
"""How often a server says of a worker that it is still there."""
_GONE = timedelta(seconds=4 * SEEN_SECONDS)
"""After which a worker is no longer counted: its server has ended without saying so."""
# A few rows that servers share; they need no table of their own, since nothing refers to them.
_PREFIX = "task-worker "


class TaskWorker(Schema):
    """A worker of tasks."""

    identifier: str
    """What it calls itself."""
    task_keys: list[str]
    """The tasks whose runs it takes."""
    timestamp: datetime
    """When it was last seen."""


class TaskWorkerFilter(Schema, forbid_unknown_fields=True):
    """Which workers of tasks."""

    task_keys: list[str]
    """Those that take runs of all of these."""


@operation("POST", "/task_workers/filter")
def read_task_workers(store: Store, task_worker_filter: TaskWorkerFilter | None = None) -> list[TaskWorker]:
    """Return the workers of tasks that are connected.

    Args:
        store: The store.
        task_worker_filter: Which of them; None: all.
    """
    asked = frozenset(() if task_worker_filter is None else task_worker_filter.task_keys)
    since = format_utc(now() - _GONE)
    rows = store.select(select(configurations.c.value).where(_is_worker(), configurations.c.updated > since))
    found: dict[str, TaskWorker] = {}
    for row in rows:
        worker = msgspec.json.decode(row[0], type=whole(TaskWorker))
        # A worker may have several sockets for the moment, having lost one.
        had = found.get(worker.identifier)
        if asked.issubset(worker.task_keys) and (had is None or had.timestamp < worker.timestamp):
            found[worker.identifier] = worker
    return sorted(found.values(), key=lambda worker: worker.identifier)


def see_task_worker(store: Store, holder: str, identifier: str, task_keys: Sequence[str]) -> None:
    """Write down that a worker of tasks is connected.

    Args:
        store: The store.
        holder: Which connection.
        identifier: What the worker calls itself.
        task_keys: The tasks whose runs it takes.
    """
    at = now()
    worker = TaskWorker(identifier=identifier, task_keys=list(task_keys), timestamp=at)
    stamp = format_utc(at)
    added = insert(configurations).values(
        id=uuid7().hex, created=stamp, updated=stamp, key=_PREFIX + holder, value=json_text(worker)
    )
    changes = {"value": added.excluded.value, "updated": added.excluded.updated}
    long_gone = configurations.c.updated < format_utc(at - _GONE)
    with store.transaction() as connection:
        connection.execute(added.on_conflict_do_update(index_elements=["key"], set_=changes))
        connection.execute(delete(configurations).where(_is_worker(), long_gone))


def forget_task_worker(store: Store, holder: str) -> None:
    """Write down that a connection of a worker of tasks has ended.

    Args:
        store: The store.
        holder: Which connection.
    """
    with store.transaction() as connection:
        connection.execute(delete(configurations).where(configurations.c.key == _PREFIX + holder))


def _is_worker() -> Any:
    return configurations.c.key.startswith(_PREFIX, autoescape=True)
