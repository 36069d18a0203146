"""What clients ask for to make work pools of a kind."""

from __future__ import annotations

from typing import Any

from prefect.exceptions import ObjectNotFound
from prefect.operations.registry import operation
from prefect.rules.job_templates import WORKER_KINDS
from prefect.store.base import Store

__all__ = ["WORKERS", "read_view"]

WORKERS = "aggregate-worker-metadata"
"""The view of the kinds of workers."""


@operation("GET", "/collections/views/{view}")
def read_view(store: Store, view: str) -> dict[str, Any]:
    """Return the kinds of workers with their job templates.

    Args:
        store: The store.
        view: `aggregate-worker-metadata`.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such view.
    """
    if view != WORKERS:
        raise ObjectNotFound(help_message=f"View {view} not found in registry")
    return dict(WORKER_KINDS)
