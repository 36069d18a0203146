"""The settings of features that may change."""

from __future__ import annotations

from prefect.settings.table import ExperimentsSettings

__all__ = ["ExperimentsSettings"]
