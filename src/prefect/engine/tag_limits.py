"""Slots of the limits on a task's tags, held while an attempt of it runs.

Most tags are limited by nobody. That is asked once for some tags, and believed for some seconds, so that
tasks with tags cost no requests of their own.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from prefect.client.base import Caller
from prefect.client.local import LocalClient
from prefect.engine.steps import Block, Sleep, Steps
from prefect.exceptions import ConcurrencyLimitReached, PrefectException, StoreError
from prefect.logging.loggers import get_logger
from prefect.schemas.objects import TaskRun
from prefect.types import fork_safe

if TYPE_CHECKING:
    from prefect.recorder.slot_leases import SlotLease

__all__ = ["give_slots_back", "take_slots"]

BELIEVED = 10.0
"""Seconds that tags are taken to be without a limit."""
LEASE = 60.0
"""Seconds after which the slots of a process that died are free."""
_LONGEST_LOCAL_WAIT = 0.2
"""Seconds. To ask the store of this machine again costs little."""

_unlimited: dict[tuple[int, tuple[str, ...]], float] = {}
"""Until when tags are taken to be without a limit, by where that was asked."""
_lock = fork_safe(threading.Lock())


def take_slots(caller: Caller | None, run: TaskRun) -> Steps[SlotLease | None]:
    """Wait for a slot of each limit on a task run's tags.

    Args:
        caller: Where limits are; None: nowhere.
        run: The run; it has tags.

    Returns:
        What holds the slots; None where nothing is limited.
    """
    if caller is None:
        return None
    key = (id(caller), tuple(run.tags))
    if monotonic() < _unlimited.get(key, 0.0):
        return None
    while True:
        try:
            lease = yield Block(lambda: _ask(caller, run))
        except ConcurrencyLimitReached as error:
            waits = error.retry_after
            yield Sleep(min(waits, _LONGEST_LOCAL_WAIT) if isinstance(caller, LocalClient) else waits)
            continue
        except StoreError:
            return None  # nothing is recorded any more either, and the work goes on
        if lease is None:
            with _lock:
                if len(_unlimited) > 1000:
                    _unlimited.clear()
                _unlimited[key] = monotonic() + BELIEVED
        return lease  # type: ignore[no-any-return]


def _ask(caller: Caller, run: TaskRun) -> SlotLease | None:
    # Here, because most runs have no tags.
    from prefect.operations.concurrency import increment_slots_with_lease  # noqa: PLC0415 - only with tags
    from prefect.schemas.concurrency import ConcurrencyLeaseHolder  # noqa: PLC0415 - goes with it

    answer = caller.call(
        increment_slots_with_lease,
        slots=1,
        names=[f"tag:{tag}" for tag in run.tags],
        lease_duration=LEASE,
        holder=ConcurrencyLeaseHolder(type="task_run", id=run.id),
    )
    if not answer.limits:
        return None
    from prefect.recorder.slot_leases import SlotLease, slot_leases  # noqa: PLC0415 - only with a limit

    lease = SlotLease(caller, answer.lease_id, LEASE, [limit.name for limit in answer.limits])
    slot_leases.keep(lease)
    return lease


def give_slots_back(lease: SlotLease) -> None:
    """Give slots back. Where that fails, they come back when the lease ends."""
    from prefect.operations.concurrency import decrement_slots_with_lease  # noqa: PLC0415 - only with a limit
    from prefect.recorder.slot_leases import slot_leases  # noqa: PLC0415 - only with a limit

    slot_leases.drop(lease)
    try:
        lease.caller.call(decrement_slots_with_lease, lease.lease_id)
    except PrefectException as error:
        get_logger("concurrency").warning(
            "Slots could not be given back; they are free in %d s: %s", lease.seconds, error
        )
