"""The settings of the HTTP client."""

from __future__ import annotations

from prefect.settings.table import ClientMetricsSettings, ClientSettings

__all__ = ["ClientMetricsSettings", "ClientSettings"]
