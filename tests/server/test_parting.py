"""A server that stops keeps no connection that it was not told of."""

from __future__ import annotations

import asyncio
import socket
import threading

import httpx
import uvicorn

from prefect.server.app import make_app
from prefect.server.parting import Parting


class SlowToTell(uvicorn.Server):
    """A server that is told to stop, and has not told its connections yet."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        told.set()
        await asyncio.to_thread(parted.wait)
        await super().shutdown(sockets)


told, parted = threading.Event(), threading.Event()


def test_the_next_answer_is_the_last_of_its_connection(store):
    told.clear()
    parted.clear()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = Parting(make_app(store), lambda: server.should_exit)
    server = SlowToTell(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/api") as client:
            assert "connection" not in client.get("/health").headers
            server.should_exit = True
            assert told.wait(50)
            assert client.get("/health").headers["connection"] == "close"
    finally:
        server.should_exit = True
        parted.set()
        thread.join(50)
    assert not thread.is_alive()
