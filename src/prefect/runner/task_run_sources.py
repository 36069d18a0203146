"""Where workers of tasks get task runs from: the store of this machine, or a server by its socket."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from prefect.client.current import get_caller
from prefect.client.local import LocalClient
from prefect.exceptions import PrefectException, ServerUnreachable
from prefect.schemas.base import whole
from prefect.schemas.objects import TaskRun
from prefect.settings import get_current_settings
from prefect.types import now, uuid7

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["ServerSource", "StoreSource", "TaskRunSource", "open_source"]

_LEASE = timedelta(seconds=40)
"""For how long a run that was taken is nobody else's: within it, it is written down that it has begun."""
_PATH = "/task_runs/subscriptions/scheduled"
_ACKNOWLEDGED = '{"type":"ack"}'

_log = logging.getLogger("prefect.task_worker")


class TaskRunSource(Protocol):
    """Gives task runs that are due, each to one worker."""

    def take(self, seconds: float) -> TaskRun | None:
        """Wait for a task run, some seconds at most.

        Returns:
            The run, which is nobody else's now; None: none came.

        Raises:
            prefect.exceptions.PrefectException: The store or the server is away.
        """

    def rest(self) -> None:
        """Take nothing for a while: leave what comes to other workers."""


def open_source(keys: Sequence[str], client_id: str) -> TaskRunSource:
    """Return where the settings have task runs come from.

    Args:
        keys: The keys of the tasks.
        client_id: What the worker is called.
    """
    if get_current_settings().api.url is None:
        caller = get_caller()
        assert isinstance(caller, LocalClient)
        return StoreSource(caller, keys)
    return ServerSource(keys, client_id)


class StoreSource:
    """Takes task runs from a store. Whoever takes one, and dies before it begins, loses it to others.

    Args:
        client: The store's client.
        keys: The keys of the tasks.
    """

    def __init__(self, client: LocalClient, keys: Sequence[str]) -> None:
        # Here, since only workers need it; it builds its queries with SQLAlchemy.
        from prefect.operations.scheduled_task_runs import claim_task_run  # noqa: PLC0415 - SQLAlchemy

        self._claim = claim_task_run
        self._client = client
        self._keys = keys
        self._holder = uuid7().hex

    def take(self, seconds: float) -> TaskRun | None:
        """Look for a task run; who finds none has to wait before looking again."""
        at = now()
        return self._client.call(self._claim, self._keys, self._holder, at, at + _LEASE)

    def rest(self) -> None:
        """Take nothing for a while."""


class ServerSource:
    """Takes task runs from a server, which sends one after another by a socket.

    Args:
        keys: The keys of the tasks.
        client_id: What the worker is called.
    """

    def __init__(self, keys: Sequence[str], client_id: str) -> None:
        self._subscribe = msgspec.json.encode(
            {"type": "subscribe", "keys": list(keys), "client_id": client_id}
        ).decode()
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None

    def take(self, seconds: float) -> TaskRun | None:
        """Wait for a task run, some seconds at most, and say that it came."""
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - only with a server

        try:
            connection = self._connected()
            try:
                text = connection.recv(timeout=seconds)
            except TimeoutError:
                return None
            run = msgspec.json.decode(text, type=whole(TaskRun), strict=False)
            # Before it begins: what is not acknowledged is given to another worker.
            connection.send(_ACKNOWLEDGED)
            return run
        except (WebSocketException, OSError, EOFError) as error:
            self.rest()
            raise ServerUnreachable(f"The server of task runs went away: {error}.") from error
        except BaseException:
            self.rest()
            raise

    def rest(self) -> None:
        """Close the connection: what was sent and not acknowledged goes to other workers."""
        self._connection = None
        self._stack.close()

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            from prefect.client.options import client_options  # noqa: PLC0415 - only with a server
            from prefect.client.sockets import SocketRefused, open_socket  # noqa: PLC0415 - the same

            try:
                connection = self._stack.enter_context(open_socket(client_options(), _PATH))
            except SocketRefused as error:
                raise PrefectException(f"Task runs come by a socket. {error}") from error
            connection.send(self._subscribe)
            self._connection = connection
        return self._connection
