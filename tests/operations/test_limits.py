"""Limits: what is taken, what is refused, and what comes back by itself."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from prefect.exceptions import (
    ConcurrencyLimitReached,
    LeaseLost,
    ObjectAlreadyExists,
    ObjectNotFound,
    RequestRefused,
)
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
from prefect.schemas.concurrency import (
    ConcurrencyLeaseHolder,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.tables import concurrency_leases, concurrency_limits
from prefect.types import format_utc, now


def make_limit(store: Store, name: str = "db", limit: int = 2, **values: Any) -> UUID:
    return create_global_limit(store, GlobalConcurrencyLimitCreate(name=name, limit=limit, **values)).id


def active(store: Store, name: str = "db") -> int:
    return read_global_limit(store, name).active_slots


def take(store: Store, *names: str, slots: int = 1, **values: Any) -> UUID:
    return increment_slots_with_lease(store, slots=slots, names=list(names or ["db"]), **values).lease_id


def expire(store: Store, lease_id: UUID) -> None:
    change = update(concurrency_leases).where(concurrency_leases.c.id == lease_id.hex)
    with store.transaction() as connection:
        connection.execute(change.values(expires=format_utc(now() - timedelta(seconds=1))))


def test_slots_are_held_until_they_are_given_back(store: Store) -> None:
    make_limit(store, limit=2)
    first = take(store)
    take(store)
    assert active(store) == 2
    with pytest.raises(ConcurrencyLimitReached) as refused:
        take(store)
    assert str(refused.value) == "Locked"
    assert 0 < refused.value.retry_after <= 30
    decrement_slots_with_lease(store, first)
    assert active(store) == 1
    decrement_slots_with_lease(store, first)
    assert active(store) == 1
    take(store)


def test_of_several_limits_all_slots_are_taken_or_none(store: Store) -> None:
    make_limit(store, "a", 1)
    make_limit(store, "b", 1)
    take(store, "b")
    with pytest.raises(ConcurrencyLimitReached):
        take(store, "a", "b")
    assert (active(store, "a"), active(store, "b")) == (0, 1)


def test_a_lease_that_is_not_renewed_holds_nothing(store: Store) -> None:
    make_limit(store, limit=1)
    lost = take(store)
    renew_lease(store, lost)
    expire(store, lost)
    assert active(store) == 0
    with pytest.raises(LeaseLost, match="may have expired or been revoked"):
        renew_lease(store, lost)
    take(store)
    decrement_slots_with_lease(store, lost)
    assert active(store) == 1


def test_names_that_are_no_limits_limit_nothing(store: Store) -> None:
    limit_id = make_limit(store, limit=1)
    answer = increment_slots_with_lease(store, slots=1, names=["none", "db"])
    assert [(each.id, each.name, each.limit) for each in answer.limits] == [(limit_id, "db", 1)]
    assert increment_slots_with_lease(store, slots=9, names=["none"]).limits == []
    assert increment_slots_with_lease(store, slots=9, names=[]).limits == []
    assert increment_slots(store, slots=1, names=["none"]) == []


def test_a_limit_that_is_off_gives_what_it_is_asked_for(store: Store) -> None:
    make_limit(store, limit=1, active=False)
    leases = [take(store, slots=3) for _ in range(3)]
    assert active(store) == 0
    decrement_slots_with_lease(store, leases[0])


def test_more_than_there_are_is_refused_for_good(store: Store) -> None:
    make_limit(store, limit=2)
    with pytest.raises(RequestRefused, match="Slots requested is greater than the limit"):
        take(store, slots=3)


def test_slots_of_a_rate_limit_come_back_by_themselves(store: Store) -> None:
    make_limit(store, "rate", 2, slot_decay_per_second=0.5)
    increment_slots(store, slots=2, names=["rate"], mode="rate_limit")
    with pytest.raises(ConcurrencyLimitReached) as refused:
        increment_slots(store, slots=1, names=["rate"], mode="rate_limit")
    assert 1.5 < refused.value.retry_after <= 2
    with store.transaction() as connection:
        two_seconds_ago = format_utc(now() - timedelta(seconds=2))
        connection.execute(update(concurrency_limits).values(taken_at=two_seconds_ago))
    assert active(store, "rate") == 1
    increment_slots(store, slots=1, names=["rate"], mode="rate_limit")
    assert active(store, "rate") == 2


def test_only_limits_with_decay_limit_rates(store: Store) -> None:
    make_limit(store)
    with pytest.raises(RequestRefused, match="do not have a decay configured: 'db'"):
        increment_slots(store, slots=1, names=["db"], mode="rate_limit")


def test_slots_without_a_lease_are_given_back_by_number(store: Store) -> None:
    make_limit(store)
    increment_slots(store, slots=2, names=["db"])
    assert [each.name for each in decrement_slots(store, slots=1, names=["db", "none"])] == ["db"]
    assert active(store) == 1
    decrement_slots(store, slots=5, names=["db"], occupancy_seconds=3.5)
    assert active(store) == 0


def test_limits_are_read_by_name_and_id_and_listed_by_name(store: Store) -> None:
    one = make_limit(store, "b", active_slots=1)
    make_limit(store, "a", slot_decay_per_second=0.25)
    assert read_global_limit(store, str(one)).name == "b"
    assert read_global_limit(store, "a").slot_decay_per_second == 0.25
    assert [each.name for each in read_global_limits(store)] == ["a", "b"]
    assert [each.active_slots for each in read_global_limits(store, limit=1, offset=1)] == [1]


def test_a_name_is_given_once(store: Store) -> None:
    make_limit(store, "a")
    make_limit(store, "b")
    with pytest.raises(ObjectAlreadyExists, match="'a'"):
        make_limit(store, "a")
    with pytest.raises(ObjectAlreadyExists, match="'a'"):
        update_global_limit(store, "b", GlobalConcurrencyLimitUpdate(name="a"))


def test_what_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(ObjectNotFound, match="Concurrency Limit not found"):
        read_global_limit(store, "none")
    with pytest.raises(ObjectNotFound):
        update_global_limit(store, "none", GlobalConcurrencyLimitUpdate(limit=1))
    with pytest.raises(ObjectNotFound):
        delete_global_limit(store, "none")


def test_a_limit_can_be_changed_while_slots_are_held(store: Store) -> None:
    make_limit(store, limit=1)
    held = take(store)
    update_global_limit(store, "db", GlobalConcurrencyLimitUpdate(limit=3, active_slots=2))
    assert active(store) == 2
    decrement_slots_with_lease(store, held)
    assert active(store) == 1
    take(store)
    update_global_limit(store, "db", GlobalConcurrencyLimitUpdate(active_slots=0))
    assert active(store) == 0
    delete_global_limit(store, "db")
    assert read_global_limits(store) == []


def test_who_holds_a_lease_is_kept(store: Store) -> None:
    from prefect.store.limits import holders

    limit_id, run_id = make_limit(store), UUID(int=7)
    take(store, slots=2, holder=ConcurrencyLeaseHolder(type="task_run", id=run_id))
    assert holders(store, [limit_id], now()) == {limit_id: [run_id, run_id]}


def test_limits_hold_between_processes(store: Store, tmp_path: Path) -> None:
    make_limit(store, "a", 2)
    make_limit(store, "b", 2)
    marks = tmp_path / "marks"
    marks.mkdir()
    words = [sys.executable, str(Path(__file__).with_name("holders.py")), store.url, str(marks), "5", "2"]
    processes = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert (active(store, "a"), active(store, "b")) == (0, 0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take both", "release", "expire", "renew", "sweep"]),
        st.integers(1, 3),
        st.integers(0, 9),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_counted_is_what_live_leases_hold(steps: list[tuple[str, int, int]]) -> None:
    store = make_store("sqlite:///:memory:")
    limit = 4
    make_limit(store, "a", limit)
    make_limit(store, "b", limit)
    live: dict[UUID, tuple[tuple[str, ...], int]] = {}
    lost: list[UUID] = []
    for what, slots, which in steps:
        chosen = list(live)[which % len(live)] if live else None
        if what.startswith("take"):
            names = ("a", "b") if what == "take both" else (("a", "b")[which % 2],)
            fits = all(sum(n for held, n in live.values() if name in held) + slots <= limit for name in names)
            if fits:
                live[take(store, *names, slots=slots)] = (names, slots)
            else:
                with pytest.raises(ConcurrencyLimitReached):
                    take(store, *names, slots=slots)
        elif what == "sweep":
            with store.transaction() as connection:
                connection.execute(
                    delete(concurrency_leases).where(concurrency_leases.c.expires < format_utc(now()))
                )
        elif chosen is not None and what == "release":
            del live[chosen]
            decrement_slots_with_lease(store, chosen)
        elif chosen is not None and what == "expire":
            del live[chosen]
            lost.append(chosen)
            expire(store, chosen)
        elif chosen is not None:
            renew_lease(store, chosen)
        for name in ("a", "b"):
            assert active(store, name) == sum(n for held, n in live.values() if name in held)
    for each in lost:
        with pytest.raises(LeaseLost):
            renew_lease(store, each)
    store.close()
