"""Where operations are carried out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar

import pytest

from prefect.exceptions import ServerBusy
from prefect.server import workroom
from prefect.server.workroom import Workroom

SAID: ContextVar[str] = ContextVar("SAID", default="nothing")


def together(room: Workroom, call: Callable[[Callable[[], str]], Awaitable[str]], count: int) -> list[str]:
    """Make calls that wait for each other, and return the threads that they were made in."""
    barrier = threading.Barrier(count)

    def meet() -> str:
        barrier.wait(20)
        return threading.current_thread().name

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(call(meet) for _ in range(count)))

    try:
        return asyncio.run(all_of_them())
    finally:
        room.close()


def test_calls_are_made_at_the_same_time() -> None:
    room = Workroom(threads=3)
    assert len(set(together(room, room.run, 3))) == 3


def test_so_are_those_that_write() -> None:
    room = Workroom(threads=3)
    assert len(set(together(room, room.write, 3))) == 3


def test_where_writes_are_alone_one_follows_the_other_and_reading_goes_on() -> None:
    room = Workroom(threads=1, writes_alone=True)
    order: list[int] = []
    is_read = threading.Event()

    def write(number: int) -> None:
        assert is_read.wait(20)
        order.append(number)

    async def all_of_them() -> None:
        writing = [asyncio.create_task(room.write(write, number)) for number in range(5)]
        await asyncio.sleep(0)
        await room.run(is_read.set)
        await asyncio.gather(*writing)

    asyncio.run(all_of_them())
    room.close()

    assert order == [0, 1, 2, 3, 4]


def test_what_is_raised_comes_back_and_the_next_is_called_all_the_same() -> None:
    room = Workroom(threads=1)

    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await room.run(lambda: 1 // 0)
        # No future takes this one.
        with pytest.raises(RuntimeError, match="StopIteration"):
            await room.run(next, iter(()))
        return await room.run(int, "3")

    assert asyncio.run(ask()) == 3
    room.close()


def test_more_than_may_wait_are_refused_and_who_goes_away_makes_room() -> None:
    room = Workroom(threads=1, waiting=1)
    goes_on, is_begun, called = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        is_begun.set()
        assert goes_on.wait(20)

    async def ask() -> None:
        running, waiting = (
            asyncio.create_task(room.run(each)) for each in (first, lambda: called.append("x"))
        )
        await asyncio.to_thread(is_begun.wait, 20)
        with pytest.raises(ServerBusy):
            await room.run(called.append, "refused")
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert room.busy == 1
        last = asyncio.create_task(room.run(called.append, "last"))
        await asyncio.sleep(0)
        goes_on.set()
        await asyncio.gather(running, last)

    asyncio.run(ask())
    assert called == ["last"]
    assert room.busy == 0
    room.close()


def test_threads_know_what_was_known_where_the_room_was_made() -> None:
    token = SAID.set("something")
    room = Workroom()
    SAID.reset(token)
    assert asyncio.run(room.run(SAID.get)) == "something"
    # A second loop takes the same threads.
    assert asyncio.run(room.run(SAID.get)) == "something"
    room.close()


def test_what_comes_after_the_end_is_refused() -> None:
    room = Workroom()
    room.close()
    with pytest.raises(ServerBusy):
        asyncio.run(room.run(int))


def test_a_machine_that_has_no_more_threads_is_busy_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    room = Workroom(threads=2)
    monkeypatch.setattr(workroom, "Thread", Refused)
    for _ in range(3):
        with pytest.raises(ServerBusy):
            asyncio.run(room.run(int))
    monkeypatch.undo()
    assert asyncio.run(room.run(int, "3")) == 3

    async def ask() -> None:
        goes_on = threading.Event()
        waiting = asyncio.create_task(room.run(goes_on.wait, 20))
        await asyncio.sleep(0)
        monkeypatch.setattr(workroom, "Thread", Refused)
        # The one that is there does it.
        next_one = asyncio.create_task(room.run(int, "4"))
        await asyncio.sleep(0)
        goes_on.set()
        assert await asyncio.gather(waiting, next_one) == [True, 4]

    asyncio.run(ask())
    assert room.busy == 0
    room.close()
