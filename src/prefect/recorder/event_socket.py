"""The socket by which this process tells a server of events: `/events/in`.

The interface acknowledges nothing here. So after each batch a ping is sent, whose answer says that the server
has read what came before. A server that is killed may have read events and not written them yet: the newest
are kept, and sent again on the next connection. Events have ids, so one that comes twice changes nothing.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

from websockets.exceptions import WebSocketException

from prefect.client.sockets import SocketRefused, open_socket
from prefect.exceptions import ServerUnreachable

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from prefect.client.options import ClientOptions

__all__ = ["EventSocket", "SocketRefused"]

CONFIRM = 30.0
"""Seconds that the answer to a ping may take."""
REMEMBERED = 2_000
"""How many events are sent again on a new connection."""
AT_ONCE = 500
"""How many events are sent between two pings."""


class EventSocket:
    """A connection to a server's `/events/in`, opened when needed. One thread at a time may use it.

    Args:
        options: How to reach the server.
    """

    __slots__ = ("_connection", "_options", "_pid", "_recent", "_stack")

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._connection: ClientConnection | None = None
        self._stack = ExitStack()
        """Ends the connection."""
        self._recent: deque[str] = deque(maxlen=REMEMBERED)
        self._pid = os.getpid()

    def send(self, events: Sequence[str]) -> None:
        """Send events, and wait until the server has read them.

        Args:
            events: The events, as JSON.

        Raises:
            SocketRefused: No socket can be opened, though the server answers.
            prefect.exceptions.ServerUnreachable: The server is away, or went away meanwhile.
        """
        was_open = self._is_open()
        try:
            self._send(events)
        except ServerUnreachable:
            if not was_open:
                raise
            # Lost since it was last used, perhaps only that: a server that restarted is there again.
            self._send(events)
        self._recent.extend(events)

    def _send(self, events: Sequence[str]) -> None:
        again: list[str] = []
        if not self._is_open():
            self._abandon()
            self._connection = self._connect()
            again = list(self._recent)
        connection = self._connection
        assert connection is not None
        try:
            unconfirmed = 0
            for event in chain(again, events):
                connection.send(event)
                unconfirmed += 1
                if unconfirmed == AT_ONCE:
                    self._confirm(connection)
                    unconfirmed = 0
            self._confirm(connection)
        except (WebSocketException, OSError) as error:
            self._abandon()
            raise ServerUnreachable(f"{self._options.url} went away: {error}.") from error
        except BaseException:
            # Interrupted in the middle of a frame, perhaps: what follows needs a connection of its own.
            self._abandon()
            raise

    def finish(self) -> None:
        """End the connection; if it was lost since the last events were sent, send those again before.

        Raises:
            SocketRefused: As for `send`.
            prefect.exceptions.ServerUnreachable: As for `send`.
        """
        if not self._is_open() and self._recent:
            self.send(())
        self._recent.clear()
        self._abandon()

    @property
    def recent(self) -> tuple[str, ...]:
        """The newest events that were sent."""
        return tuple(self._recent)

    @property
    def has_been_used(self) -> bool:
        """Whether there was ever a connection."""
        return self._connection is not None or bool(self._recent)

    def take_recent(self) -> list[str]:
        """Return the newest events that were sent, which a server that has gone away may have lost."""
        taken = list(self._recent)
        self._recent.clear()
        return taken

    def _is_open(self) -> bool:
        if self._pid != os.getpid():
            # In a forked child the connection, and what was sent by it, are the parent's.
            self._pid, self._connection, self._stack = os.getpid(), None, ExitStack()
            self._recent.clear()
        connection = self._connection
        return connection is not None and connection.state.name == "OPEN"

    def _connect(self) -> ClientConnection:
        return self._stack.enter_context(open_socket(self._options, "/events/in"))

    def _confirm(self, connection: ClientConnection) -> None:
        if not connection.ping(ack_on_close=True).wait(CONFIRM) or connection.state.name != "OPEN":
            raise ConnectionError("the events that were sent are not confirmed")

    def _abandon(self) -> None:
        self._connection = None
        self._stack.close()
