"""All settings."""

from __future__ import annotations

from prefect.settings.root import Settings

__all__ = ["Settings"]
