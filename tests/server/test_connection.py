"""A connection is not held by who sends a part of a request and stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from prefect.server import connection
from prefect.server.connection import Connection

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    while message["type"] == "http.request" and message["more_body"]:
        message = await receive()
    status = 400 if (b"x", b"late") in scope["headers"] else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def serving(app: Any, made: list[Connection]) -> asyncio.Server:
    """Serve an application; its connections are added to those made."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    config.load()
    state = ServerState()

    def connect() -> Connection:
        made.append(Connection(config=config, server_state=state, app_state={}))
        return made[-1]

    return await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)


async def asked(*parts: bytes) -> list[bytes]:
    """Send parts of requests, each once the one before is answered; return the statuses of all answers."""
    async with await serving(echo, []) as made:
        reader, writer = await asyncio.open_connection(*made.sockets[0].getsockname())
        answers = b""
        for number, part in enumerate(parts):
            if number:
                answers += await reader.readuntil(b"\r\n\r\n")
            writer.write(part)
        answers += await reader.read()
        writer.close()
        await writer.wait_closed()
    return [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1")]


def statuses(*parts: bytes) -> list[bytes]:
    return asyncio.run(asked(*parts))


PARTIAL: dict[str, tuple[list[bytes], list[bytes]]] = {
    "nothing": ([b""], []),
    "socket": ([UPGRADE, b""], [b"101"]),
    "line": ([b"GET / HT"], [b"408"]),
    "headers": ([b"GET / HTTP/1.1\r\nHost: x\r\n"], [b"408"]),
    "body": ([POST + b"a"], [b"408"]),
    "next": ([POST + b"abcd", b"POST"], [b"200", b"408"]),
    "next body": ([POST + b"abcd", POST + b"abcd", POST], [b"200", b"200", b"408"]),
    "blank": ([POST + b"abcd", b"\r\n"], [b"200", b"408"]),
    "pipelined": ([POST + b"abcd" + POST + b"abcd", POST], [b"200", b"200", b"408"]),
}


def test_what_does_not_come_as_a_whole_is_not_waited_for(monkeypatch):
    # Long enough for those that go on, on a machine that has much to do.
    monkeypatch.setattr(connection, "SILENT_SECONDS", 1.0)

    async def all_of_them() -> list[list[bytes]]:
        return await asyncio.gather(*(asked(*parts) for parts, _ in PARTIAL.values()))

    found = dict(zip(PARTIAL, asyncio.run(all_of_them()), strict=True))
    assert found == {name: expected for name, (_, expected) in PARTIAL.items()}


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def sent_slowly(sizes: Sequence[int], pause: float) -> bytes:
    """Send a body in parts of these sizes, with a pause behind each; return the status of the answer."""
    received: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Clock)

    async def tell(scope: Any, receive: Any, send: Any) -> None:
        async def receive_next() -> Any:
            message = await receive()
            received.put_nowait(message["type"])
            return message

        await echo(scope, receive_next, send)

    async with await serving(tell, []) as made:
        reader, writer = await asyncio.open_connection(*made.sockets[0].getsockname())
        writer.write(POST.replace(b"4", str(sum(sizes)).encode()))
        for size in sizes:
            writer.write(b"x" * size)
            if await received.get() == "http.disconnect":
                break
            loop.ahead += pause
        answer = await reader.readline()
        writer.close()
        return answer.split()[1]


@pytest.mark.parametrize(
    ("sizes", "pause", "status"),
    [
        ([1] * 20, 20, b"408"),
        ([2**16, *[1] * 20], 20, b"408"),
        ([connection.PACE_BYTES] * 36, 50, b"200"),
        ([1] * 4, 12, b"200"),
    ],
    ids=["byte by byte", "fast at first", "over a bad line", "small"],
)
def test_a_body_comes_at_some_pace(sizes, pause, status):
    with asyncio.Runner(loop_factory=Clock) as runner:
        assert runner.run(sent_slowly(sizes, pause)) == status


def test_headers_have_a_size():
    assert statuses(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000) == [b"431"]


@pytest.mark.parametrize("before", [b";", b"\r\na\r\n0\r\nX: "], ids=["extension", "trailer"])
def test_so_has_what_is_between_the_parts_of_a_body_and_behind_it(before):
    # It ends where the server closes: else it would not have read all, and the client not the answer.
    begun = CHUNKED.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue") + before
    assert statuses(begun, b"x" * (connection.HEAD_BYTES + 1)) == [b"100", b"431"]


def test_what_comes_behind_a_body_is_no_header():
    assert statuses(CHUNKED + b"\r\na\r\n0\r\nX: late\r\n\r\n") == [b"200"]


def test_of_requests_that_are_sent_ahead_few_are_kept():
    connections: list[Connection] = []
    kept = 0

    async def count(scope: Any, receive: Any, send: Any) -> None:
        nonlocal kept
        await echo(scope, receive, send)
        kept = max(kept, len(connections[0].pipeline))

    async def send_ahead(requests: bytes, number: int) -> None:
        async with await serving(count, connections) as made:
            reader, writer = await asyncio.open_connection(*made.sockets[0].getsockname())
            writer.write(requests)
            for _ in range(number):
                await reader.readuntil(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()

    request = POST.replace(b"Host: x", b"Host: x\r\nX: " + b"x" * 2000) + b"abcd"
    asyncio.run(send_ahead(request * 1000, 1000))
    # Those of one reading.
    assert kept * len(request) <= 2**18


@pytest.mark.parametrize("more", [b"X: " + b"x" * 10_000, b"Content-Length: 1"], ids=["header", "body"])
def test_an_upgrade_that_no_socket_comes_of_is_refused(more):
    assert statuses(UPGRADE.replace(b"Host: x", b"Host: x\r\n" + more)) == [b"400"]


def test_what_is_no_request_is_refused():
    assert statuses(b"nonsense\r\n\r\n") == [b"400"]
    assert statuses(POST.replace(b"4", b"-4") + b"abcd") == [b"400"]
    # Two lengths, of which others may take the other.
    assert statuses(POST.replace(b"Host: x", b"Transfer-Encoding: chunked") + b"0\r\n\r\n") == [b"400"]
