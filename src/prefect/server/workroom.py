"""Where operations are carried out: a few threads, and a queue that does not grow without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, TypeVar

from prefect.exceptions import ServerBusy

__all__ = ["Workroom"]

P = ParamSpec("P")
R = TypeVar("R")


class Workroom:
    """Calls functions in threads, so many at a time.

    Args:
        threads: How many are called at once.
        waiting: How many more may wait for that; further ones are refused.
        writes_alone: Whether what writes is called one after the other, in a thread of its own. A database
            that takes one writer at a time has no more use for several, which would only wake each other.
    """

    __slots__ = ("_busy", "_most", "_pool", "_writers")

    def __init__(self, threads: int = 8, waiting: int = 500, *, writes_alone: bool = False) -> None:
        # The settings that apply where the server is made apply in its threads too.
        context = (tuple(copy_context().items()),)
        self._pool = ThreadPoolExecutor(threads, "prefect-server", _adopt, context)
        self._writers = (
            ThreadPoolExecutor(1, "prefect-server-writer", _adopt, context) if writes_alone else self._pool
        )
        self._most = threads + waiting
        self._busy = 0

    @property
    def busy(self) -> int:
        """How many calls run or wait."""
        return self._busy

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in a thread and return what it returns.

        Raises:
            prefect.exceptions.ServerBusy: Too many are waiting.
        """
        return await self._run(self._pool, function, *args, **kwargs)

    async def write(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function that writes to the store, and return what it returns.

        Raises:
            prefect.exceptions.ServerBusy: Too many are waiting.
        """
        return await self._run(self._writers, function, *args, **kwargs)

    async def _run(
        self, pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        if self._busy >= self._most:
            raise ServerBusy(f"More than {self._most} requests are under way.")
        self._busy += 1
        try:
            return await asyncio.wrap_future(pool.submit(function, *args, **kwargs))
        finally:
            self._busy -= 1

    def close(self) -> None:
        """Let go of the threads, when what they do is done."""
        self._pool.shutdown(wait=True)
        self._writers.shutdown(wait=True)


def _adopt(context: Iterable[tuple[ContextVar[Any], Any]]) -> None:
    for variable, value in context:
        variable.set(value)
