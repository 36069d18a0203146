"""Results: how they are kept, and found again.

A run's result lives in memory with its state, unless it is kept (`persist_result=True`): then a `ResultStore`
writes it to a file, and the state remembers which. Names are loaded when first used: most runs keep nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.schemas.results import ResultRecord, ResultRecordMetadata, set_result_reader

if TYPE_CHECKING:
    from prefect.results.current import get_result_store as get_result_store
    from prefect.results.current import should_persist_result as should_persist_result
    from prefect.results.defaults import aget_default_result_storage as aget_default_result_storage
    from prefect.results.defaults import get_default_persist_setting as get_default_persist_setting
    from prefect.results.defaults import (
        get_default_persist_setting_for_tasks as get_default_persist_setting_for_tasks,
    )
    from prefect.results.defaults import get_default_result_serializer as get_default_result_serializer
    from prefect.results.defaults import get_default_result_storage as get_default_result_storage
    from prefect.results.serializers import resolve_serializer as resolve_serializer
    from prefect.results.storage import resolve_result_storage as resolve_result_storage
    from prefect.results.store import ResultStore as ResultStore
    from prefect.results.wiring import wire_results as wire_results

_HOMES = {
    "ResultStore": "store",
    "aget_default_result_storage": "defaults",
    "get_default_persist_setting": "defaults",
    "get_default_persist_setting_for_tasks": "defaults",
    "get_default_result_serializer": "defaults",
    "get_default_result_storage": "defaults",
    "get_result_store": "current",
    "resolve_result_storage": "storage",
    "resolve_serializer": "serializers",
    "should_persist_result": "current",
    "wire_results": "wiring",
}

__all__ = ["ResultRecord", "ResultRecordMetadata", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'prefect.results' has no attribute {name!r}")
    value = getattr(import_module(f"prefect.results.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _read(metadata: ResultRecordMetadata) -> Any:
    from prefect.results.store import read_result  # noqa: PLC0415 - most runs read no result that was kept

    return read_result(metadata)


set_result_reader(_read)
