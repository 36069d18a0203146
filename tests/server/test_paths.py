"""What serves requests and sockets, whatever they are: how it starts, fails and ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from prefect.server.messages import Reply
from prefect.server.paths import Paths


@asynccontextmanager
async def no_life():
    yield


@pytest.fixture
def paths():
    return Paths(no_life)


def spoken(app, scope, *heard):
    """Let an application hear some messages, and return what it says."""
    waiting, said = list(heard), []

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Future()

    async def send(message):
        said.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 30))
    return said


def test_a_file_is_made_no_further_when_its_client_has_gone(paths):
    made = []

    async def parts():
        for number in range(1000):
            made.append(number)
            yield b"part"
            await asyncio.sleep(0)

    async def answer(scope, names, receive):
        return Reply(200, parts(), b"text/plain")

    paths.add("GET", "/file", answer)
    scope = {"type": "http", "method": "GET", "path": "/file"}

    whole = spoken(paths, scope, {"type": "http.request", "body": b"", "more_body": False})
    assert (len(made), whole[-1]["more_body"], len(whole)) == (1000, False, 1002)
    made.clear()
    cut = spoken(paths, scope, {"type": "http.disconnect"})
    assert len(made) < 5
    assert cut[-1]["more_body"]


@pytest.mark.parametrize("stage", ["startup", "shutdown"])
def test_a_server_is_told_what_fails_when_it_starts_and_stops(stage, caplog):
    @asynccontextmanager
    async def life():
        if stage == "startup":
            raise ValueError("no room")
        yield
        raise ValueError("no room")

    heard = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
    said = spoken(Paths(life), {"type": "lifespan"}, *heard)

    assert said[-1] == {"type": f"lifespan.{stage}.failed", "message": "no room"}
    assert f"The server's {stage} failed." in caplog.text


def closed(paths):
    with TestClient(paths) as client, client.websocket_connect("/socket/x") as socket:
        socket.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    return ended.value.code, ended.value.detail


def test_a_socket_that_fails_is_closed_and_the_failure_logged(paths, caplog):
    async def serve(socket):
        raise ValueError(f"{socket.names} said {await socket.receive()}")

    paths.add_socket("/socket/{name}", serve)

    assert closed(paths) == (1011, "Internal Server Error")
    assert "{'name': 'x'} said hello" in caplog.text


def test_a_reason_that_is_too_long_for_the_protocol_is_cut(paths):
    async def serve(socket):
        await socket.close(1007, "x" + "é" * 100)
        await socket.close(1008, "again")

    paths.add_socket("/socket/{name}", serve)

    assert closed(paths) == (1007, "x" + "é" * 61)


def test_bytes_are_no_text(paths):
    heard = []

    async def serve(socket):
        heard.append(await socket.receive())

    paths.add_socket("/socket", serve)
    connected, sent = {"type": "websocket.connect"}, {"type": "websocket.receive", "bytes": b"{}"}
    spoken(paths, {"type": "websocket", "path": "/socket"}, connected, sent)

    assert heard == [""]
