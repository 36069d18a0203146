"""The settings of the API."""

from __future__ import annotations

from prefect.settings.table import APISettings

__all__ = ["APISettings"]
