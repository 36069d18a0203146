"""Servers and what lies between: ours as a process, a proxy that can be cut, a server of canned answers."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Proxy", "Stub", "serving"]

_REQUEST = re.compile(rb"^(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP/1\.1\r$", re.MULTILINE)


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Give the URL of the API of a server of ours, and its process."""
    inherited = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    started = subprocess.Popen(
        [sys.executable, "-m", "prefect.cli", "server", "start", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "PREFECT_HOME": str(home), **environment},
    )
    try:
        assert started.stdout is not None
        line = started.stdout.readline()
        assert line.startswith("Serving at "), line + started.communicate()[1]
        yield line.removeprefix("Serving at ").strip(), started
    finally:
        started.kill()
        started.communicate()


class Proxy:
    """A TCP proxy to a server, which notes the requests that pass, and can be cut.

    Args:
        url: The URL of the server's API.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._port = 0
        self.requests: list[str] = []
        """Methods and paths, the sockets' too."""
        self.restore()
        self.url = f"http://127.0.0.1:{self._port}{parts.path}"

    def restore(self) -> None:
        """Let connections through."""
        listener = socket.create_server(("127.0.0.1", self._port), reuse_port=False)
        self._port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_upstream: bool) -> None:
        try:
            while data := source.recv(65536):
                if is_upstream:
                    found = _REQUEST.findall(data)
                    self.requests += [f"{method.decode()} {path.decode()}" for method, path in found]
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.discard(source)
            source.close()  # the other one is closed by who reads from it


Answer = tuple[int, Any]


class Stub:
    """An HTTP server that answers as a function says, and notes what it was asked.

    Args:
        answer: Gives status and body for a method, a path and a body.
    """

    def __init__(self, answer: Callable[[str, str, Any], Answer]) -> None:
        asked = self.asked = []  # type: list[tuple[str, str, Any]]

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(text) if text else None
                asked.append((self.command, self.path, body))
                status, said = answer(self.command, self.path, body)
                encoded = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            do_GET = do_POST = do_PATCH = _answer

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/api"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
