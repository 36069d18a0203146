"""Following events as they come: from a server by its socket, or in the store of this machine."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec

from prefect.client.bodies import sendable
from prefect.client.current import get_caller
from prefect.client.local import LocalClient
from prefect.events.schemas.events import ReceivedEvent
from prefect.exceptions import PrefectException, ServerUnreachable
from prefect.rules.event_filters import matches
from prefect.schemas import events as wire
from prefect.schemas.base import encode_json, whole
from prefect.schemas.filters.events import EventFilter, EventOccurredFilter
from prefect.settings import get_current_settings
from prefect.store.tails import EventTail, Mark
from prefect.types import aware, now

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["PrefectEventSubscriber", "get_events_subscriber"]

_BACK = timedelta(minutes=1)
_FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
_WAIT_SECONDS, _LOOK_SECONDS = 0.5, 0.2
_PAGE = 250
_REMEMBERED = 1000
"""Of how many events is known that they came: what a server tells again on a new connection is left out."""


class _Source(Protocol):
    def read(self) -> list[wire.ReceivedEvent]:
        """Wait a moment for events, and return them.

        Raises:
            prefect.exceptions.ServerUnreachable: The server went away.
        """

    def close(self) -> None:
        """Wait for no more."""


class PrefectEventSubscriber:
    """Gives events as they come: `async with` begins, `async for` gives one after another, without end.

    Args:
        api_url: The server; None: what the settings name, or the store of this machine.
        filter: Which events; by default all, from a minute ago on.
        reconnection_attempts: How often a server that went away is looked for again.
        reconnect_on_clean_close: Accepted for the interface's sake: a connection that a server ends is made
            again, too.
    """

    def __init__(
        self,
        api_url: str | None = None,
        filter: EventFilter | None = None,
        reconnection_attempts: int = 10,
        reconnect_on_clean_close: bool = False,
    ) -> None:
        if reconnection_attempts < 0:
            raise ValueError("'reconnection_attempts' must be 0 or more.")
        self._url = api_url
        given = filter or EventFilter(occurred=EventOccurredFilter(since=now() - _BACK))
        occurred = given.occurred
        if aware(occurred.until) <= now():  # "until now" is for listings
            occurred = msgspec.structs.replace(occurred, until=_FOR_EVER)
        self._filter = msgspec.structs.replace(given, occurred=occurred)
        self._attempts = reconnection_attempts
        self._source: _Source | None = None
        self._waiting: deque[wire.ReceivedEvent] = deque()
        self._seen: dict[Any, None] = {}

    async def __aenter__(self) -> Self:
        self._source = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        source, self._source = self._source, None
        if source is not None:
            await asyncio.to_thread(source.close)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReceivedEvent:
        """Return the next event, as soon as there is one.

        Raises:
            prefect.exceptions.ServerUnreachable: The server went away, and did not come back.
        """
        if self._source is None:
            raise PrefectException("Events come inside of `async with`.")
        while not self._waiting:
            for event in await self._read():
                if event.id not in self._seen:
                    self._seen[event.id] = None
                    self._waiting.append(event)
            while len(self._seen) > _REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return msgspec.convert(msgspec.to_builtins(self._waiting.popleft()), whole(ReceivedEvent))

    async def _read(self) -> list[wire.ReceivedEvent]:
        for attempt in range(self._attempts + 1):
            try:
                if self._source is None:
                    self._source = await asyncio.to_thread(self._open)
                return await asyncio.to_thread(self._source.read)
            except ServerUnreachable:
                source, self._source = self._source, None
                if source is not None:
                    source.close()
                if attempt == self._attempts:
                    raise
                await asyncio.sleep(min(attempt, 5.0))
        return []

    def _open(self) -> _Source:
        if self._url is None and get_current_settings().api.url is None:
            caller = get_caller()
            assert isinstance(caller, LocalClient)
            return _StoreSource(caller, self._filter)
        return _ServerSource(self._url, self._filter)


def get_events_subscriber(
    filter: EventFilter | None = None,
    reconnection_attempts: int = 10,
    reconnect_on_clean_close: bool = False,
) -> PrefectEventSubscriber:
    """Return a subscriber to the events of the server in the settings, or of the store of this machine.

    Args:
        filter: Which events; by default all, from a minute ago on.
        reconnection_attempts: How often a server that went away is looked for again.
        reconnect_on_clean_close: Accepted for the interface's sake.
    """
    return PrefectEventSubscriber(None, filter, reconnection_attempts, reconnect_on_clean_close)


class _StoreSource:
    def __init__(self, client: LocalClient, filter: EventFilter) -> None:
        self._filter = filter
        self._tail = EventTail(client.store)
        self._tail.start()
        self._mark: Mark | None = self._tail.mark
        self._after: tuple[datetime, int] | None = None

    def read(self) -> list[wire.ReceivedEvent]:
        """Return what is stored first, page by page, then what comes."""
        if self._mark is not None:
            found = self._tail.stored(self._filter, self._mark, self._after, _PAGE)
            if len(found) < _PAGE:
                self._mark = None
            else:
                self._after = (found[-1][1].occurred, found[-1][0])
            return [event for _, event in found]
        found_now = [event for event in self._tail.read() if matches(self._filter, event)]
        if not found_now:
            time.sleep(_LOOK_SECONDS)
        return found_now

    def close(self) -> None:
        """Nothing is held."""


class _ServerSource:
    def __init__(self, url: str | None, filter: EventFilter) -> None:
        from prefect.client.options import client_options  # noqa: PLC0415 - only with a server
        from prefect.client.sockets import SocketRefused, open_socket  # noqa: PLC0415 - the same

        self._stack = ExitStack()
        try:
            connection: ClientConnection = self._stack.enter_context(
                open_socket(client_options(url), "/events/out")
            )
        except SocketRefused as error:
            raise PrefectException(f"Events come by a socket. {error}") from error
        connection.send(f'{{"type":"filter","filter":{encode_json(sendable(filter)).decode()}}}')
        self._connection = connection

    def read(self) -> list[wire.ReceivedEvent]:
        """Wait a moment for a message."""
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - only with a server

        try:
            text = self._connection.recv(timeout=_WAIT_SECONDS)
        except TimeoutError:
            return []
        except (WebSocketException, OSError, EOFError) as error:
            raise ServerUnreachable(f"The server of events went away: {error}.") from error
        message = msgspec.json.decode(text, type=whole(_Message))
        return [] if message.event is None else [message.event]

    def close(self) -> None:
        """End the connection."""
        self._stack.close()


class _Message(msgspec.Struct):
    event: wire.ReceivedEvent | None = None
