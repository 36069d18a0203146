"""Slots of concurrency limits: taken, counted and given back.

What is counted is what is there: the slots of a limit that are taken are those of its leases that have not
expired, and those taken without a lease that have not come back. No counter can be left behind by a process
that dies.

Whoever takes slots, or puts off the end of a lease, first locks the limits, in the order of their ids, and
leases after that: so what is read of a limit stays true until the transaction ends, and no two wait for each
other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select

from prefect.rules.slots import average_occupancy, still_taken, wait_for_slots, whole_slots
from prefect.schemas.base import Schema
from prefect.schemas.concurrency import ConcurrencyLeaseHolder, SlotMode
from prefect.store.base import Connection, Store
from prefect.store.functions import Member
from prefect.store.records import Records
from prefect.store.tables import concurrency_leases, concurrency_limits, concurrency_slots
from prefect.store.values import read_id
from prefect.types import format_utc, uuid7

__all__ = [
    "TAG_PREFIX",
    "UNRENEWED_SECONDS",
    "Denial",
    "Lease",
    "Limit",
    "by_names",
    "drop_slots_held_by",
    "expired_leases",
    "holders",
    "lease_for",
    "lease_of",
    "leased_slots",
    "limits",
    "lock_limits",
    "new_limit",
    "prolong",
    "release",
    "renew",
    "take",
]

TAG_PREFIX = "tag:"
"""What the names of limits start with that are on tasks with a tag."""
UNRENEWED_SECONDS = 7 * 86_400.0
"""How long a lease lasts that nobody renews, because its holder knows nothing of leases."""
_FIRST_OCCUPANCY = 2.0
"""Seconds that a slot is expected to be held, before any was."""


class Limit(Schema):
    """A limit as its row has it."""

    name: str
    limit: int
    id: UUID
    created: datetime
    updated: datetime
    active: bool
    taken_slots: float
    """Slots that were taken without a lease, as counted at `taken_at`."""
    taken_at: datetime
    denied_slots: int
    slot_decay_per_second: float
    avg_slot_occupancy_seconds: float

    def taken(self, at: datetime) -> float:
        """Return how many of the slots that were taken without a lease have not come back by a time."""
        seconds = (at - self.taken_at).total_seconds()
        return still_taken(self.taken_slots, seconds, self.slot_decay_per_second)

    def active_slots(self, leased: int, at: datetime) -> int:
        """Return how many slots are taken.

        Args:
            leased: How many of them leases hold.
            at: The current time.
        """
        return leased + whole_slots(self.taken(at))


class Lease(Schema):
    """What holds slots until it is given back, or expires."""

    id: UUID
    created: datetime
    expires: datetime
    holder: ConcurrencyLeaseHolder | None = None


class Slot(Schema):
    """Slots of one limit that a lease holds."""

    lease_id: UUID
    limit_id: UUID
    slots: int


class Denial(msgspec.Struct, frozen=True):
    """No slots were taken, because a limit has too few free."""

    name: str
    limit: int
    retry_after: float
    """Seconds."""


limits: Records[Limit] = Records(concurrency_limits, Limit)
leases: Records[Lease] = Records(concurrency_leases, Lease)
slots_of: Records[Slot] = Records(concurrency_slots, Slot)


def new_limit(name: str, limit: int, at: datetime, **values: Any) -> Limit:
    """Make a limit, of which no slot is taken.

    Args:
        name: Its name.
        limit: How many slots it has.
        at: The current time.
        values: What is other than usual.
    """
    usual = {
        "active": True,
        "taken_slots": 0.0,
        "denied_slots": 0,
        "slot_decay_per_second": 0.0,
        "avg_slot_occupancy_seconds": _FIRST_OCCUPANCY,
    }
    return Limit(
        id=uuid7(), created=at, updated=at, taken_at=at, name=name, limit=limit, **{**usual, **values}
    )


def by_names(names: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a limit has one of some names."""
    return concurrency_limits.c.name.in_(list(names))


