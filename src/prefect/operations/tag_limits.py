"""Operations on the limits of tags: how many tasks with a tag run at once.

The limit of a tag is the limit of the name `tag:<tag>`; those who hold its slots are task runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from prefect.exceptions import ConcurrencyLimitReached, ObjectNotFound
from prefect.operations.limit_events import tell_limit
from prefect.operations.registry import operation
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    MinimalConcurrencyLimitResponse,
)
from prefect.schemas.queries import DEFAULT_LIMIT
from prefect.settings import get_current_settings
from prefect.store.base import Connection, Store
from prefect.store.limits import (
    TAG_PREFIX,
    UNRENEWED_SECONDS,
    Lease,
    Limit,
    Slot,
    by_names,
    drop_slots_held_by,
    holders,
    lease_for,
    leases,
    limits,
    lock_limits,
    new_limit,
    slots_of,
    take,
)
from prefect.types import now

__all__ = [
    "create_tag_limit",
    "decrement_tag_slots",
    "delete_tag_limit",
    "delete_tag_limit_by_tag",
    "increment_tag_slots",
    "read_tag_limit",
    "read_tag_limit_by_tag",
    "read_tag_limits",
    "reset_tag_limit",
]

_OF_TAGS = limits.table.c.name.startswith(TAG_PREFIX, autoescape=True)


@operation("POST", "/concurrency_limits/", creates=True)
def create_tag_limit(store: Store, data: ConcurrencyLimitCreate) -> ConcurrencyLimit:
    """Limit how many tasks with a tag run at once; a limit that is there gets the new number."""
    at, named = now(), _of_tag(data.tag)
    with store.transaction() as connection:
        made = new_limit(TAG_PREFIX + data.tag, data.concurrency_limit, at)
        is_new = limits.insert(connection, made)
        if not is_new:
            limits.update(connection, {"limit": data.concurrency_limit, "updated": at}, named)
        told = made if is_new else limits.first(connection, named)
        if told is not None:
            tell_limit(connection, "created" if is_new else "updated", told)
        return _first(connection, named, at)


@operation("GET", "/concurrency_limits/{concurrency_limit_id}")
def read_tag_limit(store: Store, concurrency_limit_id: UUID) -> ConcurrencyLimit:
    """Return the limit of a tag.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
    """
    with store.reading() as connection:
        return _first(connection, _of_id(concurrency_limit_id), now())


@operation("GET", "/concurrency_limits/tag/{tag}")
def read_tag_limit_by_tag(store: Store, tag: str) -> ConcurrencyLimit:
    """Return the limit of a tag.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none.
    """
    with store.reading() as connection:
        return _first(connection, _of_tag(tag), now())


@operation("POST", "/concurrency_limits/filter")
def read_tag_limits(store: Store, limit: int | None = None, offset: int = 0) -> list[ConcurrencyLimit]:
    """Return the limits of tags, by tag.

    Args:
        store: The store.
        limit: At most so many.
        offset: Leave out so many of the first.
    """
    query = limits.select(_OF_TAGS).order_by(limits.table.c.name)
    with store.reading() as connection:
        window = query.limit(DEFAULT_LIMIT if limit is None else limit).offset(offset)
        return _tag_limits(connection, limits.all(connection, window), now())


@operation("POST", "/concurrency_limits/tag/{tag}/reset", status=200)
def reset_tag_limit(store: Store, tag: str, slot_override: list[UUID] | None = None) -> None:
    """Take the slots of a tag's limit away from who holds them.

    Args:
        store: The store.
        tag: The tag.
        slot_override: The task runs that shall hold slots in their place.

    Raises:
        prefect.exceptions.ObjectNotFound: The tag has no limit.
    """
    at = now()
    with store.transaction() as connection:
        found = next(iter(lock_limits(connection, _of_tag(tag))), None)
        if found is None:
            raise _not_found()
        drop_slots_held_by(connection, found.id)
        # Whoever says who holds them is right, also where there are more than the limit has.
        held = [_lease_of(run_id, at) for run_id in slot_override or ()]
        denied = max(0, found.denied_slots - len(held))
        limits.update(connection, {"taken_slots": 0.0, "denied_slots": denied, "updated": at}, _of_tag(tag))
        leases.insert_all(connection, held)
        slots_of.insert_all(connection, (Slot(lease_id=each.id, limit_id=found.id, slots=1) for each in held))


@operation("DELETE", "/concurrency_limits/{concurrency_limit_id}", status=200)
def delete_tag_limit(store: Store, concurrency_limit_id: UUID) -> None:
    """Delete the limit of a tag.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such limit.
    """
    _delete(store, _of_id(concurrency_limit_id))


@operation("DELETE", "/concurrency_limits/tag/{tag}", status=200)
def delete_tag_limit_by_tag(store: Store, tag: str) -> None:
    """Delete the limit of a tag.

    Raises:
        prefect.exceptions.ObjectNotFound: There is none.
    """
    _delete(store, _of_tag(tag))


@operation("POST", "/concurrency_limits/increment")
def increment_tag_slots(
    store: Store, names: list[str], task_run_id: UUID
) -> list[MinimalConcurrencyLimitResponse]:
    """Take a slot of each of some tags' limits for a task run.

    Args:
        store: The store.
        names: The tags; those without a limit are passed over.
        task_run_id: The task run.

    Returns:
        The limits.

    Raises:
        prefect.exceptions.ConcurrencyLimitReached: One of them has no slot free, and none was taken.
    """
    at = now()
    wait = get_current_settings().server.tasks.tag_concurrency_slot_wait_seconds
    with store.transaction() as connection:
        found = lock_limits(connection, by_names(TAG_PREFIX + tag for tag in names))
        for each in found:
            if not _take(connection, each, task_run_id, at):
                # What was taken of others before goes back with the transaction.
                raise ConcurrencyLimitReached(
                    f"Concurrency limit for the {_tag(each)} tag has been reached", wait
                )
    return [MinimalConcurrencyLimitResponse(id=each.id, name=_tag(each), limit=each.limit) for each in found]


@operation("POST", "/concurrency_limits/decrement")
def decrement_tag_slots(
    store: Store, names: list[str], task_run_id: UUID
) -> list[MinimalConcurrencyLimitResponse]:
    """Give the slots back that a task run holds of some tags' limits.

    Args:
        store: The store.
        names: The tags.
        task_run_id: The task run.

    Returns:
        The limits.
    """
    with store.transaction() as connection:
        found = lock_limits(connection, by_names(TAG_PREFIX + tag for tag in names))
        for each in found:
            drop_slots_held_by(connection, each.id, task_run_id)
    return [MinimalConcurrencyLimitResponse(id=each.id, name=each.name, limit=each.limit) for each in found]


def _take(connection: Connection, limit: Limit, task_run_id: UUID, at: datetime) -> bool:
    lease = _lease_of(task_run_id, at)
    return not take(connection, [limit], 1, mode="concurrency", at=at, longest_wait=0, lease=lease)


def _lease_of(task_run_id: UUID, at: datetime) -> Lease:
    # Nobody renews it: it lasts as long as a task may take.
    return lease_for(ConcurrencyLeaseHolder(type="task_run", id=task_run_id), UNRENEWED_SECONDS, at)


def _delete(store: Store, condition: ColumnElement[bool]) -> None:
    with store.transaction() as connection:
        found = limits.to_change(connection, condition)
        if found is None:
            raise _not_found()
        limits.delete(connection, limits.table.c.id == found.id.hex)
        tell_limit(connection, "deleted", found)


def _first(connection: Connection, condition: ColumnElement[bool], at: datetime) -> ConcurrencyLimit:
    found = limits.first(connection, condition)
    if found is None:
        raise _not_found()
    return _tag_limits(connection, [found], at)[0]


def _tag_limits(connection: Connection, found: Sequence[Limit], at: datetime) -> list[ConcurrencyLimit]:
    held = holders(connection, [each.id for each in found], at)
    return [
        ConcurrencyLimit(
            id=each.id,
            created=each.created,
            updated=each.updated,
            tag=_tag(each),
            concurrency_limit=each.limit,
            active_slots=held.get(each.id, []),
        )
        for each in found
    ]


def _tag(limit: Limit) -> str:
    return limit.name.removeprefix(TAG_PREFIX)


def _of_tag(tag: str) -> ColumnElement[bool]:
    return limits.table.c.name == TAG_PREFIX + tag


def _of_id(limit_id: UUID) -> ColumnElement[bool]:
    return (limits.table.c.id == limit_id.hex) & _OF_TAGS


def _not_found() -> ObjectNotFound:
    return ObjectNotFound(help_message="Concurrency limit not found")
