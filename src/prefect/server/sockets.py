"""A socket: what is said between a client and this server over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from prefect.server.messages import Message, Receive, Send

__all__ = ["Disconnected", "ServeSocket", "Socket"]

_REASON_BYTES = 123
_TURN = 4
"""How many messages go out in one turn: of more that a lost connection is sent, asyncio warns."""


class Disconnected(Exception):
    """The socket is closed: nothing more comes, and nothing more is heard."""


class Socket:
    """A WebSocket, which is open until one side closes it.

    Args:
        names: What its path has in the place of names.
        receive: Gives what comes.
        send: Takes what goes.
    """

    __slots__ = ("_is_open", "_receive", "_send", "_sent", "names")

    def __init__(self, names: Mapping[str, str], receive: Receive, send: Send) -> None:
        self.names = names
        self._receive = receive
        self._send = send
        self._is_open = True
        self._sent = 0

    async def accept(self) -> None:
        """Let the client begin.

        Raises:
            Disconnected: It has gone.
        """
        await self._receive()
        await self._tell({"type": "websocket.accept", "subprotocol": None, "headers": []})

    async def receive(self) -> str:
        """Return the next text; one that is empty in place of bytes, which nobody sends here.

        Raises:
            Disconnected: There is none.
        """
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._is_open = False
            raise Disconnected
        return message.get("text") or ""

    async def send(self, text: str) -> None:
        """Send a text.

        Args:
            text: The text.

        Raises:
            Disconnected: Nobody hears it.
        """
        await self._tell({"type": "websocket.send", "text": text, "bytes": None})
        self._sent += 1
        if self._sent % _TURN == 0:
            # Only then is it seen that the client has gone, and others wait for no more than this.
            await asyncio.sleep(0)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, if it is open.

        Args:
            code: Why, as the protocol numbers it.
            reason: Why, in words; what the protocol has no room for is left out.
        """
        if self._is_open:
            self._is_open = False
            said = reason.encode(errors="replace")[:_REASON_BYTES].decode(errors="ignore")
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": code, "reason": said})

    async def _tell(self, message: Message) -> None:
        if not self._is_open:
            raise Disconnected
        try:
            await self._send(message)
        except OSError as error:
            self._is_open = False
            raise Disconnected from error


ServeSocket = Callable[[Socket], Awaitable[None]]
