"""The socket that clients send events by: `/events/in`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from prefect.operations.events import check_event
from prefect.rules.task_run_events import change_of
from prefect.schemas.events import Event
from prefect.schemas.lenient import Reader
from prefect.server.inbox import Inbox

__all__ = ["events_in"]

logger = logging.getLogger("prefect.server")

MALFORMED = 1007

_decode_event = Reader(Event, strict=False).decode


def events_in(path: str, inbox: Inbox) -> WebsocketRouteHandler:
    """Return the handler of the socket.

    Args:
        path: Where it is.
        inbox: Where events go.
    """

    async def handle(socket: WebSocket[Any, Any, Any]) -> None:
        try:
            await socket.accept()
            await _receive(socket, inbox)
        except WebSocketDisconnect:
            return

    return WebsocketRouteHandler(path)(handle)


async def _receive(socket: WebSocket[Any, Any, Any], inbox: Inbox) -> None:
    refusals: list[asyncio.Future[None]] = []

    def refuse(reason: str) -> None:
        # There are no acknowledgements; that the connection ends is the only answer there is.
        refusals.append(asyncio.ensure_future(_close(socket, reason)))

    while True:
        text = await socket.receive_data(mode="text")
        try:
            event = _decode_event(text)
            check_event(event)
            change_of(event)
        except (msgspec.DecodeError, RecursionError, OverflowError) as error:
            logger.warning("A client sent what is no event, and is disconnected: %s", error)
            await _close(socket, str(error))
            return
        await inbox.put(event, refuse)


async def _close(socket: WebSocket[Any, Any, Any], reason: str) -> None:
    # It may have gone by then.
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(code=MALFORMED, reason=reason[:100])
