"""The inbox of events: sockets fill it, one task empties it into the store, many events at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prefect.exceptions import ServerBusy, StoreConflict, StoreError
from prefect.schemas.events import Event
from prefect.server.workroom import Workroom

__all__ = ["Inbox"]

logger = logging.getLogger("prefect.server")

AT_ONCE = 500
"""How many events one transaction takes."""
MOST_WAITING = 2000
"""How many events wait at most; then sockets are read no further, which slows their clients down."""
LAST_SECONDS = 30.0
"""How long the store may take for what waits when the server stops."""
PAUSE_SECONDS = 1.0
"""How long to wait for a store that cannot be written."""

Record = Callable[[Sequence[Event]], None]
Refuse = Callable[[str], None]
"""Tells who sent an event why it is not kept."""


class _Sent(NamedTuple):
    event: Event
    refuse: Refuse


class Inbox:
    """Events on their way to the store, in the order in which they came.

    Args:
        workroom: Where they are written.
        record: Writes events.
        written: Is told whenever some were written.
    """

    __slots__ = ("_record", "_task", "_tell", "_waiting", "_workroom", "received", "refused", "written")

    def __init__(
        self, workroom: Workroom, record: Record, written: Callable[[], None] = lambda: None
    ) -> None:
        self._tell = written
        self.received = self.written = self.refused = 0
        self._workroom = workroom
        self._record = record
        self._waiting: asyncio.Queue[_Sent] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return self._waiting.qsize()

    async def put(self, event: Event, refuse: Refuse) -> None:
        """Add an event; wait while too many are there.

        Args:
            event: The event.
            refuse: Is told why, should the store never take it.
        """
        self.received += 1
        await self._waiting.put(_Sent(event, refuse))

    def open(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on())

    async def close(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            try:
                await asyncio.wait_for(self._waiting.join(), LAST_SECONDS)
            except TimeoutError:
                logger.error("The store does not take %d events; they are lost.", self._waiting.qsize())
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_on(self) -> None:
        while True:
            sent = [await self._waiting.get()]
            while len(sent) < AT_ONCE and not self._waiting.empty():
                sent.append(self._waiting.get_nowait())
            await self._write(sent)
            self._tell()
            for _ in sent:
                self._waiting.task_done()

    async def _write(self, sent: Sequence[_Sent]) -> None:
        while True:
            try:
                await self._workroom.write(self._record, [each.event for each in sent])
                self.written += len(sent)
                return
            except (StoreError, ServerBusy) as error:
                if isinstance(error, StoreConflict):
                    await self._write_each(sent, error)
                    return
                logger.warning("Events wait to be written: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other events must be written
                await self._write_each(sent, error)
                return

    async def _write_each(self, sent: Sequence[_Sent], error: Exception) -> None:
        """One event that no store can take must not keep others from being written."""
        if len(sent) == 1:
            event, refuse = sent[0]
            self.refused += 1
            logger.error("The event %s (%s) is left out: %s", event.id, event.event, error)
            refuse(f"Event {event.id} cannot be kept: {error}")
            return
        for each in sent:
            await self._write([each])
