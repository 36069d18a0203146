"""Parting: what a server that stops says to clients who still ask it."""

from __future__ import annotations

from collections.abc import Callable

from prefect.server.messages import ASGIApp, Message, Receive, Send

__all__ = ["Parting"]


class Parting:
    """Ends connections with the next answer once the server stops.

    uvicorn tells each connection that it knows when it begins to stop. One that is accepted in just that
    moment is not told: a client that goes on asking over it would keep the server until its patience ends.

    Args:
        app: The application.
        is_stopping: Whether the server stops.
    """

    def __init__(self, app: ASGIApp, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._is_stopping = is_stopping

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a connection (this is an ASGI application)."""

        async def send_parting(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_stopping():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_parting if scope["type"] == "http" else send)
