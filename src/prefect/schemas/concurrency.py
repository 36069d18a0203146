"""Concurrency limits: named slots, of which so many may be taken at once, and the leases that hold them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from prefect.schemas.base import LARGEST, FrozenSchema, Schema

__all__ = [
    "ConcurrencyLeaseHolder",
    "ConcurrencyLimit",
    "ConcurrencyLimitCreate",
    "ConcurrencyLimitWithLeaseResponse",
    "GlobalConcurrencyLimit",
    "GlobalConcurrencyLimitCreate",
    "GlobalConcurrencyLimitResponse",
    "GlobalConcurrencyLimitUpdate",
    "LeaseSeconds",
    "LimitName",
    "MinimalConcurrencyLimitResponse",
    "SlotMode",
    "Slots",
]

LimitName = Annotated[str, Meta(pattern=r"^[^/%&><]+$")]
"""The name of a limit. That of a limit on tasks with a tag is `tag:` and the tag."""
Slots = Annotated[int, Meta(gt=0, le=2**31 - 1)]
"""A number of slots to take or to give back."""
LeaseSeconds = Annotated[float, Meta(ge=60, le=86_400)]
"""How long a lease lasts unless it is renewed."""
SlotMode = Literal["concurrency", "rate_limit"]
"""Whether slots are held and given back, or are used up and come back by themselves."""
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PerSecond = Annotated[float, Meta(ge=0, le=LARGEST)]


class GlobalConcurrencyLimit(Schema):
    """A limit, with all that is known of how it is used."""

    name: str
    limit: int
    id: UUID
    created: datetime
    updated: datetime
    active: bool = True
    """Whether it limits anything."""
    active_slots: int = 0
    """How many slots are taken now."""
    denied_slots: int = 0
    """How many were asked for in vain since some were given last."""
    slot_decay_per_second: float = 0.0
    """How many slots that were taken without a lease come back in each second."""
    avg_slot_occupancy_seconds: float = 2.0


class GlobalConcurrencyLimitResponse(Schema):
    """A limit, as it is read and listed."""

    name: str
    limit: int
    active_slots: int
    id: UUID
    created: datetime
    updated: datetime
    active: bool = True
    slot_decay_per_second: float = 2.0


def _check_name(name: str) -> None:
    # Messages are checked as they are read; here it is for those who call operations in this process.
    if not name or any(each in name for each in "/%&><"):
        raise ValueError(
            f"The name {name!r} of a limit must not be empty, nor contain any of / % & > <: "
            "no address can have it."
        )


class GlobalConcurrencyLimitCreate(Schema, forbid_unknown_fields=True):
    """A limit to be made."""

    name: LimitName
    limit: Count
    active: bool | None = True
    active_slots: Count | None = 0
    denied_slots: Count | None = 0
    slot_decay_per_second: PerSecond | None = 0.0

    def __post_init__(self) -> None:
        _check_name(self.name)


class GlobalConcurrencyLimitUpdate(Schema, forbid_unknown_fields=True):
    """Changes of a limit; what is left out, or None, stays."""

    name: LimitName | UnsetType | None = UNSET
    limit: Count | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    active_slots: Count | UnsetType | None = UNSET
    denied_slots: Count | UnsetType | None = UNSET
    slot_decay_per_second: PerSecond | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            _check_name(self.name)


class ConcurrencyLimit(Schema):
    """A limit on how many tasks with a tag run at once."""

    tag: str
    concurrency_limit: int
    id: UUID
    created: datetime
    updated: datetime
    active_slots: list[UUID] = msgspec.field(default_factory=list)
    """The task runs that hold slots."""


class ConcurrencyLimitCreate(Schema, forbid_unknown_fields=True):
    """A limit on tasks with a tag to be made; one that is there gets the new number."""

    tag: str
    concurrency_limit: int


class MinimalConcurrencyLimitResponse(FrozenSchema, frozen=True):
    """A limit of which slots were taken or given back."""

    id: UUID
    name: str
    limit: int


class ConcurrencyLimitWithLeaseResponse(FrozenSchema, frozen=True):
    """Slots that were taken, and the lease that holds them."""

    lease_id: UUID
    limits: list[MinimalConcurrencyLimitResponse]
    """Those of the names that are limits; whatever else was named limits nothing."""


class ConcurrencyLeaseHolder(FrozenSchema, frozen=True, forbid_unknown_fields=True):
    """Who holds a lease."""

    type: Literal["flow_run", "task_run", "deployment"]
    id: UUID
