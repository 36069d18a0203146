"""Results of task runs that are known by a cache key, for whoever runs tasks by proposing their states."""

from __future__ import annotations

from typing import Any

import msgspec

from prefect.rules.decision import Decision, Transition
from prefect.schemas.objects import TaskRun
from prefect.schemas.states import State, StateType
from prefect.types import uuid7

__all__ = ["remember_cache_key", "use_known_result"]


def use_known_result(t: Transition[TaskRun], known: State[Any]) -> Decision:
    """Let a task run end with the result of another.

    Args:
        t: The run on its way to RUNNING.
        known: The final state of the other.
    """
    cached = msgspec.structs.replace(known, id=uuid7(), name="Cached", timestamp=t.now)
    return t.reject("Retrieved state from cache", cached)


def remember_cache_key(run: TaskRun, state: State[Any]) -> None:
    """Note under which key, and until when, the result of a task run may be used by others.

    Args:
        run: The run; it is changed in place.
        state: The state that it enters.
    """
    key = state.state_details.cache_key
    if state.type is StateType.COMPLETED and state.name != "Cached" and key:
        run.cache_key, run.cache_expiration = key, state.state_details.cache_expiration
