"""A proxy before a server: it says what was asked for, and can be away as a server can."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_REQUEST = re.compile(rb"^(GET|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n", re.MULTILINE)


class Proxy:
    """Passes connections on to a server.

    Args:
        url: Where the server is.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname or "", parts.port or 80
        self.asked: list[str] = []
        """The requests, as `GET /api/health`."""
        self.turned_away = 0
        """How many connections found nobody, as `is_away` has it."""
        self.is_away = False
        """Whether connections are closed at once."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_away:
                self.turned_away += 1
                client.close()
                continue
            server = socket.create_connection(self._target)
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                found = _REQUEST.findall(content)
                self.asked += [f"{method.decode()} {path.decode()}" for method, path in found]
                sink.sendall(content)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Pass on nothing more."""
        # A thread that waits in `accept` would not be woken by a mere close.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for each in self._open:
            each.close()


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Give a proxy before a server."""
    made = Proxy(url)
    try:
        yield made
    finally:
        made.close()
