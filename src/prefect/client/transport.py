"""Sends requests to a server, again if need be, over connections that the whole process shares.

A request that is sent again may have been carried out before, if only the answer was lost. That is safe: what
creates finds what is there by its name, id or idempotency key; a state that is proposed twice is told by its
transition id; updates and deletions give the same the second time; only logs may come twice.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from random import SystemRandom
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from prefect.client.options import ClientOptions
from prefect.client.retries import FIRST_CONTACT, RETRIED_CODES, first_contact_wait, retry_wait
from prefect.exceptions import ConfigurationError, ServerUnreachable
from prefect.types import now

if TYPE_CHECKING:
    import httpx

__all__ = ["Transport"]

_reached: set[str] = set()
"""The URLs of servers that have answered this process."""
_connections: dict[tuple[int, ClientOptions], httpx.Client] = {}
"""By process too: a child that was forked must not write into its parent's connections."""
_tokens: dict[tuple[int, ClientOptions], dict[str, str]] = {}
"""The headers that a server which is protected against cross-site requests asks for."""
_random = SystemRandom()
"""Not the generator of `random`: programs seed that, and count on what follows."""
_CSRF_ERRORS = ("Missing CSRF token", "Missing client identifier", "Invalid CSRF token")


class Transport:
    """Sends requests to one server. Safe to use from several threads.

    Args:
        options: Where the server is, and how to talk to it.
        sleep: How to wait.
    """

    __slots__ = ("_sleep", "options")

    def __init__(self, options: ClientOptions, sleep: Callable[[float], None] = time.sleep) -> None:
        self.options = options
        self._sleep = sleep

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a request, again if need be, and return the last answer, whatever its status.

        Args:
            method: The HTTP method.
            path: The path below the server's URL.
            params: The query.
            content: The body, as JSON.
            headers: Further headers.
            options: Further arguments of `httpx.Client.request`.

        Raises:
            prefect.exceptions.ServerUnreachable: The server does not answer.
        """
        sent = dict(headers or {})
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        key = (os.getpid(), self.options)
        token = _tokens.get(key, {})

        def send(token: Mapping[str, str]) -> httpx.Response:
            return self._patiently(
                method,
                self.options.url + path,
                params=params,
                content=content,
                headers={**token, **sent},
                **options,
            )

        response = send(token)
        # Most servers ask for no token, so none is fetched before one asks: that saves a request.
        if response.status_code == 403 and self.options.csrf and _lacks_token(response):
            token = _tokens[key] = self._fetch_token()
            if token:
                response = send(token)
        return response

    def _patiently(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        options = self.options
        attempt, counted, began = 0, 0, time.monotonic()
        while True:
            attempt += 1
            counted += 1
            response, error = self._once(method, url, arguments)
            if response is not None:
                _reached.add(options.url)
                if (
                    response.status_code not in RETRIED_CODES
                    and response.status_code not in options.extra_codes
                ):
                    return response
                if response.headers.get("prefect-maintenance", "").lower() == "true":
                    counted -= 1
                if counted > options.max_retries:
                    return response
                wait = retry_wait(attempt, response.headers, now())
            else:
                assert error is not None
                wait = self._wait_after(error, attempt, time.monotonic() - began)
            self._sleep(wait * (1 + _random.random() * options.jitter))

    def _once(
        self, method: str, url: str, arguments: Mapping[str, Any]
    ) -> tuple[httpx.Response | None, Exception | None]:
        from httpx import TransportError, UnsupportedProtocol  # noqa: PLC0415 - slow to load

        try:
            return self.connections.request(method, url, **arguments), None
        except UnsupportedProtocol:
            raise
        except TransportError as error:
            return None, error

    def _wait_after(self, error: Exception, attempt: int, elapsed: float) -> float:
        from httpx import ConnectError, ConnectTimeout  # noqa: PLC0415 - slow to load

        url = self.options.url
        if url not in _reached and isinstance(error, ConnectError | ConnectTimeout):
            wait = first_contact_wait(attempt, elapsed)
            if wait is None or self.options.max_retries == 0:
                raise ServerUnreachable(
                    f"No server can be reached at {url} ({_reason(error)}). Check that it is running and "
                    "that PREFECT_API_URL is its address (`prefect config view` shows where that is set); "
                    "without PREFECT_API_URL, runs are recorded on this machine."
                ) from error
            return wait
        if attempt > self.options.max_retries:
            raise ServerUnreachable(
                f"The server at {url} does not answer any more ({_reason(error)}): tried {attempt} times in "
                f"{elapsed:.0f} s."
            ) from error
        return retry_wait(attempt, None, now())

    @property
    def connections(self) -> httpx.Client:
        """The httpx client, which lends connections; this process's own."""
        key = (os.getpid(), self.options)
        found = _connections.get(key)
        # Two threads may both make one; one of them is then never used, which costs less than a lock that a
        # fork can leave locked.
        return found if found is not None else _connections.setdefault(key, _open(self.options))

    def _fetch_token(self) -> dict[str, str]:
        client = str(uuid4())
        response = self._patiently("GET", f"{self.options.url}/csrf-token", params={"client": client})
        if not response.is_success:
            return {}
        token = msgspec.json.decode(response.content)["token"]
        return {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client}


def _open(options: ClientOptions) -> httpx.Client:
    library = _import_httpx()
    try:
        made: httpx.Client = library.Client(
            headers=dict(options.headers),
            timeout=library.Timeout(options.timeout, connect=min(options.timeout, FIRST_CONTACT)),
            verify=_verification(options),
            http2=options.http2,
        )
    except ImportError as error:
        raise ConfigurationError(
            "PREFECT_API_ENABLE_HTTP2 is set, but the package h2 is not installed: "
            "`pip install 'httpx[http2]'`."
        ) from error
    return made


def _verification(options: ClientOptions) -> Any:
    # To read the certificates that are trusted takes longer than a request, and plain HTTP needs none;
    # a server that redirects to HTTPS is not followed.
    if not options.verify or options.url.startswith("http:"):
        return False
    if not options.ssl_cert_file:
        return True
    import ssl  # noqa: PLC0415 - only with certificates of one's own

    try:
        return ssl.create_default_context(cafile=options.ssl_cert_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"PREFECT_API_SSL_CERT_FILE names {options.ssl_cert_file!r}, which cannot be read: {error}."
        ) from error


def _import_httpx() -> ModuleType:
    """Import httpx without its command line, which takes longer than all the rest of it."""
    name = "httpx._main"
    if "httpx" not in sys.modules and name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]
        try:
            import httpx  # noqa: PLC0415 - slow to load
        finally:
            if sys.modules.get(name, ...) is None:
                del sys.modules[name]
        return httpx
    import httpx  # noqa: PLC0415 - slow to load

    return httpx


def _lacks_token(response: httpx.Response) -> bool:
    return any(text in response.text for text in _CSRF_ERRORS)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
