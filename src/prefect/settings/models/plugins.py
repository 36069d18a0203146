"""The settings of plugins."""

from __future__ import annotations

from prefect.settings.table import PluginsSettings

__all__ = ["PluginsSettings"]
