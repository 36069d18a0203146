"""A feed: what is written to the store, by any process, is handed to the subscribers of this one.

There is one reader for all subscribers, which looks while there are any. It looks at once after something
was written here, and else from time to time, for what others write, but where the database says at next to no
cost that nothing was written. A subscriber that does not keep up is let go, so that what waits for it never
grows without end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from prefect.exceptions import ServerBusy, StoreError
from prefect.schemas.base import encode_json
from prefect.server.workroom import Workroom
from prefect.store.base import Store
from prefect.store.watching import StoreWatch

__all__ = ["Feed", "Subscriber", "Tail", "Told"]

logger = logging.getLogger("prefect.server")

LOOK_SECONDS = 0.25
"""How often the store is looked at for what other processes write."""
REST_SECONDS = 0.02
"""How long to rest after each look, so that many writes make one."""
PAUSE_SECONDS = 1.0
"""How long to wait for a store that cannot be read."""
MOST_WAITING = 5000
"""How many things may wait for one subscriber."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Tail(Protocol[T_co]):
    """Reads what was written since it last looked."""

    def start(self) -> None:
        """Begin after what is there now."""

    def read(self) -> Sequence[T_co]:
        """Return what has come."""


class Told(Generic[T]):
    """Something for subscribers; it is written as text once, for all of them."""

    __slots__ = ("_text", "one")

    def __init__(self, one: T) -> None:
        self.one = one
        self._text: str | None = None

    @property
    def text(self) -> str:
        """Its JSON."""
        if self._text is None:
            self._text = encode_json(self.one).decode()
        return self._text


class Subscriber(Generic[T]):
    """One who wants to be told.

    Args:
        wants: What it wants to be told.
    """

    __slots__ = ("is_late", "waiting", "wants")

    def __init__(self, wants: Callable[[T], bool]) -> None:
        self.wants = wants
        self.waiting: asyncio.Queue[Told[T]] = asyncio.Queue(MOST_WAITING + 1)
        self.is_late = False
        """Whether more came than may wait; then nothing more does."""

    def tell(self, told: Told[T]) -> None:
        """Let it know, if it wants to; what it cannot take any more makes it late."""
        if not self.is_late and self.wants(told.one):
            self.is_late = self.waiting.qsize() >= MOST_WAITING
            self.waiting.put_nowait(told)


class Feed(Generic[T]):
    """Hands on what is written.

    Args:
        workroom: Where the store is read.
        store: The store.
        tail: Reads it.
    """

    __slots__ = ("_lock", "_store", "_subscribers", "_tail", "_task", "_watch", "_woken", "_workroom")

    def __init__(self, workroom: Workroom, store: Store, tail: Tail[T]) -> None:
        self._workroom = workroom
        self._store = store
        self._watch: StoreWatch | None = None
        self._tail = tail
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._subscribers: set[Subscriber[T]] = set()
        self._task: asyncio.Task[None] | None = None

    async def join(self, subscriber: Subscriber[T], then: Callable[[], None] = lambda: None) -> None:
        """Tell somebody from now on what is written.

        Args:
            subscriber: Who.
            then: Is called when it is certain what comes from now on.
        """
        async with self._lock:
            if not self._subscribers:
                await self._workroom.run(self._tail.start)
                # Not before: there may have been no database yet.
                self._watch = self._watch or StoreWatch(self._store)
            self._subscribers.add(subscriber)
            then()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())

    def leave(self, subscriber: Subscriber[T]) -> None:
        """Tell somebody nothing more."""
        self._subscribers.discard(subscriber)

    def wake(self) -> None:
        """Look at once: something was written."""
        if self._subscribers:
            self._woken.set()

    async def close(self) -> None:
        """End."""
        self._subscribers.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._watch is not None:
            self._watch.close()

    async def _look_on(self) -> None:
        while self._subscribers:
            try:
                async with self._lock:
                    found = await self._workroom.run(self._tail.read)
                    for one in found:
                        told = Told(one)
                        for subscriber in self._subscribers:
                            subscriber.tell(told)
            except (StoreError, ServerBusy) as error:
                logger.warning("Subscribers wait: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            await asyncio.sleep(REST_SECONDS)
            if not found:
                await self._until_written()
            self._woken.clear()

    async def _until_written(self) -> None:
        """Wait until something was written, or may have been."""
        while self._subscribers:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
                return
            if self._watch is None or not self._watch.is_able or self._watch.has_changed():
                return
