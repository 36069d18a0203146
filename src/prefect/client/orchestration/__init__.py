"""The client for users: `get_client()` and the two clients that it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from prefect.client.orchestration.base import ServerType
from prefect.client.orchestration.sync import SyncPrefectClient

if TYPE_CHECKING:
    from prefect.client.orchestration.asynchronous import PrefectClient

__all__ = ["PrefectClient", "ServerType", "SyncPrefectClient", "get_client"]


@overload
def get_client(
    httpx_settings: dict[str, Any] | None = None, sync_client: Literal[False] = False
) -> PrefectClient: ...


@overload
def get_client(
    httpx_settings: dict[str, Any] | None = None, *, sync_client: Literal[True]
) -> SyncPrefectClient: ...


@overload
def get_client(httpx_settings: dict[str, Any] | None, sync_client: Literal[True]) -> SyncPrefectClient: ...


def get_client(
    httpx_settings: dict[str, Any] | None = None, sync_client: bool = False
) -> SyncPrefectClient | PrefectClient:
    """Return a client of the API: a server's where `PREFECT_API_URL` is set, else the store on this machine.

    Args:
        httpx_settings: `headers` to add to each request, a `timeout` in seconds, `verify`: whether the
            server's certificate must be trusted.
        sync_client: Return one whose methods are called plainly; otherwise they are awaited.

    Raises:
        prefect.exceptions.ConfigurationError: `PREFECT_API_URL` is no URL.
    """
    if sync_client:
        return SyncPrefectClient(httpx_settings=httpx_settings)
    from prefect.client.orchestration.asynchronous import PrefectClient  # noqa: PLC0415 - asyncio

    return PrefectClient(httpx_settings=httpx_settings)


def __getattr__(name: str) -> Any:
    """Load the async client when it is asked for: asyncio is slow to load."""
    if name == "PrefectClient":
        from prefect.client.orchestration.asynchronous import PrefectClient  # noqa: PLC0415 - asyncio

        return PrefectClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
