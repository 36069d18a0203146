"""Runs the server until it is told to stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from prefect.exceptions import ConfigurationError
from prefect.server.access import credentials_of, prefix_of
from prefect.server.origins import is_loopback
from prefect.settings import Settings, get_current_settings

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Serving", "listen", "serve"]

WAITING_CONNECTIONS = 2048
STOP_SECONDS = 30
"""How long requests that are under way may take when the server stops."""


class Serving(NamedTuple):
    """How a server serves, beside what the settings say."""

    listener: socket.socket
    url: str
    """Where its API is."""
    workers: int = 1
    """How many processes serve."""
    keep_alive: int | None = None
    """Seconds that an idle connection is kept; None: those of the settings."""
    log_level: str | None = None
    """The least level that is logged; None: that of the settings."""
    checks_hosts: bool = True
    """Whether, where no credentials are asked for, only names of this machine are served."""
    services: bool = True
    """Whether it also does what is due: plans runs, ends what is overdue, carries automations out."""


def listen(
    host: str | None = None, port: int | None = None, *, allow_unauthenticated: bool = False
) -> tuple[socket.socket, str]:
    """Listen, and return the listener and the URL of the API there.

    Args:
        host: The address to listen on; None: that of the settings.
        port: The port; 0: any that is free; None: that of the settings.
        allow_unauthenticated: Serve others than this machine, though nothing asks them who they are.

    Raises:
        prefect.exceptions.ConfigurationError: The address cannot be listened on, or must not be.
    """
    settings = get_current_settings().server.api
    host = settings.host if host is None else host
    if not (is_loopback(host) or credentials_of(settings).are_asked or allow_unauthenticated):
        raise ConfigurationError(
            f"The server does not listen on {host} without authentication: whoever reaches it could change "
            "anything, and have code run. Set PREFECT_SERVER_API_AUTH_STRING to user:password, or use "
            "--host 127.0.0.1, or, where only those reach it who may, --allow-unauthenticated."
        )
    listener = _listen(host, settings.port if port is None else port)
    address = f"[{host}]" if ":" in host else host
    return listener, f"http://{address}:{listener.getsockname()[1]}{prefix_of(settings)}"


def serve(serving: Serving, announce: Callable[[], None] | None = None) -> None:
    """Serve the store of the settings until SIGINT or SIGTERM; then write what was accepted, and end.

    Args:
        serving: How.
        announce: Is called when the store is open and requests are heard.

    Raises:
        prefect.exceptions.ConfigurationError: So many processes cannot serve this database, or figures cannot
            be served.
        prefect.exceptions.StoreError: The store cannot be opened.
    """
    settings = get_current_settings()
    _check_metrics(settings)
    if serving.workers < 1:
        raise ConfigurationError(f"--workers {serving.workers}: at least one process must serve.")
    if serving.workers > 1:
        from prefect.server.workers import supervise  # noqa: PLC0415 - few servers have several processes

        _check_workers(settings)
        supervise(serving.workers, lambda: _serve_alone(serving, settings), announce)
        return
    _serve_alone(serving, settings, announce)


def _serve_alone(serving: Serving, settings: Settings, announce: Callable[[], None] | None = None) -> None:
    # Only here, so that a process that supervises others stays small.
    import uvicorn  # noqa: PLC0415

    from prefect.operations import crash_orphans  # noqa: PLC0415
    from prefect.server.app import make_app  # noqa: PLC0415
    from prefect.server.connection import Connection  # noqa: PLC0415
    from prefect.server.parting import Parting  # noqa: PLC0415
    from prefect.services.loop import ServiceThread  # noqa: PLC0415
    from prefect.services.table import SYSTEM_BLOCKS, services_of  # noqa: PLC0415
    from prefect.store import open_store  # noqa: PLC0415
    from prefect.types import now  # noqa: PLC0415

    level = (serving.log_level or settings.server.logging_level).upper()
    logging.getLogger("prefect.server").setLevel(level)
    store = open_store()
    crash_orphans(store, now())
    config = uvicorn.Config(
        Parting(make_app(store, checks_hosts=serving.checks_hosts), lambda: server.should_exit),
        access_log=False,
        log_config=None,
        log_level=level.lower(),
        timeout_keep_alive=(
            settings.server.api.keepalive_timeout if serving.keep_alive is None else serving.keep_alive
        ),
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        http=Connection,
    )
    server = uvicorn.Server(config)
    # What is here now stays: the collector need not go through it each time, which holds all requests up for
    # some 50 ms.
    gc.collect()
    gc.freeze()
    if announce is not None:
        announce()
    try:
        with ServiceThread(store, [*services_of(settings), SYSTEM_BLOCKS] if serving.services else []):
            _run(server, serving.listener)
    finally:
        store.close()


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until a signal ends that, and return: services end what they are at, and the store is closed."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        server.run(sockets=[listener])
        return
    # uvicorn sends itself once more what has ended it, for whoever was there before: by default SIGTERM would
    # end the process then and there.
    before = signal.signal(signal.SIGTERM, stop)
    try:
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_metrics(settings: Settings) -> None:
    if settings.server.metrics_enabled and find_spec("prometheus_client") is None:
        raise ConfigurationError(
            "PREFECT_SERVER_METRICS_ENABLED needs prometheus-client, which is not installed: "
            "pip install 'proconsul[metrics]', or turn the setting off."
        )


def _check_workers(settings: Settings) -> None:
    if not hasattr(os, "fork"):
        raise ConfigurationError("--workers needs a system that can fork, which Windows cannot.")
    url = settings.server.database.connection_url
    if url is None or not url.get_secret_value().startswith("postgres"):
        raise ConfigurationError(
            "--workers needs PostgreSQL: one process writes a SQLite file as fast as several do. "
            "Set PREFECT_SERVER_DATABASE_CONNECTION_URL to postgresql://…, or leave --workers out."
        )


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
            f"The server cannot listen on {host}, port {port} ({error}). Set others with --host and --port."
        ) from error
    return listener
