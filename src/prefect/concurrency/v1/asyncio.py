"""Limits of tags for async code, in their older form."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from prefect.concurrency.asyncio import (
    AcquireConcurrencySlotTimeoutError,
    ConcurrencySlotAcquisitionError,
    wait,
    whole,
)
from prefect.concurrency.slots import asking
from prefect.concurrency.v1.slots import give_tag_slots_back, take_tag_slots

__all__ = ["AcquireConcurrencySlotTimeoutError", "ConcurrencySlotAcquisitionError", "concurrency"]


@asynccontextmanager
async def concurrency(
    names: str | list[str], task_run_id: UUID, timeout_seconds: float | None = None
) -> AsyncGenerator[None, None]:
    """Hold a slot of each of some tags' limits while the block runs; as in `prefect.concurrency.v1.sync`."""
    taken: list[str] = []
    if names:
        taken = await wait(
            asking(partial(take_tag_slots, names, task_run_id), timeout_seconds, None),
            undo=lambda tags: give_tag_slots_back(tags, task_run_id),
        )
    try:
        yield
    finally:
        if taken:
            await whole(partial(give_tag_slots_back, taken, task_run_id))
