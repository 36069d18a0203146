"""The sockets that clients are told by what happens: `/events/out` and `/logs/out`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from prefect.exceptions import ServerBusy, StoreError
from prefect.rules.event_filters import matches
from prefect.rules.log_filters import log_matches
from prefect.schemas.base import whole
from prefect.schemas.events import ReceivedEvent
from prefect.schemas.filters import LogFilter
from prefect.schemas.filters.events import EventFilter
from prefect.schemas.objects import Log
from prefect.server.feed import MOST_WAITING, Feed, Subscriber, Told
from prefect.server.scheduled_task_runs import Bell, scheduled_task_runs
from prefect.server.sockets import ServeSocket, Socket
from prefect.server.workroom import Workroom
from prefect.settings import get_current_settings
from prefect.settings.server_table import ServerEventsSettings
from prefect.store.base import Store
from prefect.store.tails import EventTail, LogTail, Mark
from prefect.types import aware, now

__all__ = ["Subscriptions", "events_out", "logs_out"]

logger = logging.getLogger("prefect.server")

UNEXPECTED, MALFORMED, UNAVAILABLE = 1002, 1007, 1013

Serve = Callable[[Socket, Mapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
_decode_message = msgspec.json.Decoder(dict[str, Any]).decode


class Subscriptions:
    """What clients are told of, and the sockets they are told by.

    Args:
        store: Where it is written.
        room: Where the store is read.
    """

    __slots__ = ("_bell", "_events", "_logs", "_room", "_store", "_tail")

    def __init__(self, store: Store, room: Workroom) -> None:
        self._store = store
        self._room = room
        self._bell = Bell()
        self._tail = EventTail(store)
        self._events: Feed[ReceivedEvent] = Feed(room, store, self._tail)
        self._logs: Feed[Log] = Feed(room, store, LogTail(store))

    def wake(self) -> None:
        """Tell at once what was written just now."""
        self._events.wake()
        self._logs.wake()
        self._bell.ring()

    async def close(self) -> None:
        """Tell nothing more."""
        await self._events.close()
        await self._logs.close()

    def sockets(self) -> dict[str, ServeSocket]:
        """Return what serves the sockets, by their paths."""
        return {
            "/events/out": events_out(self._events, self._tail, self._room),
            "/logs/out": logs_out(self._logs),
            "/task_runs/subscriptions/scheduled": scheduled_task_runs(self._store, self._room, self._bell),
        }


def events_out(feed: Feed[ReceivedEvent], tail: EventTail, room: Workroom) -> ServeSocket:
    """Return what serves the socket that tells events.

    Args:
        feed: Where new events come from.
        tail: What the feed reads.
        room: Where the store is read for events that happened before.
    """
    settings = get_current_settings().server.events

    async def read(*arguments: Any) -> list[tuple[int, ReceivedEvent]]:
        return await room.run(tail.stored, *arguments)

    async def serve(socket: Socket, asked: Mapping[str, Any]) -> None:
        filter = _event_filter(asked["filter"])
        subscriber: Subscriber[ReceivedEvent] = Subscriber(lambda event: matches(filter, event))
        marks: list[Mark] = []
        try:
            await feed.join(subscriber, lambda: marks.append(tail.mark))
            if asked.get("backfill", True):
                await _tell_stored(socket, read, filter, marks[0], settings)
            await _tell_on(socket, subscriber, "event")
        finally:
            feed.leave(subscriber)

    return _server(serve, settings.stream_out_enabled)


def logs_out(feed: Feed[Log]) -> ServeSocket:
    """Return what serves the socket that tells log records.

    Args:
        feed: Where they come from.
    """

    async def serve(socket: Socket, asked: Mapping[str, Any]) -> None:
        filter = msgspec.convert(asked["filter"], whole(LogFilter), strict=False)
        subscriber: Subscriber[Log] = Subscriber(lambda log: log_matches(filter, log))
        try:
            await feed.join(subscriber)
            await _tell_on(socket, subscriber, "log")
        finally:
            feed.leave(subscriber)

    settings = get_current_settings().server.logs
    return _server(serve, settings.stream_out_enabled and settings.stream_publishing_enabled)


def _event_filter(given: Any) -> EventFilter:
    filter = msgspec.convert(given, whole(EventFilter), strict=False)
    if "until" not in (given.get("occurred") or {}):
        # "Until now" is for listings.
        filter.occurred.until = _END_OF_TIME
    return filter


def _server(serve: Serve, is_enabled: bool) -> ServeSocket:
    async def serve_asked(socket: Socket) -> None:
        try:
            asked = await _asked(socket)
            if asked is None:
                await socket.close(UNEXPECTED, "Expected 'filter' message")
                return
            gone = asyncio.ensure_future(_until_gone(socket))
            try:
                if is_enabled:
                    await _either(serve(socket, asked), gone)
                else:
                    # As the interface has it: who subscribes to what is not told is not told.
                    await gone
            finally:
                gone.cancel()
        except (msgspec.ValidationError, OverflowError) as error:
            await socket.close(MALFORMED, str(error))
        except (StoreError, ServerBusy) as error:
            logger.warning("A subscriber is disconnected: %s", error)
            await socket.close(UNAVAILABLE, "Service Unavailable")

    return serve_asked


async def _asked(socket: Socket) -> Mapping[str, Any] | None:
    try:
        asked = _decode_message(await socket.receive())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return asked if asked.get("type") == "filter" and isinstance(asked.get("filter"), dict) else None


async def _until_gone(socket: Socket) -> None:
    while True:
        await socket.receive()


async def _either(serving: Any, gone: asyncio.Future[None]) -> None:
    """Serve until that ends or the client goes away."""
    task = asyncio.ensure_future(serving)
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        (task if task.done() else gone).result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _tell_stored(
    socket: Socket, read: Any, filter: EventFilter, mark: Mark, settings: ServerEventsSettings
) -> None:
    page = settings.websocket_backfill_page_size
    since = max(aware(filter.occurred.since), now() - settings.maximum_websocket_backfill)
    occurred = msgspec.structs.replace(filter.occurred, since=since)
    asked = msgspec.structs.replace(filter, occurred=occurred)
    after: tuple[datetime, int] | None = None
    while True:
        found = await read(asked, mark, after, page)
        for position, event in found:
            # What came meanwhile comes by the feed.
            if not mark.is_behind(position):
                await socket.send(_message("event", Told(event)))
        if len(found) < page:
            return
        after = (found[-1][1].occurred, found[-1][0])


async def _tell_on(socket: Socket, subscriber: Subscriber[T], kind: str) -> None:
    while True:
        told = await subscriber.waiting.get()
        if subscriber.is_late:
            reason = f"Too slow: more than {MOST_WAITING} messages wait"
            await socket.close(UNAVAILABLE, reason)
            return
        await socket.send(_message(kind, told))


def _message(kind: str, told: Told[Any]) -> str:
    return f'{{"type":"{kind}","{kind}":{told.text}}}'
