"""Chooses what calls operations: a server where the settings name one, else the store on this machine."""

from __future__ import annotations

from prefect.client.base import Caller
from prefect.client.local import get_local_client
from prefect.settings import get_current_settings

__all__ = ["get_caller"]


def get_caller() -> Caller:
    """Return what the current settings have operations called by; the same one for the same settings.

    Raises:
        prefect.exceptions.ConfigurationError: `PREFECT_API_URL` is no URL.
        prefect.exceptions.StoreError: There is none, and the store cannot be opened.
    """
    if get_current_settings().api.url is None:
        return get_local_client()
    from prefect.client.http import get_http_client  # noqa: PLC0415 - only where a server is used

    return get_http_client()
