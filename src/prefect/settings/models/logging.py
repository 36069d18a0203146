"""The settings of logging."""

from __future__ import annotations

from prefect.settings.table import LoggingSettings, LoggingToAPISettings

__all__ = ["LoggingSettings", "LoggingToAPISettings"]
