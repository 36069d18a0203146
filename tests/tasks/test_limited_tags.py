"""Tasks whose tags are limited."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from prefect import flow, task
from prefect.client.current import get_caller
from prefect.client.local import LocalClient
from prefect.engine import tag_limits
from prefect.operations.tag_limits import create_tag_limit, read_tag_limit_by_tag
from prefect.schemas.concurrency import ConcurrencyLimitCreate
from prefect.testing import prefect_test_harness


@pytest.fixture(autouse=True)
def harness() -> Iterator[None]:
    tag_limits._unlimited.clear()
    with prefect_test_harness():
        yield


def limit(tag: str, number: int) -> None:
    get_caller().call(create_tag_limit, ConcurrencyLimitCreate(tag=tag, concurrency_limit=number))


def held(tag: str) -> int:
    return len(get_caller().call(read_tag_limit_by_tag, tag).active_slots)


def test_no_more_tasks_run_at_once_than_their_tag_lets() -> None:
    limit("db", 2)
    lock, inside, most = threading.Lock(), 0, 0

    @task(tags=["db", "free"])
    def work(_number: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        seen = held("db")
        with lock:
            inside -= 1
        return seen

    @flow
    def main() -> list[int]:
        return work.map(range(6)).result()

    assert all(1 <= seen <= 2 for seen in main())
    assert most <= 2
    assert held("db") == 0


def test_failed_tasks_give_their_slots_back_and_take_them_again() -> None:
    limit("db", 1)
    seen: list[int] = []

    @task(tags=["db"], retries=1)
    def work() -> None:
        seen.append(held("db"))
        raise ValueError

    @flow
    def main() -> str | None:
        return work(return_state=True).name

    assert main() == "Failed"
    assert seen == [1, 1]
    assert held("db") == 0


def test_a_tag_of_which_none_may_run_fails_the_task() -> None:
    limit("off", 0)

    @task(tags=["off"])
    def work() -> None:
        raise AssertionError("it must not run")

    @flow
    def main() -> str | None:
        return work(return_state=True).message

    assert "Slots requested is greater than the limit" in str(main())


def test_tags_without_a_limit_are_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    call = LocalClient.call

    def count(self: LocalClient, operation: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(operation.__name__)
        return call(self, operation, *args, **kwargs)

    monkeypatch.setattr(LocalClient, "call", count)

    @task(tags=["free"])
    def tagged() -> None:
        pass

    @task
    def plain() -> None:
        pass

    @flow
    def main() -> None:
        for _ in range(20):
            tagged()
            plain()

    main()
    assert asked.count("increment_slots_with_lease") == 1
    assert "decrement_slots_with_lease" not in asked
