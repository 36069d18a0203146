"""A bell: it rings when there may be runs to start, or to end, so that nobody has to look all the time.

On this machine's store it notices that something was written. A server, ours or one of Prefect 3.8, tells the
states that flow runs enter by its socket of events. Where neither can be had, runners and workers look as
often as the settings say; they do so besides, for runs that become due by themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from prefect.client.base import Caller
from prefect.client.local import LocalClient
from prefect.exceptions import ServerUnreachable
from prefect.logging.loggers import get_logger
from prefect.store.watching import StoreWatch
from prefect.types import now

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["Bell"]

_NOTICE_SECONDS = 0.05
"""How often it is noticed that a store on this machine has changed."""
_REST_SECONDS = 0.1
"""How long the bell is silent after it rang: many runs that are made at once are one reason to look."""
_LEAST_PAUSE, _MOST_PAUSE = 1.0, 60.0
"""Seconds from one attempt to reach a server that is away to the next."""
_LAST_SECONDS = 2.0
"""How long to wait for the thread, which may be just connecting."""
_EVENTS = (
    *(
        f"prefect.flow-run.{name}"
        for name in ("Scheduled", "Resuming", "AwaitingRetry", "Cancelling", "Cancelled")
    ),
    # One that was paused goes on.
    *(f"prefect.work-{what}.{name}" for what in ("pool", "queue") for name in ("ready", "not-ready")),
)

_logger = get_logger("runner")


class Bell:
    """Rings when there may be something to do; entered, it listens until it is left.

    Args:
        client: Where runs are kept.
        about: Gives the resources whose runs matter, as events call them: `prefect.deployment.<id>`.
        ring: Is called by a thread of the bell.
    """

    def __init__(
        self, client: Caller, about: Callable[[], Sequence[str]], ring: Callable[[], object]
    ) -> None:
        self._client = client
        self._about = about
        self._ring = ring
        self._stop = threading.Event()
        self._connection: ClientConnection | None = None
        # The settings that apply here apply in the thread too.
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._listen,), name="prefect-bell", daemon=True
        )

    def __enter__(self) -> Bell:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if (connection := self._connection) is not None:
            connection.close()
        self._thread.join(_LAST_SECONDS)

    def _listen(self) -> None:
        if isinstance(self._client, LocalClient):
            self._watch(StoreWatch(self._client.store))
        else:
            self._subscribe_again()

    def _watch(self, watch: StoreWatch) -> None:
        try:
            while watch.is_able and not self._stop.wait(_NOTICE_SECONDS):
                if watch.has_changed():
                    self._ring()
                    self._stop.wait(_REST_SECONDS)
        finally:
            watch.close()

    def _subscribe_again(self) -> None:
        from prefect.client.sockets import SocketRefused  # noqa: PLC0415 - only with a server

        pause = _LEAST_PAUSE
        while not self._stop.is_set():
            try:
                if self._about() and self._subscribe():
                    pause = _LEAST_PAUSE
            except SocketRefused as error:
                _logger.debug("New runs are found by looking for them alone. %s", error)
                return
            except ServerUnreachable as error:
                _logger.debug("The server does not tell of new runs now: %s", error)
            self._stop.wait(pause)
            pause = min(_MOST_PAUSE, 2 * pause)

    def _subscribe(self) -> bool:
        """Listen to a server until it goes away; return whether it told anything."""
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - only with a server

        from prefect.client.options import client_options  # noqa: PLC0415 - the same
        from prefect.client.sockets import open_socket  # noqa: PLC0415 - the same

        told = False
        with open_socket(client_options(), "/events/out") as connection:
            self._connection = connection
            try:
                connection.send(msgspec.json.encode(self._question()).decode())
                # What came before it listened is told by nobody.
                self._ring()
                while not self._stop.is_set():
                    connection.recv()
                    told = True
                    self._ring()
                    # Who looked at the first ring did not see what came in the silence after it.
                    while not self._stop.wait(_REST_SECONDS) and _drain(connection):
                        self._ring()
            except (WebSocketException, OSError, EOFError) as error:
                _logger.debug("The server does not tell of new runs any more: %s", error)
            finally:
                self._connection = None
        return told

    def _question(self) -> dict[str, Any]:
        at = now()
        return {
            "type": "filter",
            "filter": {
                "occurred": {"since": at - timedelta(minutes=1), "until": at + timedelta(days=36500)},
                "event": {"name": list(_EVENTS)},
                "any_resource": {"id": list(self._about())},
            },
            "backfill": False,
        }


def _drain(connection: ClientConnection) -> bool:
    """Take what was told while the bell was silent, and return whether there was anything."""
    told = False
    while True:
        try:
            connection.recv(timeout=0)
        except TimeoutError:
            return told
        told = True
