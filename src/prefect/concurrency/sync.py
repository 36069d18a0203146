"""Limits for plain code: how much is done at once, and how often."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

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
]

R = TypeVar("R")


@contextmanager
def concurrency(
    names: str | list[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    holder: ConcurrencyLeaseHolder | None = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> Generator[None, None, None]:
    """Hold slots of limits while the block runs.

    Args:
        names: The limits; all of them give their slots, or none does.
        occupy: How many slots of each.
        timeout_seconds: How long to wait for them; None: for as long as it takes.
        max_retries: How often to ask again; None: without an end.
        lease_duration: After how many seconds the slots are free again if this process dies.
        strict: Whether a name that is no limit is an error; otherwise it limits nothing.
        holder: Who is said to hold the slots; None: the current run.
        raise_on_lease_renewal_failure: Whether the block ends in an error if the slots were lost meanwhile;
            None: if `strict`.

    Raises:
        AcquireConcurrencySlotTimeoutError: There were no slots in time.
        ConcurrencySlotAcquisitionError: There never will be, or they were lost.
    """
    if not names:
        yield
        return
    ask = partial(hold_slots, names, occupy, lease_duration=lease_duration, strict=strict, holder=holder)
    lease = wait(asking(ask, timeout_seconds, max_retries))
    try:
        yield
    finally:
        give_back(lease)
    if lease is not None and lease.is_lost:
        raises = strict if raise_on_lease_renewal_failure is None else raise_on_lease_renewal_failure
        if raises:
            raise ConcurrencySlotAcquisitionError(f"The slots of {lease.names} were lost meanwhile.")


def rate_limit(
    names: str | list[str], occupy: int = 1, timeout_seconds: float | None = None, strict: bool = False
) -> None:
    """Wait until slots of rate limits are free, and use them up.

    Args:
        names: The limits, whose slots come back by themselves.
        occupy: How many slots of each.
        timeout_seconds: How long to wait for them; None: for as long as it takes.
        strict: Whether a name that is no limit is an error; otherwise it limits nothing.

    Raises:
        AcquireConcurrencySlotTimeoutError: There were no slots in time.
        ConcurrencySlotAcquisitionError: There never will be.
    """
    if names:
        wait(asking(partial(use_slots, names, occupy, strict=strict), timeout_seconds, None))


def wait(steps: Asking[R]) -> R:
    """Ask for slots until they are given.

    Args:
        steps: See `prefect.concurrency.slots.asking`.
    """
    while True:
        try:
            time.sleep(next(steps))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