def lock_limits(connection: Connection, *conditions: ColumnElement[bool]) -> list[Limit]:
    """Return the limits that meet conditions, which nobody else changes until the transaction ends."""
    query = limits.select(*conditions).order_by(concurrency_limits.c.id).with_for_update()
    return limits.all(connection, query)


def leased_slots(source: Store | Connection, ids: Sequence[UUID], at: datetime) -> Mapping[UUID, int]:
    """Return how many slots of limits leases hold at a time; limits of which they hold none are left out."""
    if not ids:
        return {}
    held = (
        select(concurrency_slots.c.limit_id, func.sum(concurrency_slots.c.slots))
        .join(concurrency_leases, concurrency_leases.c.id == concurrency_slots.c.lease_id)
        .where(
            concurrency_slots.c.limit_id.in_([each.hex for each in ids]),
            concurrency_leases.c.expires > format_utc(at),
        )
        .group_by(concurrency_slots.c.limit_id)
    )
    return {read_id(limit_id): int(count) for limit_id, count in source.select(held)}


def take(
    connection: Connection,
    wanted: Sequence[Limit],
    slots: int,
    *,
    mode: SlotMode,
    at: datetime,
    longest_wait: float,
    lease: Lease | None = None,
) -> Denial | None:
    """Take slots of every one of some limits, or of none.

    Args:
        connection: A connection that may write.
        wanted: The limits, locked. Those that are not active give what they are asked for.
        slots: How many slots of each.
        mode: Whether they are held, or used up.
        at: The current time.
        longest_wait: The most seconds that one who is refused is sent away for.
        lease: What holds them; None: they are taken until they are given back, or come back by decay.

    Returns:
        Why none were taken; None: they were.
    """
    active = [each for each in wanted if each.active]
    leased = leased_slots(connection, [each.id for each in active], at)
    denials = []
    for each in active:
        free = each.limit - each.taken(at) - leased.get(each.id, 0)
        # What has come back as good as whole is whole: times are rounded.
        if free < slots - 1e-6:
            denied = {"denied_slots": each.denied_slots + slots}
            limits.update(connection, denied, concurrency_limits.c.id == each.id.hex)
            seconds = wait_for_slots(
                slots,
                free=free,
                limit=each.limit,
                decay=each.slot_decay_per_second,
                occupancy=each.avg_slot_occupancy_seconds,
                longest=longest_wait,
            )
            denials.append(Denial(each.name, each.limit, seconds))
    if denials:
        return max(denials, key=lambda denial: denial.retry_after)
    is_held = lease is not None and mode == "concurrency"
    for each in active:
        changes: dict[str, Any] = {}
        if not is_held:
            changes = {"taken_slots": each.taken(at) + slots, "taken_at": at, "updated": at}
        if each.denied_slots:
            changes["denied_slots"] = max(0, each.denied_slots - slots)
        if changes:
            limits.update(connection, changes, concurrency_limits.c.id == each.id.hex)
    if is_held and lease is not None and active:
        leases.insert(connection, lease)
        slots_of.insert_all(
            connection, (Slot(lease_id=lease.id, limit_id=each.id, slots=slots) for each in active)
        )
    return None


def release(connection: Connection, lease_id: UUID, at: datetime) -> bool:
    """Give the slots of a lease back.

    Returns:
        Whether the lease was there. One that expired, or was given back before, need not be.
    """
    locked = _lock_limits_of(connection, lease_id)
    lease = leases.first(connection, concurrency_leases.c.id == lease_id.hex)
    if lease is None:
        return False
    leases.delete(connection, concurrency_leases.c.id == lease_id.hex)
    seconds = (min(at, lease.expires) - lease.created).total_seconds()
    for each in locked:
        average = average_occupancy(each.avg_slot_occupancy_seconds, seconds)
        limits.update(
            connection,
            {"avg_slot_occupancy_seconds": average, "updated": at},
            concurrency_limits.c.id == each.id.hex,
        )
    return True


