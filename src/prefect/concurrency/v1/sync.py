"""Limits of tags for plain code, in their older form."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from prefect.concurrency.slots import asking
from prefect.concurrency.sync import wait
from prefect.concurrency.v1.slots import give_tag_slots_back, take_tag_slots

__all__ = ["concurrency"]


@contextmanager
def concurrency(
    names: str | list[str], task_run_id: UUID, timeout_seconds: float | None = None
) -> Generator[None, None, None]:
    """Hold a slot of each of some tags' limits for a task run while the block runs.

    Args:
        names: The tags; those without a limit limit nothing.
        task_run_id: The task run.
        timeout_seconds: How long to wait; None: for as long as it takes.

    Raises:
        AcquireConcurrencySlotTimeoutError: There were no slots in time.
    """
    taken = wait(asking(partial(take_tag_slots, names, task_run_id), timeout_seconds, None)) if names else []
    try:
        yield
    finally:
        if taken:
            give_tag_slots_back(taken, task_run_id)
