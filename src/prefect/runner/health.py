"""Answers whether a runner or a worker is at work, for those who watch over it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from prefect.exceptions import ConfigurationError

__all__ = ["HealthServer"]


class HealthServer:
    """Answers `GET /health`: 200 while it is at work, 503 when it is not; entered, until it is left.

    Args:
        host: The address to listen on.
        port: The port; 0: any that is free.
        is_well: Says whether it is at work.

    Raises:
        prefect.exceptions.ConfigurationError: Nobody can listen there.
    """

    def __init__(self, host: str, port: int, is_well: Callable[[], bool]) -> None:
        handler = type("Handler", (_Handler,), {"is_well": staticmethod(is_well)})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise ConfigurationError(
                f"Health cannot be served at {host}:{port} ({error.strerror or error}): "
                "choose another port by PREFECT_WORKER_WEBSERVER_PORT or PREFECT_RUNNER_SERVER_PORT."
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="prefect-health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    is_well: Callable[[], bool]

    def do_GET(self) -> None:
        """Answer."""
        if self.path.partition("?")[0] not in ("/health", "/api/health"):
            self._answer(HTTPStatus.NOT_FOUND, "There is only /health here.")
        elif self.is_well():
            self._answer(HTTPStatus.OK, "OK")
        else:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "It has not looked for runs lately.")

    def _answer(self, status: HTTPStatus, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""
