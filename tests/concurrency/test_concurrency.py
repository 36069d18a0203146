"""Limits as users' code meets them: over the store here, and over a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prefect import flow, task
from prefect.client.current import get_caller
from prefect.concurrency import asyncio as async_limits
from prefect.concurrency import sync as limits
from prefect.concurrency.slots import give_back, hold_slots
from prefect.exceptions import ConcurrencyLimitReached
from prefect.operations.concurrency import (
    create_global_limit,
    read_global_limit,
    update_global_limit,
)
from prefect.operations.tag_limits import read_tag_limit_by_tag
from prefect.recorder.slot_leases import SlotLease, SlotLeases, slot_leases
from prefect.schemas.concurrency import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.testing import prefect_test_harness

Make = Callable[..., None]


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    with prefect_test_harness():
        yield


def make(name: str, limit: int = 1, **values: Any) -> None:
    get_caller().call(create_global_limit, GlobalConcurrencyLimitCreate(name=name, limit=limit, **values))


def taken(name: str) -> int:
    return get_caller().call(read_global_limit, name).active_slots


def test_slots_are_held_while_the_block_runs() -> None:
    make("db", 3)
    with limits.concurrency("db", occupy=2):
        assert taken("db") == 2
    assert taken("db") == 0


def test_slots_come_back_after_an_error() -> None:
    make("db")
    with pytest.raises(ValueError, match="mine"), limits.concurrency(["db"]):
        raise ValueError("mine")
    assert taken("db") == 0


def test_who_finds_none_free_waits_for_one() -> None:
    make("db")
    order, held = [], threading.Event()

    def first() -> None:
        with limits.concurrency("db"):
            held.set()
            order.append("first")
            released.wait(50)
            order.append("first is done")

    released = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(50)
    threading.Timer(0.05, released.set).start()
    with limits.concurrency("db"):
        order.append("second")
    thread.join()
    assert order == ["first", "first is done", "second"]


def test_a_time_limit_ends_the_wait() -> None:
    make("db")
    with (
        limits.concurrency("db"),
        pytest.raises(TimeoutError, match=r"timed out after 0\.01 second"),
        limits.concurrency("db", timeout_seconds=0.01),
    ):
        pass
    with (
        limits.concurrency("db"),
        pytest.raises(limits.ConcurrencySlotAcquisitionError, match="asked for 1 times"),
        limits.concurrency("db", max_retries=0),
    ):
        pass


def test_names_without_a_limit(caplog: pytest.LogCaptureFixture) -> None:
    with limits.concurrency("none"):
        pass
    assert "there is no such limit" in caplog.text
    with (
        pytest.raises(limits.ConcurrencySlotAcquisitionError, match="must be created"),
        limits.concurrency("none", strict=True),
    ):
        pass
    with limits.concurrency([]):
        pass


def test_what_can_never_be_is_said_at_once() -> None:
    make("db", 1)
    with (
        pytest.raises(limits.ConcurrencySlotAcquisitionError, match="greater than the limit"),
        limits.concurrency("db", occupy=2),
    ):
        pass
    with pytest.raises(limits.ConcurrencySlotAcquisitionError, match="decay"):
        limits.rate_limit("db")


def test_rates_are_limited() -> None:
    make("rate", 1, slot_decay_per_second=0.001)
    limits.rate_limit("rate")
    with pytest.raises(TimeoutError):
        limits.rate_limit("rate", timeout_seconds=0.01)


def test_async_code_has_the_same() -> None:
    make("db")
    make("rate", 5, slot_decay_per_second=0.001)
    most, inside = 0, 0

    async def work() -> None:
        nonlocal most, inside
        async with async_limits.concurrency("db"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def main() -> None:
        await asyncio.gather(work(), work())
        await async_limits.rate_limit("rate", occupy=5)
        with pytest.raises(TimeoutError):
            await async_limits.rate_limit("rate", timeout_seconds=0.01)

    asyncio.run(main())
    assert most == 1
    assert taken("db") == 0


def test_cancelled_async_code_leaves_no_slot_behind() -> None:
    make("db")

    async def main() -> None:
        inside = asyncio.Event()

        async def work() -> None:
            async with async_limits.concurrency("db"):
                inside.set()
                await asyncio.sleep(60)

        running = asyncio.create_task(work())
        await inside.wait()
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(main())
    assert taken("db") == 0


def test_the_run_is_said_to_hold_the_slots() -> None:
    make("tag:mine", 2)
    holders = []

    @task
    def work() -> str:
        with limits.concurrency("tag:mine"):
            holders.extend(get_caller().call(read_tag_limit_by_tag, "mine").active_slots)
        from prefect.runtime import task_run

        return str(task_run.id)

    @flow
    def main() -> str:
        return work()

    run_id = main()
    assert [str(each) for each in holders] == [run_id]


def test_leases_are_renewed_until_they_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    make("db")
    waited: list[float] = []
    lost = threading.Event()

    def wait(condition: threading.Condition, seconds: float) -> None:
        waited.append(seconds)
        for lease in list(leases._held.values()):
            lease.due_at = 0
        if len(waited) == 3:
            get_caller().call(update_global_limit, "db", GlobalConcurrencyLimitUpdate(active_slots=0))
            with store.transaction() as connection:
                from sqlalchemy import delete

                from prefect.store.tables import concurrency_leases

                connection.execute(delete(concurrency_leases))
        if len(waited) > 3:
            lost.set()

    from prefect.store import open_store

    store = open_store()
    held = hold_slots("db", 1, lease_duration=300, strict=True)
    assert held is not None
    slot_leases.drop(held)
    leases = SlotLeases(wait)
    leases.keep(held)
    thread = leases._thread
    assert thread is not None
    thread.join(50)
    assert held.is_lost
    assert len(waited) == 3
    assert all(90 < seconds <= 100 for seconds in waited)
    assert "held no more" in caplog.text
    give_back(held)


def test_a_block_whose_slots_were_lost_says_so() -> None:
    make("db")
    with (
        pytest.raises(limits.ConcurrencySlotAcquisitionError, match="were lost"),
        limits.concurrency("db", strict=True),
    ):
        (lease,) = slot_leases._held.values()
        lease.is_lost = True


def test_a_lease_is_a_promise_to_one_place() -> None:
    make("db")
    held = hold_slots("db", 1, lease_duration=60, strict=True)
    assert isinstance(held, SlotLease)
    with pytest.raises(ConcurrencyLimitReached):
        hold_slots("db", 1, lease_duration=60, strict=True)
    give_back(held)
