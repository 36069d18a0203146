"""The settings of results."""

from __future__ import annotations

from prefect.settings.table import ResultsSettings

__all__ = ["ResultsSettings"]
