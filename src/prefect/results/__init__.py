"""Results: how they are kept, and found again.

A run's result lives in memory with its state, unless it is kept (`persist_result=True`): then a `ResultStore`
writes it to a file, and the state remembers which.
"""

from __future__ import annotations

from prefect.results.current import get_result_store, should_persist_result
from prefect.results.defaults import (
    aget_default_result_storage,
    get_default_persist_setting,
    get_default_persist_setting_for_tasks,
    get_default_result_serializer,
    get_default_result_storage,
)
from prefect.results.serializers import resolve_serializer
from prefect.results.storage import resolve_storage as resolve_result_storage
from prefect.results.store import ResultStore, read_result
from prefect.results.wiring import wire_results
from prefect.schemas.results import ResultRecord, ResultRecordMetadata, set_result_reader

__all__ = [
    "ResultRecord",
    "ResultRecordMetadata",
    "ResultStore",
    "aget_default_result_storage",
    "get_default_persist_setting",
    "get_default_persist_setting_for_tasks",
    "get_default_result_serializer",
    "get_default_result_storage",
    "get_result_store",
    "resolve_result_storage",
    "resolve_serializer",
    "should_persist_result",
    "wire_results",
]

set_result_reader(read_result)
