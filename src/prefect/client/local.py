"""Calls operations in this process: no HTTP, no event loop, no server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from prefect.operations.leases import crash_orphans
from prefect.settings import Settings, get_current_settings
from prefect.store import open_store
from prefect.store.base import Store
from prefect.types import now

__all__ = ["LocalClient", "get_local_client"]

P = ParamSpec("P")
R = TypeVar("R")


class LocalClient:
    """Calls operations over a store.

    Args:
        store: The store.
    """

    __slots__ = ("store",)

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def name(self) -> str:
        """The store's URL, without user and password."""
        scheme, separator, rest = self.store.url.partition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"

    @property
    def page(self) -> None:
        """Queries give as many objects as they ask for."""

    def call(self, operation: Callable[Concatenate[Store, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an operation.

        Args:
            operation: One of `prefect.operations`.
            args: Its arguments, without the store.
            kwargs: Its named arguments.

        Returns:
            What the operation returns.
        """
        return operation(self.store, *args, **kwargs)


_clients: dict[Store, LocalClient] = {}
_latest: tuple[Settings, LocalClient] | None = None


def get_local_client(url: str | None = None) -> LocalClient:
    """Return this process's client for a database.

    The first time it is asked for, runs whose process is gone are found and end as Crashed.

    Args:
        url: See `prefect.store.open_store`.
    """
    global _latest
    settings, latest = get_current_settings(), _latest
    if url is None and latest is not None and latest[0] is settings:
        return latest[1]
    store = open_store(url)
    client = _clients.get(store)
    if client is None:
        client = _clients.setdefault(store, LocalClient(store))
        client.call(crash_orphans, now())
    if url is None:
        _latest = settings, client
    return client
