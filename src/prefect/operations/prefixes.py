"""Finding runs by the beginning of their id, as people give it. The interface has no such request."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from prefect.store import statements
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
    digits = prefix.replace("-", "").lower()
    between = statements.FLOW_RUN_IDS_BETWEEN if kind == "flow-run" else statements.TASK_RUN_IDS_BETWEEN
    rows = store.fetch(between, (digits.ljust(32, "0"), digits.ljust(32, "f"), limit, 0))
    return [UUID(str(row[0])) for row in rows]
