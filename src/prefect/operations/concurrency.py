"""Operations on concurrency limits: making them, and taking their slots, held by leases or not.

The SQL is in `prefect.store.limits`, which takes SQLAlchemy: what every run with a tag may ask is answered
without it where nothing is limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec

from prefect.exceptions import (
    ConcurrencyLimitReached,
    LeaseLost,
    ObjectAlreadyExists,
    ObjectNotFound,
    RequestRefused,
    StoreConflict,
)
from prefect.operations.flow_runs import call_runs
from prefect.operations.registry import operation
from prefect.schemas.base import LARGEST
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimitWithLeaseResponse,
    GlobalConcurrencyLimit,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitResponse,
    GlobalConcurrencyLimitUpdate,
    LeaseSeconds,
    MinimalConcurrencyLimitResponse,
    SlotMode,
    Slots,
)
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.settings import get_current_settings
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.values import json_text
from prefect.types import now, uuid7

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from prefect.store.limits import Lease, Limit

__all__ = [
    "create_global_limit",
    "decrement_slots",
    "decrement_slots_with_lease",
    "delete_global_limit",
    "increment_slots",
    "increment_slots_with_lease",
    "read_global_limit",
    "read_global_limits",
    "renew_lease",
    "update_global_limit",
]

OccupancySeconds = Annotated[float, msgspec.Meta(gt=0, le=LARGEST)]


@operation("POST", "/v2/concurrency_limits/", creates=True)
def create_global_limit(store: Store, data: GlobalConcurrencyLimitCreate) -> GlobalConcurrencyLimit:
    """Make a limit.

    Raises:
        prefect.exceptions.ObjectAlreadyExists: There is one of its name.
    """
    from prefect.operations.limit_events import tell_limit  # noqa: PLC0415 - SQLAlchemy
    from prefect.store.limits import limits, new_limit  # noqa: PLC0415 - SQLAlchemy

    at = now()
    made = new_limit(
        data.name,
        data.limit,
        at,
        active=data.active is not False,
        taken_slots=data.active_slots or 0,
        denied_slots=data.denied_slots or 0,
        slot_decay_per_second=data.slot_decay_per_second or 0.0,
    )
    with store.transaction() as connection:
        if not limits.insert(connection, made):
            raise _name_taken(data.name)
        tell_limit(connection, "created", made)
    return GlobalConcurrencyLimit(
        id=made.id,
        created=at,
        updated=at,
        name=made.name,
        limit=made.limit,
        active=made.active,
        active_slots=made.active_slots(0, at),
        denied_slots=made.denied_slots,
        slot_decay_per_second=made.slot_decay_per_second,
        avg_slot_occupancy_seconds=made.avg_slot_occupancy_seconds,
    )


@operation("GET", "/v2/concurrency_limits/{id_or_name}")
def read_global_limit(store: Store, id_or_name: str) -> GlobalConcurrencyLimitResponse:
    """Return a limit.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
    """
    from prefect.store.limits import limits  # noqa: PLC0415 - SQLAlchemy

    with store.reading() as connection:
        found = limits.first(connection, _named(id_or_name))
        if found is None:
            raise _no_limit()
        return _responses(connection, [found], now())[0]


@operation("POST", "/v2/concurrency_limits/filter")
def read_global_limits(
    store: Store, limit: int | None = None, offset: int = 0
) -> list[GlobalConcurrencyLimitResponse]:
    """Return limits by name.

    Args:
        store: The store.
        limit: At most so many.
        offset: Leave out so many of the first.
    """
    from prefect.store.limits import limits  # noqa: PLC0415 - SQLAlchemy

    query = limits.select().order_by(limits.table.c.name)
    with store.reading() as connection:
        window = query.limit(DEFAULT_LIMIT if limit is None else limit).offset(offset)
        return _responses(connection, limits.all(connection, window), now())


@operation("PATCH", "/v2/concurrency_limits/{id_or_name}")
def update_global_limit(store: Store, id_or_name: str, data: GlobalConcurrencyLimitUpdate) -> None:
    """Change what is set in `data` of a limit.

    A number of active slots that is less than leases hold takes the slots of all leases away.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
        prefect.exceptions.ObjectAlreadyExists: There is another of its new name.
    """
    from prefect.operations.limit_events import tell_limit  # noqa: PLC0415 - SQLAlchemy
    from prefect.operations.slots import next_for_slots  # noqa: PLC0415 - SQLAlchemy
    from prefect.store.limits import (  # noqa: PLC0415 - SQLAlchemy
        drop_slots_held_by,
        leased_slots,
        limits,
        lock_limits,
    )

    at = now()
    given = {name: getattr(data, name) for name in data.__struct_fields__}
    changes = {
        name: value for name, value in given.items() if value is not msgspec.UNSET and value is not None
    }
    try:
        with store.transaction() as connection:
            found = next(iter(lock_limits(connection, _named(id_or_name))), None)
            if found is None:
                raise _no_limit()
            # What has come back until now came back as fast as it did until now.
            taken: float = found.taken(at)
            if "active_slots" in changes:
                wanted = changes.pop("active_slots")
                leased = leased_slots(connection, [found.id], at).get(found.id, 0)
                if wanted < leased:
                    drop_slots_held_by(connection, found.id)
                    leased = 0
                taken = wanted - leased
            changes |= {"taken_slots": taken, "taken_at": at, "updated": at}
            limits.update(connection, changes, limits.table.c.id == found.id.hex)
            tell_limit(connection, "updated", msgspec.structs.replace(found, **changes))
            call_runs(connection, next_for_slots(connection, found.id, at))
    except StoreConflict as error:
        raise _name_taken(changes["name"]) from error


@operation("DELETE", "/v2/concurrency_limits/{id_or_name}")
def delete_global_limit(store: Store, id_or_name: str) -> None:
    """Delete a limit; whoever holds slots of it goes on.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
    """
    from prefect.operations.limit_events import tell_limit  # noqa: PLC0415 - SQLAlchemy
    from prefect.store.limits import limits  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        found = limits.to_change(connection, _named(id_or_name))
        if found is None:
            raise _no_limit()
        limits.delete(connection, limits.table.c.id == found.id.hex)
        tell_limit(connection, "deleted", found)


@operation("POST", "/v2/concurrency_limits/increment")
def increment_slots(
    store: Store,
    slots: Slots,
    names: list[str],
    mode: SlotMode = "concurrency",
    create_if_missing: bool | None = None,
) -> list[MinimalConcurrencyLimitResponse]:
    """Take slots of limits without a lease.

    Args:
        store: The store.
        slots: How many of each.
        names: The limits; names that are none limit nothing.
        mode: Whether they will be given back, or come back by decay.
        create_if_missing: Accepted for the interface's sake: no limit is made.

    Returns:
        The limits.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: One of them has too few slots free.
        prefect.exceptions.RequestRefused: There never will be so many, or there is no decay.
    """
    return _take(store, names, slots, mode, None)


@operation("POST", "/v2/concurrency_limits/increment-with-lease")
def increment_slots_with_lease(
    store: Store,
    slots: Slots,
    names: list[str],
    mode: SlotMode = "concurrency",
    lease_duration: LeaseSeconds = 300,
    holder: ConcurrencyLeaseHolder | None = None,
) -> ConcurrencyLimitWithLeaseResponse:
    """Take slots of limits, to be held by a lease until it is given back or expires.

    Args:
        store: The store.
        slots: How many of each.
        names: The limits; names that are none limit nothing.
        mode: Whether they are held, or used up: then there is nothing to give back.
        lease_duration: For how many seconds, unless the lease is renewed.
        holder: Who holds it.

    Returns:
        The limits, and the lease.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: One of them has too few slots free.
        prefect.exceptions.RequestRefused: There never will be so many, or there is no decay.
    """
    # Most tags are limited by nobody. This costs what a run can bear; SQLAlchemy would not.
    if not names or not store.fetch(statements.LIMITS_OF_NAMES, (json_text(names),)):
        return ConcurrencyLimitWithLeaseResponse(lease_id=uuid7(), limits=[])
    from prefect.store.limits import lease_for  # noqa: PLC0415 - SQLAlchemy

    lease = lease_for(holder, lease_duration, now())
    return ConcurrencyLimitWithLeaseResponse(
        lease_id=lease.id, limits=_take(store, names, slots, mode, lease)
    )


@operation("POST", "/v2/concurrency_limits/decrement")
def decrement_slots(
    store: Store,
    slots: Slots,
    names: list[str],
    occupancy_seconds: OccupancySeconds | None = None,
    create_if_missing: bool | None = None,
) -> list[MinimalConcurrencyLimitResponse]:
    """Give slots back that were taken without a lease.

    Args:
        store: The store.
        slots: How many of each; more than were taken are all of them.
        names: The limits; names that are none are passed over.
        occupancy_seconds: How long they were held.
        create_if_missing: Accepted for the interface's sake: no limit is made.

    Returns:
        The limits.
    """
    from prefect.rules.slots import average_occupancy  # noqa: PLC0415 - with the rest
    from prefect.store.limits import by_names, limits, lock_limits  # noqa: PLC0415 - SQLAlchemy

    at = now()
    with store.transaction() as connection:
        found = lock_limits(connection, by_names(names))
        for each in found:
            changes = {"taken_slots": max(0.0, each.taken(at) - slots), "taken_at": at, "updated": at}
            if occupancy_seconds is not None:
                average = average_occupancy(each.avg_slot_occupancy_seconds, occupancy_seconds)
                changes["avg_slot_occupancy_seconds"] = average
            limits.update(connection, changes, limits.table.c.id == each.id.hex)
    return _in_order(found, names)


@operation("POST", "/v2/concurrency_limits/decrement-with-lease")
def decrement_slots_with_lease(store: Store, lease_id: UUID) -> None:
    """Give the slots of a lease back; a lease that is no more has none."""
    from prefect.store.limits import release  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        release(connection, lease_id, now())


@operation("POST", "/v2/concurrency_limits/leases/{lease_id}/renew")
def renew_lease(store: Store, lease_id: UUID, lease_duration: LeaseSeconds = 300) -> None:
    """Put off the end of a lease.

    Args:
        store: The store.
        lease_id: The lease.
        lease_duration: For how many seconds from now.

    Raises:
        prefect.exceptions.LeaseLost: It has expired, or was given back.
    """
    from prefect.store.limits import renew  # noqa: PLC0415 - SQLAlchemy

    with store.transaction() as connection:
        renewed = renew(connection, lease_id, lease_duration, now())
    if not renewed:
        raise LeaseLost("Lease not found - it may have expired or been revoked")


def _take(
    store: Store, names: Sequence[str], slots: int, mode: SlotMode, lease: Lease | None
) -> list[MinimalConcurrencyLimitResponse]:
    from prefect.store.limits import by_names, lock_limits, take  # noqa: PLC0415 - SQLAlchemy

    longest = get_current_settings().server.concurrency.maximum_concurrency_slot_wait_seconds
    with store.transaction() as connection:
        wanted = lock_limits(connection, by_names(names))
        _check(wanted, slots, mode)
        denial = take(connection, wanted, slots, mode=mode, at=now(), longest_wait=longest, lease=lease)
    if denial is not None:
        raise ConcurrencyLimitReached("Locked", denial.retry_after)
    return _in_order(wanted, names)


def _check(wanted: Sequence[Limit], slots: int, mode: SlotMode) -> None:
    if any(each.limit < slots for each in wanted if each.active):
        raise RequestRefused("Slots requested is greater than the limit")
    lasting = [each.name for each in wanted if not each.slot_decay_per_second]
    if mode == "rate_limit" and lasting:
        named = ", ".join(map(repr, lasting))
        raise RequestRefused(
            "Only concurrency limits with slot decay can be used for rate limiting. "
            f"The following limits do not have a decay configured: {named}"
        )


def _in_order(found: Sequence[Limit], names: Sequence[str]) -> list[MinimalConcurrencyLimitResponse]:
    known = {each.name: each for each in found}
    wanted = [known[name] for name in dict.fromkeys(names) if name in known]
    return [MinimalConcurrencyLimitResponse(id=each.id, name=each.name, limit=each.limit) for each in wanted]


def _responses(
    connection: Connection, found: Sequence[Limit], at: datetime
) -> list[GlobalConcurrencyLimitResponse]:
    from prefect.store.limits import leased_slots  # noqa: PLC0415 - SQLAlchemy

    leased = leased_slots(connection, [each.id for each in found], at)
    return [
        GlobalConcurrencyLimitResponse(
            id=each.id,
            created=each.created,
            updated=each.updated,
            name=each.name,
            limit=each.limit,
            active=each.active,
            active_slots=each.active_slots(leased.get(each.id, 0), at),
            slot_decay_per_second=each.slot_decay_per_second,
        )
        for each in found
    ]


def _named(id_or_name: str) -> ColumnElement[bool]:
    from prefect.store.limits import limits  # noqa: PLC0415 - SQLAlchemy

    try:
        return limits.table.c.id == UUID(id_or_name).hex
    except ValueError:
        return limits.table.c.name == id_or_name


def _no_limit() -> ObjectNotFound:
    return ObjectNotFound(help_message="Concurrency Limit not found")


def _name_taken(name: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(help_message=f"There is a concurrency limit with the name {name!r} already.")
