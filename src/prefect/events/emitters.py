"""Clients that tell events, in the form that asynchronous code uses: `async with`, then `emit`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.events.schemas.events import Event
from prefect.operations.events import record_events

__all__ = [
    "AssertingEventsClient",
    "EventsClient",
    "NullEventsClient",
    "PrefectEventsClient",
    "get_events_client",
]


class EventsClient:
    """Base of the clients that tell events. They do so inside of `async with`."""

    def __init__(self) -> None:
        self._is_open = False

    @property
    def client_name(self) -> str:
        """What it is called."""
        return type(self).__name__

    async def emit(self, event: Event) -> None:
        """Tell an event.

        Args:
            event: The event.

        Raises:
            TypeError: This is not inside of `async with`.
            prefect.exceptions.PrefectException: The server or the store does not take it.
        """
        if not self._is_open:
            raise TypeError("Events may only be emitted while this client is being used as a context manager")
        await self._emit([event])

    async def _emit(self, events: Sequence[Event]) -> None:
        raise NotImplementedError(f"{self.client_name} must define `_emit`.")

    async def __aenter__(self) -> Self:
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False


class NullEventsClient(EventsClient):
    """Tells nobody."""

    async def _emit(self, events: Sequence[Event]) -> None:
        """Do nothing."""


class PrefectEventsClient(EventsClient):
    """Tells a server, or the store of this machine. An event is kept when `emit` returns.

    Args:
        api_url: The server; None: what the settings name, or the store of this machine.
        reconnection_attempts: Accepted for the interface's sake: requests are sent again as the settings say.
        checkpoint_every: Accepted for the interface's sake: each event is confirmed.
        checkpoint_interval: Accepted for the interface's sake.
    """

    def __init__(
        self,
        api_url: str | None = None,
        reconnection_attempts: int = 10,
        checkpoint_every: int = 700,
        checkpoint_interval: float = 30.0,
    ) -> None:
        super().__init__()
        self._url = api_url

    def _caller(self) -> Caller:
        if self._url is None:
            return get_caller()
        from prefect.client.http import get_http_client  # noqa: PLC0415 - only where a server is used

        return get_http_client(self._url)

    async def _emit(self, events: Sequence[Event]) -> None:
        await asyncio.to_thread(lambda: self._caller().call(record_events, events))


class AssertingEventsClient(EventsClient):
    """Remembers what was told, for tests: `events`, and `AssertingEventsClient.last` and `.all`."""

    all: ClassVar[list[AssertingEventsClient]] = []
    last: ClassVar[AssertingEventsClient | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.args, self.kwargs = args, kwargs
        self.events: list[Event] = []
        AssertingEventsClient.last = self
        AssertingEventsClient.all.append(self)

    @classmethod
    def reset(cls) -> None:
        """Forget all clients."""
        cls.all.clear()
        cls.last = None

    def pop_events(self) -> list[Event]:
        """Return what was told, and forget it."""
        told, self.events = self.events, []
        return told

    async def _emit(self, events: Sequence[Event]) -> None:
        self.events.extend(events)


def get_events_client(
    reconnection_attempts: int = 10, checkpoint_every: int = 700, checkpoint_interval: float = 30.0
) -> EventsClient:
    """Return a client that tells the server that the settings name, or the store of this machine.

    Args:
        reconnection_attempts: Accepted for the interface's sake.
        checkpoint_every: Accepted for the interface's sake.
        checkpoint_interval: Accepted for the interface's sake.
    """
    return PrefectEventsClient(None, reconnection_attempts, checkpoint_every, checkpoint_interval)
