"""What a server and its application tell each other (ASGI)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

__all__ = ["ASGIApp", "Header", "Message", "Receive", "Send", "send_answer"]

Header = tuple[bytes, bytes]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]


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
