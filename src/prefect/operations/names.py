"""Names by id, many at once, for people to read. The interface has no such request."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from prefect.store import statements
from prefect.store.base import Store
from prefect.store.statement import Statement
from prefect.store.values import json_text, read_id

__all__ = ["read_flow_names", "read_task_run_names"]


def read_flow_names(store: Store, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of flows, as far as they are there.

    Args:
        store: The store.
        ids: Which flows.
    """
    return _read(store, statements.FLOW_NAMES, ids)


def read_task_run_names(store: Store, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of task runs, as far as they are there.

    Args:
        store: The store.
        ids: Which task runs.
    """
    return _read(store, statements.TASK_RUN_NAMES, ids)


def _read(store: Store, statement: Statement, ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = store.fetch(statement, (json_text([each.hex for each in ids]),))
    return {read_id(row_id): name for row_id, name in rows}
