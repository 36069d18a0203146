"""`PrefectClient`: the methods of `SyncPrefectClient` for async code, each carried out in a thread.

What its methods are, type checkers read from the stub beside this file. After a change:
`python tests/client/async_stub.py`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from prefect.client.orchestration.raw import Requests
from prefect.client.orchestration.sync import SyncPrefectClient

__all__ = ["AT_ONCE", "PrefectClient"]

AT_ONCE = frozenset({"client_version"})
"""Methods that ask nobody, and so are not awaited."""


class _AsyncRequests:
    """Plain requests of async code."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._sync = client


class PrefectClient:
    """Reads and changes what an API keeps, from async code; see `SyncPrefectClient`."""

    def __init__(self, api: str | None = None, **options: Any) -> None:
        self._sync = SyncPrefectClient(api, **options)
        self._client = _AsyncRequests(self._sync)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running event loop."""
        return asyncio.get_running_loop()

    async def __aenter__(self) -> PrefectClient:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave the connections open: other clients use them."""

    def __enter__(self) -> None:
        raise RuntimeError(
            "The async client needs `async with`; for `with`, use `get_client(sync_client=True)`."
        )

    def __exit__(self, *error: object) -> None:
        """Never reached; without it, Python's own message would hide the one above."""

    def __repr__(self) -> str:
        return repr(self._sync).replace("SyncPrefectClient", "PrefectClient", 1)


def _in_thread(
    method: Callable[..., Any], owner: Callable[[Any], Any]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    @functools.wraps(method)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        # The loop goes on meanwhile; the thread sees the context variables of the task that calls.
        return await asyncio.to_thread(lambda: method(owner(self), *args, **kwargs))

    call.__qualname__ = f"PrefectClient.{method.__name__}"
    return call


def _passed_on(prop: property) -> property:
    return property(lambda self: getattr(self._sync, prop.fget.__name__), doc=prop.__doc__)  # type: ignore[union-attr]


def _client_of(client: PrefectClient) -> SyncPrefectClient:
    return client._sync


def _requests_of(requests: _AsyncRequests) -> Requests:
    return requests._sync._client


def _derive() -> None:
    for name in dir(SyncPrefectClient):
        found = inspect.getattr_static(SyncPrefectClient, name)
        if name in AT_ONCE:
            setattr(PrefectClient, name, found)
        elif not name.startswith("_"):
            made = _passed_on(found) if isinstance(found, property) else _in_thread(found, _client_of)
            setattr(PrefectClient, name, made)
    for name in ("request", "get", "post", "patch", "put", "delete"):
        setattr(_AsyncRequests, name, _in_thread(getattr(Requests, name), _requests_of))


_derive()
