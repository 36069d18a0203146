"""Limits of tags, as older clients and people know them."""

from __future__ import annotations

from uuid import UUID

import pytest

from prefect.exceptions import ConcurrencyLimitReached, ObjectNotFound
from prefect.operations.concurrency import increment_slots_with_lease, read_global_limit
from prefect.operations.tag_limits import (
    create_tag_limit,
    decrement_tag_slots,
    delete_tag_limit,
    delete_tag_limit_by_tag,
    increment_tag_slots,
    read_tag_limit,
    read_tag_limit_by_tag,
    read_tag_limits,
    reset_tag_limit,
)
from prefect.schemas.concurrency import ConcurrencyLeaseHolder, ConcurrencyLimit, ConcurrencyLimitCreate
from prefect.store.base import Store

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def make(store: Store, tag: str = "gpu", limit: int = 1) -> ConcurrencyLimit:
    return create_tag_limit(store, ConcurrencyLimitCreate(tag=tag, concurrency_limit=limit))


def test_a_tag_has_one_limit(store: Store) -> None:
    first = make(store, limit=1)
    again = make(store, limit=5)
    assert (again.id, again.concurrency_limit) == (first.id, 5)
    assert read_tag_limit(store, first.id) == read_tag_limit_by_tag(store, "gpu") == again
    assert read_global_limit(store, "tag:gpu").limit == 5
    make(store, "100%_a")
    assert [each.tag for each in read_tag_limits(store)] == ["100%_a", "gpu"]


def test_task_runs_hold_slots_whichever_way_they_took_them(store: Store) -> None:
    make(store, limit=2)
    holder = ConcurrencyLeaseHolder(type="task_run", id=TWO)
    assert [each.name for each in increment_tag_slots(store, ["gpu", "none"], ONE)] == ["gpu"]
    increment_slots_with_lease(store, slots=1, names=["tag:gpu"], holder=holder)
    assert read_tag_limit_by_tag(store, "gpu").active_slots == [ONE, TWO]
    with pytest.raises(ConcurrencyLimitReached, match="Concurrency limit for the gpu tag has been reached"):
        increment_tag_slots(store, ["gpu"], THREE)
    decrement_tag_slots(store, ["gpu"], ONE)
    assert read_tag_limit_by_tag(store, "gpu").active_slots == [TWO]


def test_a_slot_of_every_tag_or_of_none(store: Store) -> None:
    make(store, "a")
    make(store, "b")
    increment_tag_slots(store, ["b"], ONE)
    with pytest.raises(ConcurrencyLimitReached, match="the b tag"):
        increment_tag_slots(store, ["a", "b"], TWO)
    assert read_tag_limit_by_tag(store, "a").active_slots == []


def test_slots_can_be_taken_away(store: Store) -> None:
    make(store)
    increment_tag_slots(store, ["gpu"], ONE)
    reset_tag_limit(store, "gpu", [TWO, THREE])
    assert read_tag_limit_by_tag(store, "gpu").active_slots == [TWO, THREE]
    many = [UUID(int=number) for number in range(1, 1201)]
    reset_tag_limit(store, "gpu", many)
    assert sorted(read_tag_limit_by_tag(store, "gpu").active_slots) == many
    reset_tag_limit(store, "gpu")
    assert read_tag_limit_by_tag(store, "gpu").active_slots == []
    increment_tag_slots(store, ["gpu"], ONE)


def test_limits_of_tags_are_deleted_by_tag_and_id(store: Store) -> None:
    delete_tag_limit(store, make(store).id)
    make(store)
    delete_tag_limit_by_tag(store, "gpu")
    assert read_tag_limits(store) == []
    for what, key in ((delete_tag_limit, ONE), (read_tag_limit, ONE)):
        with pytest.raises(ObjectNotFound, match="Concurrency limit not found"):
            what(store, key)
    for each in (delete_tag_limit_by_tag, read_tag_limit_by_tag, reset_tag_limit):
        with pytest.raises(ObjectNotFound, match="Concurrency limit not found"):
            each(store, "none")
