"""Limits of tags in their older form, and leases that are given back late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from prefect.client.current import get_caller
from prefect.concurrency.context import ConcurrencyContext
from prefect.concurrency.slots import hold_slots
from prefect.concurrency.v1 import asyncio as async_limits
from prefect.concurrency.v1.sync import concurrency
from prefect.operations.tag_limits import create_tag_limit, increment_tag_slots, read_tag_limit_by_tag
from prefect.recorder.slot_leases import slot_leases
from prefect.schemas.concurrency import ConcurrencyLimitCreate
from prefect.testing import prefect_test_harness

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    with prefect_test_harness():
        get_caller().call(create_tag_limit, ConcurrencyLimitCreate(tag="gpu", concurrency_limit=1))
        yield


def held() -> list[UUID]:
    return get_caller().call(read_tag_limit_by_tag, "gpu").active_slots


def test_a_task_run_holds_slots_by_its_id() -> None:
    with concurrency(["gpu", "free"], ONE):
        assert held() == [ONE]
    with concurrency("free", ONE), concurrency([], ONE):
        assert held() == []


def test_others_wait() -> None:
    get_caller().call(increment_tag_slots, ["gpu"], TWO)
    with pytest.raises(TimeoutError), concurrency("gpu", ONE, timeout_seconds=0.01):
        pass
    assert held() == [TWO]


def test_async_code_has_the_same() -> None:
    async def main() -> None:
        async with async_limits.concurrency(["gpu"], ONE):
            assert held() == [ONE]
        assert held() == []

    asyncio.run(main())


def test_a_context_gives_back_what_was_left() -> None:
    with ConcurrencyContext() as context:
        assert ConcurrencyContext.get() is context
        lease = hold_slots("tag:gpu", 1, lease_duration=60, strict=True)
        assert lease is not None
        slot_leases.drop(lease)
        context.cleanup_lease_ids.append(lease.lease_id)
        with pytest.raises(TimeoutError), concurrency("gpu", ONE, timeout_seconds=0):
            pass
    assert ConcurrencyContext.get() is None
    with concurrency("gpu", ONE, timeout_seconds=0):
        assert held() == [ONE]
