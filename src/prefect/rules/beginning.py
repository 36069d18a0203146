"""How a run begins once on a server that knows no claims, though several processes may be started for it.

There a run whose taker dies stays Pending, and nothing that can be proposed is refused because somebody else
has it by now. But a state that has the name of the run's own is: so processes of ours propose Starting before
they begin a run that is marked so, which only one of them succeeds in. That makes it safe to start another
process for a run whose worker is gone, whatever has become of its first one.

A run that has ended may enter it, too. So a process looks at the run just before, and again after: where the
run has been Running meanwhile, the process puts the state back that the run had, and leaves it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.schemas.objects import FlowRun
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import aware

__all__ = ["BEGINS_ONCE", "WORKER", "is_stranded", "starting"]

BEGINS_ONCE = "proconsul.begins-once"
"""The label of runs whose processes propose Starting."""
WORKER = "prefect.worker.name"
"""The label that says which worker has taken a run."""
_STARTING = "Starting"


def starting(run: FlowRun, mark: UUID) -> State[Any] | None:
    """Return the state that a process proposes before it begins a run; None: none is needed.

    Args:
        run: The run.
        mark: What tells the proposal from those of other processes.
    """
    state = run.state
    if state is None or not state.is_pending() or BEGINS_ONCE not in run.labels:
        return None
    details = StateDetails(transition_id=mark, scheduled_time=state.state_details.scheduled_time)
    return State(type=StateType.PENDING, name=_STARTING, state_details=details)


def is_stranded(run: FlowRun, gone: set[str], latest: datetime) -> bool:
    """Return whether a run that was taken is left to nobody, and may be started again.

    Args:
        run: The run.
        gone: The names of the workers that are not there any more.
        latest: What was taken, or is due, later than this is left to whoever has it.
    """
    state = run.state
    if state is None or not state.is_pending() or state.name == _STARTING or BEGINS_ONCE not in run.labels:
        return False
    due = aware(state.state_details.scheduled_time or state.timestamp)
    return run.labels.get(WORKER) in gone and max(due, state.timestamp) < latest
