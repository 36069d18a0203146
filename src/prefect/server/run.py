"""Runs the server until it is told to stop."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import uvicorn

from prefect.exceptions import ConfigurationError
from prefect.operations import crash_orphans
from prefect.server.app import PREFIX, make_app
from prefect.settings import get_current_settings
from prefect.settings.server_table import ServerAPISettings
from prefect.store import open_store
from prefect.types import now

__all__ = ["serve"]

WAITING_CONNECTIONS = 2048
STOP_SECONDS = 30
"""How long requests that are under way may take when the server stops."""


def serve(
    host: str | None = None, port: int | None = None, announce: Callable[[str], None] | None = None
) -> None:
    """Serve the store of the settings until SIGINT or SIGTERM; then write what was accepted, and end.

    Args:
        host: The address to listen on; None: that of the settings.
        port: The port; 0: any that is free; None: that of the settings.
        announce: Is told the API's URL as soon as the server listens.

    Raises:
        prefect.exceptions.ConfigurationError: The address cannot be listened on, or must not be.
        prefect.exceptions.StoreError: The store cannot be opened.
    """
    settings = get_current_settings().server
    _refuse_what_is_not_there(settings.api)
    host = settings.api.host if host is None else host
    listener = _listen(host, settings.api.port if port is None else port)
    with listener:
        store = open_store()
        crash_orphans(store, now())
        config = uvicorn.Config(
            make_app(store),
            access_log=False,
            log_config=None,
            log_level=settings.logging_level.lower(),
            timeout_keep_alive=settings.api.keepalive_timeout,
            timeout_graceful_shutdown=STOP_SECONDS,
            server_header=False,
        )
        address = f"[{host}]" if ":" in host else host
        if announce is not None:
            announce(f"http://{address}:{listener.getsockname()[1]}{PREFIX}")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            store.close()


def _refuse_what_is_not_there(settings: ServerAPISettings) -> None:
    """A server that silently left protection out would be worse than none."""
    asked = {
        "PREFECT_SERVER_API_AUTH_STRING": settings.auth_string,
        "PREFECT_SERVER_API_BASE_PATH": settings.base_path,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": settings.csrf_protection_enabled,
    }
    if names := [name for name, value in asked.items() if value]:
        raise ConfigurationError(
            f"The server knows nothing of {', '.join(names)} yet, so it does not start. "
            "Unset that to go without."
        )


def _listen(host: str, port: int) -> socket.socket:
    if not _is_loopback(host):
        raise ConfigurationError(
            f"The server does not listen on {host}: it has no authentication yet, so whoever reaches it "
            "could change anything. Use --host 127.0.0.1; a proxy that authenticates may stand before it."
        )
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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
