"""The result store of the current run."""

from __future__ import annotations

from prefect.results.defaults import get_default_persist_setting
from prefect.results.store import ResultStore
from prefect.results.wiring import current_persist, current_store

__all__ = ["get_result_store", "should_persist_result"]


def get_result_store() -> ResultStore:
    """Return the current run's result store; without a run, one made from the settings."""
    return current_store() or ResultStore()


def should_persist_result() -> bool:
    """Whether the current run keeps its result; without a run, what the settings say."""
    said = current_persist()
    return get_default_persist_setting() if said is None else said
