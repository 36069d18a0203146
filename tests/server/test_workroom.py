"""Where operations are carried out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from prefect.server.workroom import Workroom


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
