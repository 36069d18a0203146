"""The settings of the database."""

from __future__ import annotations

from prefect.settings.server_table import ServerDatabaseSettings, SQLAlchemySettings

__all__ = ["ServerDatabaseSettings", "SQLAlchemySettings"]
