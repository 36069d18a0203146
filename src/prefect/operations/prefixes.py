"""Finding runs by the beginning of their id, as people give it. The interface has no such request."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from prefect.store.base import Store

__all__ = ["find_run_ids"]


def find_run_ids(
    store: Store, kind: Literal["flow-run", "task-run"], prefix: str, limit: int = 10
) -> list[UUID]:
    """Return the ids of runs that start with some hexadecimal digits, oldest first.

    Args:
        store: The store.
        kind: Which runs.
        prefix: The digits; dashes do not count.
        limit: At most so many ids.
    """
    from sqlalchemy import select  # noqa: PLC0415 - SQLAlchemy

    from prefect.store.tables import flow_runs, task_runs  # noqa: PLC0415 - SQLAlchemy

    digits = prefix.replace("-", "").lower()
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    ids = (flow_runs if kind == "flow-run" else task_runs).c.id
    rows = store.select(select(ids).where(ids.between(first, last)).order_by(ids).limit(limit))
    return [UUID(str(row[0])) for row in rows]
