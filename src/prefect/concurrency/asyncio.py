"""Limits for async code: how much is done at once, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from prefect.concurrency.slots import (
    AcquireConcurrencySlotTimeoutError,
    Asking,
    ConcurrencySlotAcquisitionError,
    asking,
    give_back,
    hold_slots,
    use_slots,
)
from prefect.schemas.concurrency import ConcurrencyLeaseHolder

__all__ = [
    "AcquireConcurrencySlotTimeoutError",
    "ConcurrencySlotAcquisitionError",
    "concurrency",
    "rate_limit",
    "wait",
    "whole",
]

R = TypeVar("R")


@asynccontextmanager
async def concurrency(
    names: str | list[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    holder: ConcurrencyLeaseHolder | None = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> AsyncGenerator[None, None]:
    """Hold slots of limits while the block runs; as `prefect.concurrency.sync.concurrency`."""
    if not names:
        yield
        return
    ask = partial(hold_slots, names, occupy, lease_duration=lease_duration, strict=strict, holder=holder)
    lease = await wait(asking(ask, timeout_seconds, max_retries), undo=give_back)
    try:
        yield
    finally:
        await whole(partial(give_back, lease))
    if lease is not None and lease.is_lost:
        raises = strict if raise_on_lease_renewal_failure is None else raise_on_lease_renewal_failure
        if raises:
            raise ConcurrencySlotAcquisitionError(f"The slots of {lease.names} were lost meanwhile.")


async def rate_limit(
    names: str | list[str], occupy: int = 1, timeout_seconds: float | None = None, strict: bool = False
) -> None:
    """Wait until slots of rate limits are free, and use them up; as `prefect.concurrency.sync.rate_limit`."""
    if names:
        await wait(asking(partial(use_slots, names, occupy, strict=strict), timeout_seconds, None))


async def wait(steps: Asking[R], undo: Callable[[R], None] | None = None) -> R:
    """Ask for slots until they are given.

    Args:
        steps: See `prefect.concurrency.slots.asking`.
        undo: Gives back what was given as this code was cancelled.
    """

    def take_back(step: tuple[float | None, Any]) -> None:
        if undo is not None and step[0] is None:
            undo(step[1])

    while True:
        seconds, given = await whole(partial(_next, steps), undo=take_back)
        if seconds is None:
            return given  # type: ignore[no-any-return]
        await asyncio.sleep(seconds)


def _next(steps: Asking[Any]) -> tuple[float | None, Any]:
    try:
        return next(steps), None
    except StopIteration as end:  # no coroutine may raise it
        return None, end.value


async def whole(call: Callable[[], R], undo: Callable[[R], None] | None = None) -> R:
    """Call in a thread, and to the end: a cancellation comes after it, and what was done is undone.

    Args:
        call: What to call.
        undo: Undoes it, where this code was cancelled meanwhile.
    """
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if undo is not None and work.exception() is None:
            await asyncio.to_thread(undo, work.result())
        raise
