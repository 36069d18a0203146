"""Runs the server until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from prefect.exceptions import ConfigurationError
from prefect.operations import crash_orphans
from prefect.server.access import credentials_of, prefix_of
from prefect.server.app import make_app
from prefect.server.origins import is_loopback
from prefect.settings import get_current_settings
from prefect.store import open_store
from prefect.types import now

__all__ = ["serve"]

WAITING_CONNECTIONS = 2048
STOP_SECONDS = 30
"""How long requests that are under way may take when the server stops."""


def serve(
    host: str | None = None,
    port: int | None = None,
    announce: Callable[[str], None] | None = None,
    *,
    allow_unauthenticated: bool = False,
) -> None:
    """Serve the store of the settings until SIGINT or SIGTERM; then write what was accepted, and end.

    Args:
        host: The address to listen on; None: that of the settings.
        port: The port; 0: any that is free; None: that of the settings.
        announce: Is told the API's URL as soon as the server listens.
        allow_unauthenticated: Serve others than this machine, and under any name, though nothing asks them
            who they are.

    Raises:
        prefect.exceptions.ConfigurationError: The address cannot be listened on, or must not be.
        prefect.exceptions.StoreError: The store cannot be opened.
    """
    settings = get_current_settings().server
    host = settings.api.host if host is None else host
    if not (is_loopback(host) or credentials_of(settings.api).are_asked or allow_unauthenticated):
        raise ConfigurationError(
            f"The server does not listen on {host} without authentication: whoever reaches it could change "
            "anything, and have code run. Set PREFECT_SERVER_API_AUTH_STRING to user:password, or use "
            "--host 127.0.0.1, or, where only those reach it who may, --allow-unauthenticated."
        )
    listener = _listen(host, settings.api.port if port is None else port)
    with listener:
        store = open_store()
        crash_orphans(store, now())
        config = uvicorn.Config(
            make_app(store, checks_hosts=not allow_unauthenticated),
            access_log=False,
            log_config=None,
            log_level=settings.logging_level.lower(),
            timeout_keep_alive=settings.api.keepalive_timeout,
            timeout_graceful_shutdown=STOP_SECONDS,
            server_header=False,
        )
        address = f"[{host}]" if ":" in host else host
        if announce is not None:
            announce(f"http://{address}:{listener.getsockname()[1]}{prefix_of(settings.api)}")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            store.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only sends small answers at once (TCP_NODELAY) where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on who connects is heard, if only when everything is up.
        listener.listen(WAITING_CONNECTIONS)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigurationError(
            f"The server cannot listen on {host}, port {port} ({error}). Choose another with --port."
        ) from error
    return listener
