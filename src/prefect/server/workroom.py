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
    """

    __slots__ = ("_busy", "_most", "_pool")

    def __init__(self, threads: int = 8, waiting: int = 500) -> None:
        # The settings that apply where the server is made apply in its threads too.
        context = copy_context().items()
        self._pool = ThreadPoolExecutor(threads, "prefect-server", _adopt, (tuple(context),))
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
        if self._busy >= self._most:
            raise ServerBusy(f"More than {self._most} requests are under way.")
        self._busy += 1
        try:
            call = self._pool.submit(function, *args, **kwargs)
            return await asyncio.wrap_future(call)
        finally:
            self._busy -= 1

    def close(self) -> None:
        """Let go of the threads, when what they do is done."""
        self._pool.shutdown(wait=True)


def _adopt(context: Iterable[tuple[ContextVar[Any], Any]]) -> None:
    for variable, value in context:
        variable.set(value)
