"""What a run is given: futures turned into their results, and which task runs the values came from."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable
from time import monotonic
from typing import Any
from uuid import UUID

from prefect.engine.future import PrefectFuture
from prefect.exceptions import UpstreamTaskError
from prefect.rules.inputs import find, replace
from prefect.schemas.objects import Constant, FlowRunResult, Parameter, TaskRunResult
from prefect.schemas.states import State, result_of
from prefect.types.annotations import allow_failure, quote, unmapped

__all__ = ["ResultTracker", "TaskInputs", "listed", "pending", "resolve", "task_inputs"]

TaskInputs = dict[str, list[TaskRunResult | FlowRunResult | Parameter | Constant]]

_ATOMS = frozenset({int, float, str, bytes, bool, type(None), complex})
_UNTRACKED = frozenset({bool, type(None), type(...), type(NotImplemented)})
_MARKED = (PrefectFuture, State, allow_failure)
_SWEEP_SECONDS = 0.02
_LOOKED_AT = 1_000
"""How many items of a container are looked up for where they came from."""


class ResultTracker:
    """Remembers which task run made which object, for as long as somebody else holds the object.

    Objects that allow it are watched through weak references. The others (numbers, texts, lists, dicts) must
    be held, or their ids could come to mean other objects; those that nobody else holds any more are let go
    whenever the table has doubled or a moment has passed, which costs a constant share of time.
    """

    __slots__ = ("_held", "_sweep_at", "_sweep_due", "_watched")

    def __init__(self) -> None:
        self._held: dict[int, tuple[Any, UUID]] = {}
        self._watched: dict[int, tuple[weakref.ref[Any], UUID]] = {}
        self._sweep_at = 256
        self._sweep_due = 0.0

    def note(self, value: Any, task_run_id: UUID) -> None:
        """Remember that a task run made an object."""
        kind = type(value)
        if kind in _UNTRACKED:
            return
        key = id(value)
        if kind.__weakrefoffset__:
            watched = self._watched

            def forget(_: object) -> None:
                watched.pop(key, None)

            watched[key] = (weakref.ref(value, forget), task_run_id)
            return
        self._held[key] = (value, task_run_id)
        # By the clock too: it takes time to make what is large, and a few such results fill the memory.
        if len(self._held) >= self._sweep_at or monotonic() >= self._sweep_due:
            self._sweep()

    def find(self, value: Any) -> UUID | None:
        """Return the task run that made an object, or None."""
        found = self._held.get(id(value))
        if found is not None:
            return found[1]
        if self._watched:
            watched = self._watched.get(id(value))
            if watched is not None and watched[0]() is value:
                return watched[1]
        return None

    def _sweep(self) -> None:
        begun = monotonic()
        for key, references in _references(self._held):
            if references <= _OUR_REFERENCES:
                self._held.pop(key, None)
        self._sweep_at = max(256, 2 * len(self._held))
        ended = monotonic()
        self._sweep_due = ended + max(_SWEEP_SECONDS, 20 * (ended - begun))


def _references(held: dict[int, tuple[Any, UUID]]) -> list[tuple[int, int]]:
    # Of a copy, which is made in one step: other threads go on noting.
    return [(key, sys.getrefcount(value)) for key, (value, _) in held.copy().items()]


_OUR_REFERENCES = _references({0: ([], UUID(int=0))})[0][1]
"""How often an object is referred to that nobody but the table holds; Python's releases count differently."""


def listed(wait_for: Any) -> Any:
    """Return the runs to wait for in a form that can be looked through more than once.

    Args:
        wait_for: An iterable, which may be an iterator; or a single run.
    """
    if wait_for is None or isinstance(
        wait_for, list | tuple | set | dict | PrefectFuture | State | allow_failure
    ):
        return wait_for
    return list(wait_for)


def pending(parameters: dict[str, Any], wait_for: Iterable[Any] | None = None) -> list[PrefectFuture[Any]]:
    """Return the futures among the arguments; waiting for them is the caller's.

    Args:
        parameters: The arguments; one that is no container costs a look at its type.
        wait_for: Further futures, or containers of them.
    """
    found: list[PrefectFuture[Any]] = []
    for value in parameters.values():
        if type(value) not in _ATOMS:
            found += _futures_in(value)
    if wait_for is not None:
        found += _futures_in(wait_for)
    return found


