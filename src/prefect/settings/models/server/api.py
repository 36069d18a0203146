"""The settings of a server's API."""

from __future__ import annotations

from prefect.settings.server_table import ServerAPISettings

__all__ = ["ServerAPISettings"]