def renew(connection: Connection, lease_id: UUID, seconds: float, at: datetime) -> bool:
    """Put off the end of a lease.

    Returns:
        Whether the lease was still good: the slots of one that expired may be somebody else's.
    """
    _lock_limits_of(connection, lease_id)
    return bool(
        leases.update(
            connection,
            {"expires": at + timedelta(seconds=seconds)},
            concurrency_leases.c.id == lease_id.hex,
            concurrency_leases.c.expires > format_utc(at),
        )
    )


def lease_of(connection: Connection, lease_id: UUID) -> Lease | None:
    """Return a lease, if it is there."""
    return leases.first(connection, concurrency_leases.c.id == lease_id.hex)


def expired_leases(connection: Connection, ids: Sequence[UUID], at: datetime) -> list[Lease]:
    """Return the leases that hold no slots of limits any more, because they were not renewed in time."""
    held = select(concurrency_slots.c.lease_id).where(
        concurrency_slots.c.limit_id.in_([each.hex for each in ids])
    )
    expired = concurrency_leases.c.expires <= format_utc(at)
    return leases.all(connection, leases.select(expired, concurrency_leases.c.id.in_(held)))


def prolong(connection: Connection, lease_id: UUID, seconds: float, at: datetime) -> None:
    """Put off the end of a lease even if it has expired: for whoever knows that its holder is there."""
    _lock_limits_of(connection, lease_id)
    end = {"expires": at + timedelta(seconds=seconds)}
    leases.update(connection, end, concurrency_leases.c.id == lease_id.hex)


def _lock_limits_of(connection: Connection, lease_id: UUID) -> list[Limit]:
    held = select(concurrency_slots.c.limit_id).where(concurrency_slots.c.lease_id == lease_id.hex)
    return lock_limits(connection, concurrency_limits.c.id.in_(held))


def holders(source: Store | Connection, ids: Sequence[UUID], at: datetime) -> Mapping[UUID, list[UUID]]:
    """Return who holds slots of some limits by leases, oldest first, once for each slot."""
    held = (
        select(
            concurrency_slots.c.limit_id, Member(concurrency_leases.c.holder, "id"), concurrency_slots.c.slots
        )
        .join(concurrency_leases, concurrency_leases.c.id == concurrency_slots.c.lease_id)
        .where(
            concurrency_slots.c.limit_id.in_([each.hex for each in ids]),
            concurrency_leases.c.expires > format_utc(at),
            concurrency_leases.c.holder.is_not(None),
        )
        .order_by(concurrency_leases.c.created, concurrency_leases.c.id)
    )
    found: dict[UUID, list[UUID]] = {}
    for limit_id, holder, count in source.select(held) if ids else ():
        found.setdefault(read_id(limit_id), []).extend([UUID(holder)] * count)
    return found


def drop_slots_held_by(connection: Connection, limit_id: UUID, holder: UUID | None = None) -> int:
    """Give the slots of a limit, which is locked, back that leases hold.

    Args:
        connection: A connection that may write.
        limit_id: The limit.
        holder: Only those that this one holds; None: all.

    Returns:
        How many leases held them.
    """
    condition = concurrency_slots.c.limit_id == limit_id.hex
    if holder is None:
        return slots_of.delete(connection, condition)
    own = select(concurrency_leases.c.id).where(Member(concurrency_leases.c.holder, "id") == str(holder))
    return slots_of.delete(connection, condition, concurrency_slots.c.lease_id.in_(own))


def lease_for(holder: ConcurrencyLeaseHolder | None, seconds: float, at: datetime) -> Lease:
    """Make a lease that begins now."""
    return Lease(id=uuid7(), created=at, expires=at + timedelta(seconds=seconds), holder=holder)
