"""What clients still send when their request is refused already.

Many send the whole of a body before they read an answer. A server that answers and closes meanwhile resets
the connection: the client is told nothing. So what comes is let in and thrown away before the answer is sent,
for as long as that is no burden.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from prefect.server.messages import Message, Receive, Send

__all__ = ["LARGE", "MOST_DRAINED", "drained", "has_large_body"]

LARGE = 65_536
"""Bytes of a body that need not have come when its request is refused."""
MOST_DRAINED = 100_000_000
"""Bytes that are thrown away; who sends more finds the connection closed."""
_SECONDS = 10.0


def has_large_body(scope: Message) -> bool:
    """Return whether a request's body may be one that is not there as a whole.

    Args:
        scope: What is known of the request.
    """
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and int(value) > LARGE):
            return True
    return False


def drained(scope: Message, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return how to receive a request and to answer it, so that the answer waits for the rest of the body.

    Args:
        scope: What is known of the request.
        receive: Gives the body, part by part.
        send: Sends the answer.
    """
    state = _Body(receive)
    # Whoever asks first whether to send the body has not begun to.
    waits = any(name == b"expect" for name, _ in scope["headers"])

    async def send_after_body(message: Message) -> None:
        if (
            message["type"] == "http.response.start"
            and not state.is_over
            and not (waits and not state.received)
        ):
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await state.drain()
            if not state.is_over:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
        await send(message)

    return state.receive, send_after_body


class _Body:
    """The body of a request, as far as it has come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_over = False
        self.received = 0

    async def receive(self) -> Message:
        """Return the next part."""
        message = await self._receive()
        self.received += len(message.get("body", b""))
        self.is_over = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Throw away what comes."""
        end = self.received + MOST_DRAINED
        while not self.is_over and self.received < end:
            await self.receive()
