"""What results must know of the run that is current. The floors above say it; without them nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.results.store import ResultStore

__all__ = ["current_persist", "current_store", "key_names", "wire_results"]


def _nothing() -> None:
    return None


_store: Callable[[], ResultStore | None] = _nothing
_persist: Callable[[], bool | None] = _nothing
_names: Callable[[], Mapping[str, Any]] = dict


def wire_results(
    *,
    store: Callable[[], ResultStore | None] | None = None,
    persist: Callable[[], bool | None] | None = None,
    names: Callable[[], Mapping[str, Any]] | None = None,
) -> None:
    """Say where facts about the current run come from; what is left out stays as it was.

    Args:
        store: Returns the result store of the current run, or None.
        persist: Returns whether the current run keeps its result; None, where there is no run.
        names: Returns what storage keys may refer to: `flow_run`, `task_run`, `deployment`, `parameters`.
    """
    global _store, _persist, _names
    _store, _persist, _names = store or _store, persist or _persist, names or _names


def current_store() -> ResultStore | None:
    """Return the result store of the current run, or None."""
    return _store()


def current_persist() -> bool | None:
    """Return whether the current run keeps its result; None, where there is no run."""
    return _persist()


def key_names() -> Mapping[str, Any]:
    """Return what storage keys may refer to."""
    return _names()
