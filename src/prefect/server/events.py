"""The socket that clients send events by: `/events/in`."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from prefect.rules.task_run_events import change_of
from prefect.schemas.events import Event
from prefect.server.inbox import Inbox

__all__ = ["events_in"]

logger = logging.getLogger("prefect.server")

SUBPROTOCOL = "prefect"
REFUSED, MALFORMED = 1008, 1007

_decode_event = msgspec.json.Decoder(Event, strict=False).decode
_decode_greeting = msgspec.json.Decoder(dict[str, Any]).decode


def events_in(path: str, inbox: Inbox) -> WebsocketRouteHandler:
    """Return the handler of the socket.

    Args:
        path: Where it is.
        inbox: Where events go.
    """

    async def handle(socket: WebSocket[Any, Any, Any]) -> None:
        if not _is_from_here(socket):
            await socket.close(code=REFUSED, reason="Other origins are not served")
            return
        offered = socket.scope.get("subprotocols") or []
        try:
            if SUBPROTOCOL in offered:
                await socket.accept(subprotocols=SUBPROTOCOL)
                if not await _greet(socket):
                    return
            else:
                await socket.accept()
            await _receive(socket, inbox)
        except WebSocketDisconnect:
            return

    return WebsocketRouteHandler(path)(handle)


def _is_from_here(socket: WebSocket[Any, Any, Any]) -> bool:
    """Whether no page of another site is behind a connection: browsers let any page open sockets."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def _greet(socket: WebSocket[Any, Any, Any]) -> bool:
    try:
        greeting = _decode_greeting(await socket.receive_data(mode="text"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        greeting = {}
    if greeting.get("type") != "auth":
        await socket.close(code=REFUSED, reason="Expected 'auth' message")
        return False
    await socket.send_data('{"type":"auth_success"}', mode="text")
    return True


async def _receive(socket: WebSocket[Any, Any, Any], inbox: Inbox) -> None:
    while True:
        text = await socket.receive_data(mode="text")
        try:
            event = _decode_event(text)
            is_kept = change_of(event) is not None
        except (msgspec.DecodeError, RecursionError, OverflowError) as error:
            logger.warning("A client sent what is no event, and is disconnected: %s", error)
            await socket.close(code=MALFORMED, reason=str(error)[:100])
            return
        if is_kept:
            await inbox.put(event)
