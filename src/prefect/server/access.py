"""Who may come in, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prefect.operations.csrf import csrf_key, refuse_csrf_token
from prefect.server.credentials import Credentials
from prefect.server.origins import Origins
from prefect.settings.server_table import ServerAPISettings
from prefect.store.base import Store
from prefect.types import now

__all__ = ["PREFIX", "Access", "access_of", "credentials_of", "prefix_of"]

PREFIX = "/api"
"""What the paths of the API start with, unless the settings say otherwise."""


class Access(NamedTuple):
    """Who may come in."""

    credentials: Credentials
    origins: Origins
    refuse_token: Callable[[str | None, str | None], str | None] | None = None
    """Gives what is wrong with a token and the client it is for; None: no tokens are asked for."""


def prefix_of(settings: ServerAPISettings) -> str:
    """Return what the paths of the API start with.

    Args:
        settings: How the server serves.
    """
    if settings.base_path is None:
        return PREFIX
    path = settings.base_path.strip("/")
    return f"/{path}" if path else ""


def access_of(settings: ServerAPISettings, store: Store, *, checks_hosts: bool) -> Access:
    """Return who may come in.

    Args:
        settings: How the server serves.
        store: Where the key of tokens is kept.
        checks_hosts: Whether the server must have been reached by a name of this machine.
    """
    credentials = credentials_of(settings)
    origins = Origins(
        settings.cors_allowed_origins,
        settings.cors_allowed_methods,
        settings.cors_allowed_headers,
        is_guarded=credentials.are_asked,
        checks_hosts=checks_hosts,
    )
    if not settings.csrf_protection_enabled:
        return Access(credentials, origins)
    key = csrf_key(store)
    return Access(credentials, origins, lambda token, client: refuse_csrf_token(key, token, client, now()))


def credentials_of(settings: ServerAPISettings) -> Credentials:
    """Return what clients must send.

    Args:
        settings: How the server serves.
    """
    auth_string, key = (
        each.get_secret_value() if each else "" for each in (settings.auth_string, settings.key)
    )
    # Keys are often read from files, which end in an end of line; no header has one. Blanks alone stay a key:
    # who has set one does not want to let everybody in.
    return Credentials(auth_string, key.strip() or key)
