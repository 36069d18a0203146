"""Clients: how the engine, the command line and users call operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.client.orchestration import get_client as get_client

__all__ = ["get_client"]


def __getattr__(name: str) -> Any:
    """Load the client for users when it is asked for: runs need but a part of it."""
    if name == "get_client":
        from prefect.client.orchestration import get_client  # noqa: PLC0415 - see above

        return get_client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
