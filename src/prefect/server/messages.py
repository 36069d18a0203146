"""What a server and its application tell each other (ASGI)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

__all__ = [
    "JSON",
    "ASGIApp",
    "Header",
    "Message",
    "Receive",
    "Reply",
    "Send",
    "live",
    "send_answer",
    "send_reply",
]

logger = logging.getLogger("prefect.server")

Header = tuple[bytes, bytes]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]

JSON = b"application/json"


class Reply(NamedTuple):
    """What a request is answered."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    """The whole of it, or parts that are made while they are sent."""
    kind: bytes | None = JSON
    """What the body is; None: there is no body."""
    headers: Sequence[Header] = ()


async def send_answer(
    send: Send, status: int, content: bytes, kind: bytes | None, headers: Sequence[Header] = ()
) -> None:
    """Send a whole answer.

    Args:
        send: Takes it.
        status: Its status.
        content: Its body.
        kind: What the body is; None: there is no body.
        headers: Further headers.
    """
    own = () if kind is None else ((b"content-type", kind), (b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": content, "more_body": False})


async def send_reply(reply: Reply, receive: Receive, send: Send) -> None:
    """Send an answer, be it whole or in parts.

    Args:
        reply: The answer.
        receive: Tells when the client goes away, who is sent no more parts then.
        send: Takes it.
    """
    status, body, kind, headers = reply
    if isinstance(body, bytes):
        await send_answer(send, status, body, kind, headers)
        return
    own = () if kind is None else ((b"content-type", kind),)
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        async for part in body:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def live(life: AbstractAsyncContextManager[None], receive: Receive, send: Send) -> None:
    """Enter what an application does while it is served, and leave it when the server says so.

    Args:
        life: What it does.
        receive: Tells when the server starts, and when it stops.
        send: Takes word of both.
    """
    stage = "startup"
    await receive()
    try:
        async with life:
            await send({"type": "lifespan.startup.complete"})
            stage = "shutdown"
            await receive()
    except Exception as error:
        logger.exception("The server's %s failed.", stage)
        await send({"type": f"lifespan.{stage}.failed", "message": str(error)})
    else:
        await send({"type": "lifespan.shutdown.complete"})
