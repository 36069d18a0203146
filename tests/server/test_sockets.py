"""What is said over a socket."""

from __future__ import annotations

import asyncio

import pytest

from prefect.server.messages import Message
from prefect.server.sockets import Disconnected, Socket


async def _hear() -> Message:
    return {"type": "websocket.connect"}


def test_much_that_is_sent_ends_soon_after_the_client_has_gone() -> None:
    sent: list[Message] = []
    has_gone = False

    async def send(message: Message) -> None:
        # A server has room for what goes out, and learns of a connection's end when it next looks.
        if has_gone:
            raise OSError("gone")
        sent.append(message)

    async def go() -> None:
        nonlocal has_gone
        has_gone = True

    async def talk() -> None:
        socket = Socket({}, _hear, send)
        await socket.accept()
        going = asyncio.create_task(go())
        with pytest.raises(Disconnected):
            for number in range(1000):
                await socket.send(str(number))
        await going

    asyncio.run(talk())

    assert len(sent) <= 5
