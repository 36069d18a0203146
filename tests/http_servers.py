"""Servers to talk to over real sockets: one that says what a test tells it to, and ours, in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

from prefect.client import transport
from prefect.store.base import Store


class Told(NamedTuple):
    """An answer that a server is told to give; status 0: it hangs up instead."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """A request that a server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """The same for requests that came over one connection."""


class Scripted:
    """A server that gives the answers it is told to, in order, and the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Told] = [Told()]
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"scripted": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def tell(self, *answers: Told) -> None:
        """Say what to answer from now on."""
        self.answers, self.asked = list(answers), []

    def next(self, asked: Asked) -> Told:
        with self._lock:
            self.asked.append(asked)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: Scripted

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.scripted.next(Asked(self.command, self.path, headers, body, id(self.connection)))
        if told.status == 0:
            self.close_connection = True
            return
        content = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
        if told.status == 204:
            content = b""
        self.send_response(told.status)
        for name, value in {"Content-Length": str(len(content)), **told.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def drop_connections() -> None:
    """Close what this process has open to servers that are about to go."""
    for client in transport._connections.values():
        client.close()
    transport._connections.clear()


@contextmanager
def serving(store: Store) -> Iterator[str]:
    """Serve a store from a thread of this process; give the URL."""
    import uvicorn

    from prefect.server.app import make_app

    config = uvicorn.Config(make_app(store), log_config=None, access_log=False, port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    started = threading.Event()
    while not server.started and thread.is_alive():
        started.wait(0.01)
    try:
        (listener,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    finally:
        drop_connections()
        server.should_exit = True
        thread.join()
