"""The application: where everything that serves is put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from prefect.operations.events import record_events
from prefect.server.access import PREFIX, access_of, prefix_of
from prefect.server.endpoints import add_operations
from prefect.server.events import events_in
from prefect.server.gate import Gate
from prefect.server.inbox import Inbox
from prefect.server.pages import add_documentation, add_figures, add_ui_settings
from prefect.server.paths import Paths
from prefect.server.subscriptions import Subscriptions
from prefect.server.worker_channel import REFUSAL, worker_channel
from prefect.server.workroom import Workroom
from prefect.settings import get_current_settings
from prefect.store.base import Store

if TYPE_CHECKING:
    from prefect.server.metrics import Metrics

__all__ = ["PREFIX", "make_app"]


def make_app(store: Store, workroom: Workroom | None = None, *, checks_hosts: bool = True) -> Gate:
    """Return the application that serves a store as the settings say.

    Args:
        store: Where everything is kept; whoever gives it closes it.
        workroom: Where operations are carried out; None: one of the usual size.
        checks_hosts: Whether, where no credentials are asked for, the server must have been reached by a name
            of this machine.
    """
    server = get_current_settings().server
    settings = server.api
    prefix = prefix_of(settings)
    room = workroom or Workroom(writes_alone=store.dialect == "sqlite")
    store.keeps_events = True
    subscriptions = Subscriptions(store, room)
    inbox = Inbox(room, partial(record_events, store), subscriptions.wake)
    metrics = _metrics(store, room, inbox) if server.metrics_enabled else None

    @asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        inbox.open()
        try:
            yield
        finally:
            await subscriptions.close()
            await inbox.close()
            room.close()

    paths = Paths(life)
    add_operations(paths, prefix, store, room, subscriptions.wake)
    paths.add_socket(f"{prefix}/events/in", events_in(inbox))
    for path, serve in subscriptions.sockets().items():
        paths.add_socket(prefix + path, serve)
    workers = f"{prefix}/work_pools/{{work_pool_name}}/workers/connect"
    paths.add_socket(workers, worker_channel(store, room), REFUSAL)
    add_documentation(paths, prefix)
    add_ui_settings(paths, server)
    if metrics is not None:
        add_figures(paths, prefix, metrics, room)
    return Gate(paths, access_of(settings, store, checks_hosts=checks_hosts), prefix, metrics)


def _metrics(store: Store, workroom: Workroom, inbox: Inbox) -> Metrics:
    from prefect.server.metrics import Metrics  # noqa: PLC0415 - only where it is asked for: 60 ms

    return Metrics(store, workroom, inbox)
