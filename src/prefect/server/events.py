"""The socket that clients send events by: `/events/in`."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from prefect.operations.events import check_event
from prefect.rules.task_run_events import change_of
from prefect.schemas.events import Event
from prefect.schemas.lenient import Reader
from prefect.server.inbox import Inbox
from prefect.server.sockets import ServeSocket, Socket

__all__ = ["events_in"]

logger = logging.getLogger("prefect.server")

MALFORMED = 1007

_decode_event = Reader(Event, strict=False).decode


def events_in(inbox: Inbox) -> ServeSocket:
    """Return what serves the socket.

    Args:
        inbox: Where events go.
    """

    async def serve(socket: Socket) -> None:
        await _receive(socket, inbox)

    return serve


async def _receive(socket: Socket, inbox: Inbox) -> None:
    refusals: list[asyncio.Future[None]] = []

    def refuse(reason: str) -> None:
        # There are no acknowledgements; that the connection ends is the only answer there is.
        refusals.append(asyncio.ensure_future(_close(socket, reason)))

    while True:
        text = await socket.receive()
        try:
            event = _decode_event(text)
            check_event(event)
            change_of(event)
        except (msgspec.DecodeError, RecursionError, OverflowError) as error:
            logger.warning("A client sent what is no event, and is disconnected: %s", error)
            await _close(socket, str(error))
            return
        await inbox.put(event, refuse)


async def _close(socket: Socket, reason: str) -> None:
    await socket.close(MALFORMED, reason)
