"""Servers to talk to: one that says what a test tells it to, and ours, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from http_servers import Scripted, drop_connections, serving
from prefect.settings.context import temporary_settings
from prefect.store.base import Store
from stores import postgres_store, sqlite_store, store

__all__ = ["postgres_store", "sqlite_store", "store"]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that does as it is told."""
    made = Scripted()
    yield made
    drop_connections()
    made.close()


@pytest.fixture
def server(store: Store) -> Iterator[str]:
    """The URL of our server, over an empty store."""
    with serving(store) as url:
        yield url


@pytest.fixture(params=["here", "server"])
def place(request: pytest.FixtureRequest, store: Store) -> Iterator[str]:
    """Settings under which the client works on an empty store: in this process, or by our server."""
    if request.param == "here":
        with temporary_settings({"PREFECT_SERVER_DATABASE_CONNECTION_URL": store.url}):
            yield request.param
    else:
        with serving(store) as url, temporary_settings({"PREFECT_API_URL": url}):
            yield request.param


@pytest.fixture
def waits() -> list[float]:
    """How long a client waited, one after the other."""
    return []


@pytest.fixture
def sleep(waits: list[float]) -> Callable[[float], None]:
    """Wait for nothing, and write down for how long."""
    return waits.append
