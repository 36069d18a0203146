"""Waiting for something that nobody tells of: asking again and again, ever more seldom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

__all__ = ["pauses", "wait_until", "wait_until_async"]

_FIRST, _LONGEST = 0.002, 0.1


def pauses(timeout: float | None) -> Iterator[float]:
    """Give the seconds to sleep between questions, until the time is up.

    Args:
        timeout: Seconds in all; None for no end.
    """
    ends, pause = None if timeout is None else time.monotonic() + timeout, _FIRST
    while ends is None or (left := ends - time.monotonic()) > 0:
        yield pause if ends is None else min(pause, left)
        pause = min(pause * 2, _LONGEST)


def wait_until(condition: Callable[[], bool], timeout: float | None) -> bool:
    """Wait until a condition holds.

    Args:
        condition: Asked at least once.
        timeout: Seconds to wait at most; None for as long as it takes.

    Returns:
        Whether it holds.
    """
    if condition():
        return True
    for pause in pauses(timeout):
        time.sleep(pause)
        if condition():
            return True
    return False


async def wait_until_async(condition: Callable[[], bool], timeout: float | None) -> bool:  # noqa: ASYNC109 - as above
    """Wait until a condition holds; `wait_until` for async code."""
    import asyncio  # noqa: PLC0415 - 40 ms of every start; here a loop runs

    if condition():
        return True
    for pause in pauses(timeout):
        await asyncio.sleep(pause)
        if condition():
            return True
    return False
