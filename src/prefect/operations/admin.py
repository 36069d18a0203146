"""Operations that tell of the server itself."""

from __future__ import annotations

from typing import Any

from prefect.operations.registry import operation
from prefect.settings import get_current_settings
from prefect.store import statements
from prefect.store.base import Store
from prefect.version import API_VERSION, INTERFACE_VERSION

__all__ = [
    "read_admin_version",
    "read_api_version",
    "read_health",
    "read_hello",
    "read_readiness",
    "read_server_settings",
]


@operation("GET", "/health")
def read_health(store: Store) -> bool:
    """Say that the server answers."""
    return True


@operation("GET", "/hello")
def read_hello(store: Store) -> str:
    """Greet who asks."""
    return "\N{WAVING HAND SIGN}"


@operation("GET", "/ready")
def read_readiness(store: Store) -> dict[str, str]:
    """Say that the store answers too.

    Raises:
        prefect.exceptions.StoreError: It does not.
    """
    store.fetch(statements.RECENT_FLOWS, (1, 0))
    return {"message": "OK"}


@operation("GET", "/version")
def read_api_version(store: Store) -> str:
    """Return the version of the protocol."""
    return API_VERSION


@operation("GET", "/admin/version")
def read_admin_version(store: Store) -> str:
    """Return the release of Prefect whose interface is served, which clients compare with their own."""
    return INTERFACE_VERSION


@operation("GET", "/admin/settings")
def read_server_settings(store: Store) -> dict[str, Any]:
    """Return the settings that apply, secrets masked."""
    return get_current_settings().model_dump(mode="json")
