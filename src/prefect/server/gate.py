"""The gate: whatever comes in by HTTP or by a socket passes here first, or not at all.

Everything is refused that is not allowed: where credentials are asked for, only the requests of `OPEN` come
in without them, which are compared as a whole. The application behind it, be it a route or a socket, is only
reached with what was let in. A socket has been greeted by then: its handler cannot forget to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from prefect.schemas.base import encode_json
from prefect.server.access import Access
from prefect.server.draining import drained, has_large_body
from prefect.server.messages import Header, Message, Receive, Send, send_answer
from prefect.server.paths import Paths

if TYPE_CHECKING:
    from prefect.server.metrics import Metrics

__all__ = ["SUBPROTOCOL", "Gate"]

SUBPROTOCOL = "prefect"
"""What clients ask for that greet before they send anything else."""
OPEN = ("/health", "/ready")
"""What may be read without credentials, below the API's prefix."""
GREETING_SECONDS = 30.0
"""How long a socket may take to greet."""
_REFUSED = 1008
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))

_decode_greeting = msgspec.json.Decoder(dict[str, Any]).decode


class Gate:
    """Lets requests and sockets in to what is served.

    Args:
        app: What is served; sockets that are none of it are refused here.
        access: Who may come in.
        prefix: What the API's paths start with.
        metrics: Counts requests, also those that are refused.
    """

    def __init__(
        self,
        app: Paths,
        access: Access,
        prefix: str,
        metrics: Metrics | None = None,
    ) -> None:
        self.app = app
        self._access = access
        self._open = frozenset(prefix + path for path in OPEN)
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a connection (this is an ASGI application)."""
        if scope["type"] == "http":
            if has_large_body(scope):
                receive, send = drained(scope, receive, send)
            if self._metrics is None:
                await self._serve_request(scope, receive, send)
            else:
                await self._metrics.measure(self._serve_request, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    # --- requests -----------------------------------------------------------------------------------------

    async def _serve_request(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origins = self._access.origins
        if refusal := self._refusal_of_page(headers):
            await _answer(send, 403, {"detail": refusal})
            return
        if b"origin" in headers:
            send = _with_headers(send, origins.headers_for(_text(headers, b"origin")))
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await _answer(send, 200, "OK", origins.headers_ahead(headers))
                return
        is_open = scope["method"] == "GET" and scope["path"] in self._open
        if not is_open and not self._access.credentials.admit_header(headers.get(b"authorization")):
            await _answer(send, 401, {"exception_message": "Unauthorized"})
            return
        if refusal := self._refusal_of_token(scope["method"], headers):
            await _answer(send, 403, {"detail": refusal})
            return
        await self.app(scope, receive, send)

    def _refusal_of_page(self, headers: Mapping[bytes, bytes]) -> str | None:
        """Say why a browser must not talk to this server for the page that it shows."""
        host, origin = _text(headers, b"host"), _text(headers, b"origin")
        if not self._access.origins.serves_host(host):
            return (
                f"The name {host!r} is not served: without authentication only names of this machine are. "
                "Set PREFECT_SERVER_API_AUTH_STRING, or name it in PREFECT_SERVER_CORS_ALLOWED_ORIGINS."
            )
        if origin and not self._access.origins.serves_origin(origin, host):
            return f"Pages of {origin} are not served: PREFECT_SERVER_CORS_ALLOWED_ORIGINS says whose are."
        return None

    def _refusal_of_token(self, method: str, headers: Mapping[bytes, bytes]) -> str | None:
        if self._access.refuse_token is None or method in _SAFE_METHODS:
            return None
        token, client = headers.get(b"prefect-csrf-token"), headers.get(b"prefect-csrf-client")
        return self._access.refuse_token(
            token.decode("latin-1") if token else None, client.decode("latin-1") if client else None
        )

    # --- sockets ------------------------------------------------------------------------------------------

    async def _serve_socket(self, scope: Message, receive: Receive, send: Send) -> None:
        socket = self.app.socket_at(scope["path"])
        greets = SUBPROTOCOL in (scope.get("subprotocols") or ())
        must_greet = socket is None or socket.refusal or self._access.credentials.are_asked
        if (must_greet and not greets) or self._refusal_of_page(dict(scope["headers"])) or socket is None:
            await receive()
            # Before it is accepted: the client sees the status 403.
            await send({"type": "websocket.close", "code": _REFUSED, "reason": ""})
            return
        if not greets:
            await self.app(scope, receive, send)
            return
        connected = await receive()
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL, "headers": []})
        refusal = await self._greet(receive)
        if refusal is None:
            await send({"type": "websocket.send", "text": '{"type":"auth_success"}', "bytes": None})
            await self.app(scope, _again(connected, receive), _without_accept(send))
        elif refusal:
            reason = socket.refusal or refusal
            await send({"type": "websocket.close", "code": _REFUSED, "reason": reason})

    async def _greet(self, receive: Receive) -> str | None:
        """Return why a socket is not let in; nothing in it: it is gone; None: it is let in."""
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                message = await receive()
        except TimeoutError:
            return "Expected 'auth' message"
        if message["type"] != "websocket.receive":
            return ""
        try:
            greeting = _decode_greeting(message.get("text") or message.get("bytes") or "")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            greeting = {}
        if greeting.get("type") != "auth":
            return "Expected 'auth' message"
        if not self._access.credentials.are_asked:
            return None
        token = greeting.get("token")
        if not token:
            return "Auth required but no token provided"
        is_right = isinstance(token, str) and self._access.credentials.admit_token(token)
        return None if is_right else "Invalid token"


async def _answer(send: Send, status: int, body: Any, headers: Sequence[Header] = ()) -> None:
    if isinstance(body, str):
        await send_answer(send, status, body.encode(), b"text/plain; charset=utf-8", headers)
    else:
        await send_answer(send, status, encode_json(body), b"application/json", headers)


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _with_headers(send: Send, headers: Sequence[Header]) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_more


def _again(first: Any, receive: Receive) -> Receive:
    """Give a message once more before those that follow."""
    waiting = [first]

    async def receive_next() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_next


def _without_accept(send: Send) -> Send:
    async def send_rest(message: Message) -> None:
        if message["type"] != "websocket.accept":
            await send(message)

    return send_rest
