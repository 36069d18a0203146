"""A small engine for tests: it speaks as much of Docker's protocol as is asked of it, over a real socket.

A container is a process of this machine, with the environment that it was made with and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FakeEngine:
    """An engine at a socket; entered, it answers until it is left."""

    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self.images = {"flows:1"}
        self.pulled: list[str] = []
        self.joined: list[tuple[str, str]] = []
        self.containers: dict[str, FakeContainer] = {}
        self.out_of_memory = False
        handler = type("Handler", (_Handler,), {"engine": self})
        self._server = _Server(str(path), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> FakeEngine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for container in self.containers.values():
            container.stop(0)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FakeContainer:
    """A container: what it was made with, and its process once it was started."""

    def __init__(self, name: str, made_with: dict[str, Any]) -> None:
        self.name = name
        self.made_with = made_with
        self.is_removed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._output = b""
        self._ended = threading.Event()

    @property
    def env(self) -> dict[str, str]:
        return dict(text.split("=", 1) for text in self.made_with.get("Env", []))

    def start(self) -> None:
        command = list(self.made_with["Cmd"])
        if command[0] == "prefect":
            command = [sys.executable, "-m", "prefect.cli", *command[1:]]
        outside = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            command, env={**outside, **self.env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process is not None
        self._output, _ = self._process.communicate()
        self._ended.set()

    def wait(self) -> int:
        self._ended.wait()
        assert self._process is not None
        code = self._process.returncode
        return 128 - code if code < 0 else code

    def output(self) -> bytes:
        self._ended.wait()
        return self._output

    def stop(self, grace: float) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM if grace else signal.SIGKILL)
        if not self._ended.wait(grace or None):
            self._process.kill()
            self._ended.wait()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: FakeEngine

    def _route(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = re.sub(r"^/v[0-9.]+", "", parts.path)
        size = int(self.headers.get("content-length", 0))
        self.body = json.loads(self.rfile.read(size) or b"null") if size else None
        for pattern, method in _ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                method(self, *found.groups())
                return
        self._answer(404, {"message": f"no such thing: {self.command} {path}"})

    do_GET = do_POST = do_DELETE = do_HEAD = _route

    def _answer(self, status: int, body: Any = None) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        kind = "text/plain" if isinstance(body, bytes) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _ping(self) -> None:
        self._answer(200, b"OK")

    def _version(self) -> None:
        self._answer(200, {"ApiVersion": "1.43", "Version": "24.0.0"})

    def _image(self, name: str) -> None:
        known = name in self.engine.images
        self._answer(200, {"Id": "sha256:1", "RepoTags": [name]}) if known else self._no_image(name)

    def _no_image(self, name: str) -> None:
        self._answer(404, {"message": f"No such image: {name}"})

    def _pull(self) -> None:
        name = f"{self.query['fromImage']}:{self.query['tag']}"
        if name.startswith("missing"):
            self._no_image(name)
            return
        self.engine.pulled.append(name)
        self.engine.images.add(name)
        self._answer(200, {"status": "done"})

    def _create(self) -> None:
        name, image = self.query.get("name", ""), self.body["Image"]
        if any(one.name == name and not one.is_removed for one in self.engine.containers.values()):
            self._answer(409, {"message": f"The name {name} is taken"})
        elif image not in self.engine.images:
            self._no_image(image)
        else:
            key = f"{len(self.engine.containers) + 1:012x}"
            self.engine.containers[key] = FakeContainer(name, self.body)
            self._answer(201, {"Id": key, "Warnings": []})

    def _of(self, key: str) -> FakeContainer | None:
        found = self.engine.containers.get(key)
        if found is None or found.is_removed:
            self._answer(404, {"message": f"No such container: {key}"})
            return None
        return found

    def _start(self, key: str) -> None:
        if found := self._of(key):
            if found.made_with["Cmd"][0] == "not-there":
                self._answer(400, {"message": "executable file not found in $PATH"})
                return
            found.start()
            self._answer(204)

    def _wait(self, key: str) -> None:
        if found := self._of(key):
            self._answer(200, {"StatusCode": found.wait()})

    def _look(self, key: str) -> None:
        if found := self._of(key):
            state = {"Status": "exited", "OOMKilled": self.engine.out_of_memory}
            self._answer(200, {"Id": key, "Name": found.name, "Config": {"Tty": False}, "State": state})

    def _logs(self, key: str) -> None:
        if found := self._of(key):
            output = found.output()
            # Standard output, in frames of a few bytes each.
            parts = [output[start : start + 7] for start in range(0, len(output), 7)]
            self._answer(200, b"".join(b"\1\0\0\0" + len(part).to_bytes(4) + part for part in parts))

    def _stop(self, key: str) -> None:
        if found := self._of(key):
            found.stop(float(self.query.get("t", 10)))
            self._answer(204)

    def _remove(self, key: str) -> None:
        if found := self._of(key):
            found.is_removed = True
            self._answer(204)

    def _network(self, name: str) -> None:
        self._answer(200, {"Id": name, "Name": name})

    def _join(self, name: str) -> None:
        self.engine.joined.append((name, self.body["Container"]))
        self._answer(200, {})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "a socket"


_ROUTES: list[tuple[str, Any]] = [
    ("(?:GET|HEAD) /_ping", _Handler._ping),
    ("GET /version", _Handler._version),
    ("GET /images/(.+)/json", _Handler._image),
    ("POST /images/create", _Handler._pull),
    ("POST /containers/create", _Handler._create),
    ("POST /containers/([^/]+)/start", _Handler._start),
    ("POST /containers/([^/]+)/wait", _Handler._wait),
    ("GET /containers/([^/]+)/json", _Handler._look),
    ("GET /containers/([^/]+)/logs", _Handler._logs),
    ("POST /containers/([^/]+)/stop", _Handler._stop),
    ("DELETE /containers/([^/]+)", _Handler._remove),
    ("GET /networks/([^/]+)", _Handler._network),
    ("POST /networks/([^/]+)/connect", _Handler._join),
]