def _futures_in(value: Any) -> list[PrefectFuture[Any]]:
    if isinstance(value, PrefectFuture):
        return [value]
    if isinstance(value, allow_failure):
        return _futures_in(value.unwrap())
    found: list[PrefectFuture[Any]] = []
    for item in find(value, (PrefectFuture, allow_failure)):
        found += _futures_in(item)
    return found


def resolve(parameters: dict[str, Any], wait_for: Iterable[Any] | None = None) -> dict[str, Any]:
    """Put results in the place of futures and states that have finished.

    Args:
        parameters: The arguments.
        wait_for: Runs that must have completed, though their results are not used.

    Returns:
        The arguments to call with; the same dict, where there was nothing to put in.

    Raises:
        prefect.exceptions.UpstreamTaskError: One of the runs did not complete.
    """
    if wait_for is not None:
        _check(wait_for)
    changed: dict[str, Any] | None = None
    for name, value in parameters.items():
        if type(value) in _ATOMS:
            continue
        resolved = _resolve_value(value)
        if resolved is not value:
            if changed is None:
                changed = dict(parameters)
            changed[name] = resolved
    return parameters if changed is None else changed


def _check(wait_for: Any, *, allowed: bool = False) -> None:
    for item in find(wait_for, _MARKED):
        if isinstance(item, allow_failure):
            _check(item.unwrap(), allowed=True)
        else:
            _completed(item, allowed=allowed)


def _resolve_value(value: Any) -> Any:
    if isinstance(value, quote | unmapped):
        return value.unwrap()
    if isinstance(value, allow_failure):
        return _resolve_allowed(value.unwrap())
    if isinstance(value, PrefectFuture | State):
        return _result_of(value)
    return replace(value, (*_MARKED, quote), _resolve_value)


def _resolve_allowed(value: Any) -> Any:
    if isinstance(value, PrefectFuture | State):
        return _result_of(value, allowed=True)
    return replace(value, (PrefectFuture, State), lambda item: _result_of(item, allowed=True))


def _result_of(upstream: PrefectFuture[Any] | State[Any], *, allowed: bool = False) -> Any:
    return result_of(_completed(upstream, allowed=allowed), raise_on_failure=False)


def _completed(upstream: PrefectFuture[Any] | State[Any], *, allowed: bool) -> State[Any]:
    state = upstream.state if isinstance(upstream, PrefectFuture) else upstream
    if state.is_completed() or (allowed and state.is_final()):
        return state
    run_id = upstream.task_run_id if isinstance(upstream, PrefectFuture) else state.state_details.task_run_id
    raise UpstreamTaskError(f"Upstream task run '{run_id}' did not reach a 'COMPLETED' state.")


def task_inputs(
    parameters: dict[str, Any], tracker: ResultTracker | None, wait_for: Iterable[Any] | None = None
) -> TaskInputs:
    """Say which task runs the arguments came from.

    Args:
        parameters: The arguments as they were given, futures included.
        tracker: Knows the results of earlier task runs of this flow run.
        wait_for: Runs that were waited for.
    """
    found: TaskInputs = {}
    for name, value in parameters.items():
        found[name] = _sources(value, tracker)
    if wait_for is not None:
        found["wait_for"] = _sources(wait_for, tracker)
    return found


def _sources(
    value: Any, tracker: ResultTracker | None
) -> list[TaskRunResult | FlowRunResult | Parameter | Constant]:
    if tracker is not None:
        known = tracker.find(value)
        if known is not None:
            return [TaskRunResult(id=known)]
    if type(value) in _ATOMS or isinstance(value, quote):
        return []
    if isinstance(value, allow_failure):
        return _sources(value.unwrap(), tracker)
    ids: dict[UUID, None] = {}
    items = [value] if isinstance(value, _MARKED) else find(value, _MARKED)
    for item in items:
        for source in _source_of(item, tracker):
            ids[source] = None
    if tracker is not None and isinstance(value, list | tuple | set | dict):
        members = value.values() if isinstance(value, dict) else value
        for member, _ in zip(members, range(_LOOKED_AT), strict=False):
            known = tracker.find(member)
            if known is not None:
                ids[known] = None
    return [TaskRunResult(id=known) for known in ids]


def _source_of(item: Any, tracker: ResultTracker | None) -> list[UUID]:
    if isinstance(item, PrefectFuture):
        return [item.task_run_id]
    if isinstance(item, State):
        run_id = item.state_details.task_run_id
        return [run_id] if run_id is not None else []
    return [source.id for source in _sources(item, tracker) if isinstance(source, TaskRunResult)]
