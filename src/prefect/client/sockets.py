"""The sockets of a server: opened with what the settings say, and let in."""

from __future__ import annotations

import logging
import os
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from prefect.exceptions import ServerUnreachable

if TYPE_CHECKING:
    from prefect.client.options import ClientOptions

__all__ = ["CONNECT", "NoThreads", "SocketRefused", "open_socket"]

CONNECT, CLOSE = 10.0, 2.0
"""Seconds that a connection, and the end of one, may take."""
_LARGEST = 64 * 1024 * 1024
"""Bytes of a message: a task run, or an event with its payload."""
_NOT_NOW = frozenset({429, 502, 503, 504})
_silent = logging.Logger("websockets", level=logging.CRITICAL)
"""A server that answers no ping is an outage, of which who listens tells in one line, and no traceback."""
_POLICY_VIOLATION = 1008
"""How sockets say that somebody may not come in."""


class SocketRefused(Exception):
    """The server, or a proxy before it, answers but does not open sockets."""


class NoThreads(SocketRefused):
    """This process starts no threads, by which sockets are read: most likely it is at its end."""


class _Connection(ClientConnection):
    """A connection whose pings draw nothing from `random`: programs seed it, and count on what follows."""

    def ping(self, data: Any = None, *more: Any, **named: Any) -> Any:
        return super().ping(os.urandom(8) if data is None else data, *more, **named)


def open_socket(options: ClientOptions, path: str) -> ClientConnection:
    """Open a socket; whoever asked for it closes it.

    Args:
        options: How to reach the server.
        path: The socket's path, below the server's URL.

    Raises:
        SocketRefused: No socket can be opened, though the server answers.
        prefect.exceptions.ServerUnreachable: The server is away, or lets nobody in.
    """
    connection = _connect(options, path)
    try:
        connection.send(msgspec.json.encode({"type": "auth", "token": _token_of(options)}).decode())
        connection.recv(timeout=CONNECT)
    except (WebSocketException, OSError) as error:
        connection.close()
        raise ServerUnreachable(f"{options.url}{path} did not let us in: {_why(options, error)}.") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(options: ClientOptions, path: str) -> ClientConnection:
    try:
        # Entered, as it must be: left alone, it warns. It is left by whoever closes it.
        return connect(
            f"ws{options.url.removeprefix('http')}{path}",
            subprotocols=[Subprotocol("prefect")],
            additional_headers=[header for header in options.headers if header[0] != "User-Agent"],
            user_agent_header=dict(options.headers).get("User-Agent"),
            ssl=_ssl_of(options),
            compression=None,
            open_timeout=CONNECT,
            close_timeout=CLOSE,
            max_size=_LARGEST,
            logger=_silent,
            create_connection=_Connection,
        ).__enter__()
    except InvalidStatus as error:
        status = error.response.status_code
        if status in _NOT_NOW:
            raise ServerUnreachable(f"{options.url} opens no socket now: HTTP {status}.") from error
        raise SocketRefused(f"{options.url} opens no socket: HTTP {status}.") from error
    except (WebSocketException, OSError, EOFError) as error:
        raise ServerUnreachable(f"{options.url} cannot be reached: {error}.") from error
    except RuntimeError as error:
        # Python 3.12 starts none once a program has come to its end, when what it did is still to be told.
        raise NoThreads(f"No socket to {options.url} can be read: {error}.") from error


def _why(options: ClientOptions, error: Exception) -> str:
    received = error.rcvd if isinstance(error, ConnectionClosed) else None
    if received is None or received.code != _POLICY_VIOLATION:
        return str(error)
    known = "takes another login than" if _token_of(options) else "asks for a login, and there is none in"
    return (
        f"it {known} PREFECT_API_AUTH_STRING or PREFECT_API_KEY here ({received.reason}). Set it in the "
        "environment of each process that records runs: workers of Dask and Ray too, to which it is not sent"
    )


def _token_of(options: ClientOptions) -> str | None:
    kind, _, secret = dict(options.headers).get("Authorization", "").partition(" ")
    if kind == "Basic":
        return b64decode(secret).decode()
    return secret or None


def _ssl_of(options: ClientOptions) -> Any:
    if not options.url.startswith("https"):
        return None
    import ssl  # noqa: PLC0415 - only with a server that has a certificate

    context = ssl.create_default_context(cafile=options.ssl_cert_file)
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
