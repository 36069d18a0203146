"""What is done with results unless something more particular says otherwise: the settings' word."""

from __future__ import annotations

from typing import Any

from prefect.results.serializers import Serializer, resolve_serializer
from prefect.results.storage import LocalFileSystem, WritableFileSystem, resolve_result_storage
from prefect.settings import get_current_settings

__all__ = [
    "aget_default_result_storage",
    "get_default_persist_setting",
    "get_default_persist_setting_for_tasks",
    "get_default_result_serializer",
    "get_default_result_storage",
]


def get_default_result_storage() -> WritableFileSystem:
    """Return where results are kept by default.

    Raises:
        ValueError: The settings name a storage block; those are not supported yet.
    """
    results = get_current_settings().results
    if results.default_storage_block:
        return resolve_result_storage(results.default_storage_block)
    return LocalFileSystem(basepath=results.local_storage_path)


async def aget_default_result_storage() -> WritableFileSystem:
    """Return where results are kept by default; `get_default_result_storage` for async code."""
    return get_default_result_storage()


def get_default_result_serializer() -> Serializer[Any]:
    """Return how results are written by default."""
    return resolve_serializer(get_current_settings().results.default_serializer)


def get_default_persist_setting() -> bool:
    """Whether flows that do not say keep their results."""
    return get_current_settings().results.persist_by_default


def get_default_persist_setting_for_tasks() -> bool:
    """Whether tasks that do not say keep their results."""
    settings = get_current_settings()
    for_tasks = settings.tasks.default_persist_result
    return settings.results.persist_by_default if for_tasks is None else for_tasks
