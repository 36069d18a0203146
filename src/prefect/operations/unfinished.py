"""How many flow runs are on their way. The interface has no such request."""

from __future__ import annotations

from sqlalchemy import func, select

from prefect.schemas.states import TERMINAL_STATES, StateType
from prefect.store.base import Store
from prefect.store.tables import flow_runs

__all__ = ["count_unfinished_flow_runs"]

_UNFINISHED = sorted(kind.value for kind in StateType if kind not in TERMINAL_STATES)


def count_unfinished_flow_runs(store: Store) -> dict[str, int]:
    """Return how many flow runs are in each type of state that is not final.

    An index tells it, and there are few of them however many runs have finished.

    Args:
        store: The store.
    """
    state_type = flow_runs.c.state_type
    query = select(state_type, func.count()).where(state_type.in_(_UNFINISHED)).group_by(state_type)
    return dict.fromkeys(_UNFINISHED, 0) | {str(kind): int(count) for kind, count in store.select(query)}
