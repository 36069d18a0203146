"""How long a listing is, where an index tells it at once. The interface has no such request."""

from __future__ import annotations

from prefect.operations.listings import asked, known_flow_run_count, known_task_run_count
from prefect.schemas.queries import FlowRunQuery, TaskRunQuery
from prefect.store.base import Store

__all__ = ["MOST", "count_if_cheap"]

MOST = 10_000
"""Nobody needs to know more precisely, and counting further takes time."""

_INDEXED = frozenset(
    {
        "flows.name.any_",
        "flow_runs.state.type.any_",
        "flow_runs.expected_start_time.after_",
        "flow_runs.expected_start_time.before_",
        "task_runs.flow_run_id.any_",
    }
)


def count_if_cheap(store: Store, query: FlowRunQuery | TaskRunQuery) -> int | None:
    """Return how many runs a query is about, whatever its window, counted up to one more than `MOST`.

    Args:
        store: The store.
        query: The query.

    Returns:
        The count; None where rows would have to be looked at to tell.
    """
    paths = {path for path, _ in asked(query)}
    if len(paths) > 1 or not paths <= _INDEXED:
        return None
    if isinstance(query, FlowRunQuery):
        known = known_flow_run_count(query, MOST + 1)
    else:
        known = known_task_run_count(query, MOST + 1)
    return int(store.fetch(*known)[0][0]) if known else None
