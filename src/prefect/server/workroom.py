"""Where operations are carried out: a few threads, and a queue that does not grow without end.

An executor of the standard library would make two futures for each call, with their locks, and wake the loop
for each result, which costs a tenth of what a request takes in all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, ParamSpec, TypeVar

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

    __slots__ = ("_mailbox", "_most", "_readers", "_writers")

    def __init__(self, threads: int = 8, waiting: int = 500, *, writes_alone: bool = False) -> None:
        self._readers = _Threads(threads, "prefect-server")
        self._writers = _Threads(1, "prefect-server-writer") if writes_alone else self._readers
        self._most = threads + waiting
        self._mailbox: _Mailbox | None = None

    @property
    def busy(self) -> int:
        """How many calls run or wait."""
        alone = self._writers.busy if self._writers is not self._readers else 0
        return self._readers.busy + alone

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in a thread and return what it returns.

        Raises:
            prefect.exceptions.ServerBusy: Too many are waiting, or the server stops.
        """
        return await self._run(self._readers, partial(function, *args, **kwargs))

    async def write(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function that writes to the store, and return what it returns.

        Raises:
            prefect.exceptions.ServerBusy: Too many are waiting, or the server stops.
        """
        return await self._run(self._writers, partial(function, *args, **kwargs))

    async def _run(self, threads: _Threads, function: Callable[[], R]) -> R:
        if self.busy >= self._most:
            raise ServerBusy(f"More than {self._most} requests are under way.")
        loop = asyncio.get_running_loop()
        if self._mailbox is None or self._mailbox.loop is not loop:
            self._mailbox = _Mailbox(loop)
        future: asyncio.Future[R] = loop.create_future()
        threads.take(_Call(function, future, self._mailbox))
        try:
            return await future
        finally:
            threads.busy -= 1

    def close(self) -> None:
        """Let go of the threads, when what they do is done."""
        self._readers.close()
        self._writers.close()


class _Threads:
    """Threads that are started when there is a call for one more, up to so many.

    All but `_work` is for the thread of the loop alone, and so needs no lock.
    """

    __slots__ = ("_calls", "_context", "_is_closed", "_most", "_name", "_started", "busy")

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        # The settings that apply where the server is made apply in its threads too.
        self._context = copy_context()
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._started: list[Thread] = []
        self._is_closed = False
        self.busy = 0
        """How many calls run or wait."""

    def take(self, call: _Call) -> None:
        """Have a thread carry out a call; whoever asks for it counts down `busy` when it is done."""
        if self._is_closed:
            raise ServerBusy("The server stops.")
        if self.busy >= len(self._started) < self._most:
            self._start()
        self.busy += 1
        self._calls.put(call)

    def _start(self) -> None:
        name, run = f"{self._name}_{len(self._started)}", self._context.copy().run
        # A server that was never opened is never closed either, and must not keep its process.
        thread = Thread(target=run, args=(self._work,), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The machine has no more of them for now; those that are here take longer.
            if not self._started:
                raise ServerBusy("No thread can be started.") from error
        else:
            self._started.append(thread)

    def close(self) -> None:
        self._is_closed = True
        for _ in self._started:
            self._calls.put(None)
        while self._started:
            self._started.pop().join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if call.future.cancelled():
                continue
            result: Any = None
            error: BaseException | None = None
            try:
                result = call.function()
            except BaseException as raised:  # noqa: BLE001 - whoever waits for the result gets it
                error = raised
                if isinstance(raised, StopIteration):  # which no future takes
                    error = RuntimeError(f"{call.function} raised StopIteration")
                    error.__cause__ = raised
            call.mailbox.put(call.future, result, error)
            # Nothing is kept while the thread waits for the next.
            del call, result, error


class _Mailbox:
    """Results on their way to the loop, which is woken once for all that have come by then."""

    __slots__ = ("_is_told", "_results", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_told = False

    def put(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Send a result (from any thread)."""
        self._results.append((future, result, error))
        # Only after the result is there: a loop that has cleared this sees it.
        if not self._is_told and not self.loop.is_closed():
            self._is_told = True
            self.loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._is_told = False
        while self._results:
            future, result, error = self._results.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


class _Call(NamedTuple):
    function: Callable[[], Any]
    future: asyncio.Future[Any]
    mailbox: _Mailbox
