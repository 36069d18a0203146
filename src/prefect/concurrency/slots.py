"""How slots of limits are asked for, held and given back: written once, for plain and for async code.

`asking` is a generator of pauses, in seconds, which whoever drives it waits for in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import monotonic
from typing import TypeVar

from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.concurrency.context import ConcurrencyContext
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import ConcurrencyLimitReached, PrefectException
from prefect.logging.loggers import get_logger
from prefect.operations.concurrency import (
    decrement_slots_with_lease,
    increment_slots,
    increment_slots_with_lease,
)
from prefect.recorder.slot_leases import SlotLease, slot_leases
from prefect.schemas.concurrency import ConcurrencyLeaseHolder

__all__ = [
    "AcquireConcurrencySlotTimeoutError",
    "Asking",
    "ConcurrencySlotAcquisitionError",
    "asking",
    "give_back",
    "hold_slots",
    "use_slots",
]

R = TypeVar("R")
Asking = Generator[float, None, R]
_log = get_logger("concurrency")


class ConcurrencySlotAcquisitionError(Exception):
    """Slots of a limit could not be had, or were lost."""


class AcquireConcurrencySlotTimeoutError(TimeoutError):
    """Slots of a limit could not be had in the time that was given."""


def asking(ask: Callable[[], R], timeout_seconds: float | None, max_retries: int | None) -> Asking[R]:
    """Ask for slots until they are given; a generator of how long to wait before the next time.

    Args:
        ask: Asks once.
        timeout_seconds: How long to wait in all; None: for as long as it takes.
        max_retries: How often to ask again; None: without an end.

    Returns:
        What was given.

    Raises:
        AcquireConcurrencySlotTimeoutError: The time was up.
        ConcurrencySlotAcquisitionError: It was asked often enough.
    """
    deadline = None if timeout_seconds is None else monotonic() + timeout_seconds
    asked = 0
    while True:
        try:
            return ask()
        except ConcurrencyLimitReached as error:
            asked += 1
            if max_retries is not None and asked > max_retries:
                raise ConcurrencySlotAcquisitionError(
                    f"No slot was free, although it was asked for {asked} times."
                ) from error
            seconds = error.retry_after
            if deadline is not None:
                left = deadline - monotonic()
                if left <= 0:
                    raise AcquireConcurrencySlotTimeoutError(
                        f"Attempt to acquire concurrency slots timed out after {timeout_seconds} second(s)"
                    ) from error
                seconds = min(seconds, left)
        yield seconds


def hold_slots(
    names: str | list[str],
    occupy: int,
    *,
    lease_duration: float,
    strict: bool,
    holder: ConcurrencyLeaseHolder | None = None,
    caller: Caller | None = None,
) -> SlotLease | None:
    """Take slots, and hold them until they are given back.

    Args:
        names: The limits.
        occupy: How many slots of each.
        lease_duration: How many seconds the lease lasts if this process dies.
        strict: Whether each name must be a limit.
        holder: Who holds them; None: the run that is current here.
        caller: Where the limits are; None: where the settings say.

    Returns:
        What holds them; None where none of the names limits anything.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: There are too few free.
        ConcurrencySlotAcquisitionError: A name is no limit, or the limit is smaller than what is asked for.
    """
    wanted, caller = _names(names), caller or get_caller()
    with _understood(wanted):
        answer = caller.call(
            increment_slots_with_lease,
            slots=occupy,
            names=wanted,
            lease_duration=lease_duration,
            holder=holder or current_holder(),
        )
    _check(wanted, {limit.name for limit in answer.limits}, strict=strict)
    if not answer.limits:
        return None
    lease = SlotLease(caller, answer.lease_id, lease_duration, [limit.name for limit in answer.limits])
    slot_leases.keep(lease)
    return lease


def use_slots(names: str | list[str], occupy: int, *, strict: bool) -> None:
    """Use slots up, which come back by themselves.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: There are too few free.
        ConcurrencySlotAcquisitionError: A name is no limit, or one that slots do not come back of.
    """
    wanted = _names(names)
    with _understood(wanted):
        limits = get_caller().call(increment_slots, slots=occupy, names=wanted, mode="rate_limit")
    _check(wanted, {limit.name for limit in limits}, strict=strict)


def give_back(lease: SlotLease | None) -> None:
    """Give slots back. Where that fails, they come back when the lease ends."""
    if lease is None:
        return
    slot_leases.drop(lease)
    try:
        lease.caller.call(decrement_slots_with_lease, lease.lease_id)
    except PrefectException as error:
        _log.warning("Slots could not be given back; they are free in %d s: %s", lease.seconds, error)
        context = ConcurrencyContext.get()
        if context is not None:
            context.cleanup_lease_ids.append(lease.lease_id)


def current_holder() -> ConcurrencyLeaseHolder | None:
    """Return the run that is current here."""
    task = TaskRunContext.get()
    if task is not None and task.task_run is not None:
        return ConcurrencyLeaseHolder(type="task_run", id=task.task_run.id)
    flow = FlowRunContext.get()
    if flow is not None and flow.flow_run is not None:
        return ConcurrencyLeaseHolder(type="flow_run", id=flow.flow_run.id)
    return None


class _understood:
    """Says of which limits a refusal is that will not change."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ConcurrencyLimitReached) or not isinstance(error, PrefectException):
            return
        raise ConcurrencySlotAcquisitionError(
            f"Unable to acquire concurrency slots on {self._names}: {error}"
        ) from error


def _names(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _check(wanted: list[str], known: set[str], *, strict: bool) -> None:
    missing = [name for name in wanted if name not in known]
    if not missing:
        return
    if strict:
        raise ConcurrencySlotAcquisitionError(
            f"Concurrency limits {missing} must be created before acquiring slots"
        )
    _log.warning(
        "Nothing is limited by %s: there is no such limit. `prefect gcl create` makes one; `strict=True` "
        "makes this an error.",
        ", ".join(map(repr, missing)),
    )
