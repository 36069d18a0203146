"""The client's methods for concurrency limits: global ones, and those on tasks with a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from msgspec import UNSET

from prefect.client.orchestration.base import Group
from prefect.exceptions import ObjectNotFound
from prefect.operations.concurrency import (
    create_global_limit,
    decrement_slots,
    decrement_slots_with_lease,
    delete_global_limit,
    increment_slots,
    increment_slots_with_lease,
    read_global_limit,
    read_global_limits,
    renew_lease,
    update_global_limit,
)
from prefect.operations.tag_limits import (
    create_tag_limit,
    decrement_tag_slots,
    delete_tag_limit_by_tag,
    increment_tag_slots,
    read_tag_limit_by_tag,
    read_tag_limits,
    reset_tag_limit,
)
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitResponse,
    GlobalConcurrencyLimitUpdate,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["LimitMethods"]


class LimitMethods(Group):
    """Makes, reads, changes and deletes concurrency limits; takes their slots and gives them back."""

    def create_global_concurrency_limit(self, concurrency_limit: GlobalConcurrencyLimitCreate) -> UUID:
        """Make a global limit, and return its id.

        Raises:
            prefect.exceptions.ObjectAlreadyExists: There is one of its name.
        """
        return self._call(create_global_limit, concurrency_limit).id

    def read_global_concurrency_limit_by_name(self, name: str) -> GlobalConcurrencyLimitResponse:
        """Return the global limit of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none of that name.
        """
        return self._call(read_global_limit, name)

    def read_global_concurrency_limits(
        self, limit: int = 10, offset: int = 0
    ) -> list[GlobalConcurrencyLimitResponse]:
        """Return global limits.

        Args:
            limit: At most so many.
            offset: Leave out so many of the first.
        """
        return self._call(read_global_limits, limit=limit, offset=offset)

    def update_global_concurrency_limit(
        self, name: str, concurrency_limit: GlobalConcurrencyLimitUpdate
    ) -> httpx.Response:
        """Change the global limit of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none of that name.
        """
        return self._respond(update_global_limit, name, concurrency_limit)

    def upsert_global_concurrency_limit_by_name(
        self, name: str, limit: int, slot_decay_per_second: float | None = None
    ) -> None:
        """Set the global limit of a name, which is made where there is none.

        Args:
            name: Its name.
            limit: How many slots it has.
            slot_decay_per_second: How many slots that were taken come back in each second.
        """
        decay = UNSET if slot_decay_per_second is None else slot_decay_per_second
        changes = GlobalConcurrencyLimitUpdate(limit=limit, slot_decay_per_second=decay)
        try:
            self._call(update_global_limit, name, changes)
        except ObjectNotFound:
            made = GlobalConcurrencyLimitCreate(
                name=name, limit=limit, slot_decay_per_second=slot_decay_per_second or 0.0
            )
            self._call(create_global_limit, made)

    def delete_global_concurrency_limit_by_name(self, name: str) -> httpx.Response:
        """Delete the global limit of a name.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none of that name.
        """
        return self._respond(delete_global_limit, name)

    def increment_concurrency_slots(
        self, names: list[str], slots: int, mode: Literal["concurrency", "rate_limit"]
    ) -> httpx.Response:
        """Take slots of limits.

        Args:
            names: The limits.
            slots: How many of each.
            mode: Whether slots are given back, or come back by themselves.

        Raises:
            prefect.exceptions.ConcurrencyLimitReached: There are not so many free; it says when to try again.
        """
        return self._respond(increment_slots, slots=slots, names=names, mode=mode)

    def increment_concurrency_slots_with_lease(
        self,
        names: list[str],
        slots: int,
        mode: Literal["concurrency", "rate_limit"],
        lease_duration: float,
        holder: ConcurrencyLeaseHolder | None = None,
    ) -> httpx.Response:
        """Take slots of limits until a lease ends.

        Args:
            names: The limits.
            slots: How many of each.
            mode: Whether slots are given back, or come back by themselves.
            lease_duration: Seconds that the lease holds unless it is renewed.
            holder: Whose the lease is.

        Raises:
            prefect.exceptions.ConcurrencyLimitReached: There are not so many free; it says when to try again.
        """
        return self._respond(
            increment_slots_with_lease,
            slots=slots,
            names=names,
            mode=mode,
            lease_duration=lease_duration,
            holder=holder,
        )

    def renew_concurrency_lease(self, lease_id: UUID, lease_duration: float) -> httpx.Response:
        """Put off the end of a lease.

        Raises:
            prefect.exceptions.LeaseLost: It has ended.
        """
        return self._respond(renew_lease, lease_id, lease_duration=lease_duration)

    def release_concurrency_slots(
        self, names: list[str], slots: int, occupancy_seconds: float
    ) -> httpx.Response:
        """Give slots back that were taken without a lease.

        Args:
            names: The limits.
            slots: How many of each.
            occupancy_seconds: How long they were held.
        """
        return self._respond(decrement_slots, slots=slots, names=names, occupancy_seconds=occupancy_seconds)

    def release_concurrency_slots_with_lease(self, lease_id: UUID) -> httpx.Response:
        """Give the slots of a lease back."""
        return self._respond(decrement_slots_with_lease, lease_id)

    def create_concurrency_limit(self, tag: str, concurrency_limit: int) -> UUID:
        """Limit how many tasks with a tag run at once, and return the limit's id."""
        data = ConcurrencyLimitCreate(tag=tag, concurrency_limit=concurrency_limit)
        return self._call(create_tag_limit, data).id

    def read_concurrency_limit_by_tag(self, tag: str) -> ConcurrencyLimit:
        """Return the limit on tasks with a tag.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        return self._call(read_tag_limit_by_tag, tag)

    def read_concurrency_limits(self, limit: int, offset: int) -> list[ConcurrencyLimit]:
        """Return limits on tasks with tags.

        Args:
            limit: At most so many.
            offset: Leave out so many of the first.
        """
        return self._call(read_tag_limits, limit=limit, offset=offset)

    def reset_concurrency_limit_by_tag(self, tag: str, slot_override: list[UUID | str] | None = None) -> None:
        """Take all slots of the limit on tasks with a tag back.

        Args:
            tag: The tag.
            slot_override: Ids of the task runs that hold slots from now on.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such limit.
        """
        ids = None if slot_override is None else [UUID(str(given)) for given in slot_override]
        self._call(reset_tag_limit, tag, slot_override=ids)

    def delete_concurrency_limit_by_tag(self, tag: str) -> None:
        """Delete the limit on tasks with a tag.

        Raises:
            prefect.exceptions.ObjectNotFound: There is none.
        """
        self._call(delete_tag_limit_by_tag, tag)

    def increment_v1_concurrency_slots(self, names: list[str], task_run_id: UUID) -> httpx.Response:
        """Take a slot of the limits on tasks with tags for a task run.

        Raises:
            prefect.exceptions.ConcurrencyLimitReached: None is free.
        """
        return self._respond(increment_tag_slots, names, task_run_id)

    def decrement_v1_concurrency_slots(
        self, names: list[str], task_run_id: UUID, occupancy_seconds: float
    ) -> httpx.Response:
        """Give the slots of a task run back.

        Args:
            names: The tags.
            task_run_id: The task run.
            occupancy_seconds: How long it held them; accepted for the interface's sake.
        """
        return self._respond(decrement_tag_slots, names, task_run_id)
