"""The settings of a server."""

from __future__ import annotations

from prefect.settings.server_table import ServerSettings

__all__ = ["ServerSettings"]
