"""The final state of a run, from what its function returned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from prefect.schemas.results import ResultRecord
from prefect.schemas.states import State, StateDetails, StateGroup, StateType

__all__ = ["state_of_value"]


def state_of_value(value: Any, details: StateDetails) -> State[Any]:
    """Turn what a user's function returned into a final state, by the interface's rules.

    A state that the user made stands for itself; of states of other runs, one that did not complete fails
    this run; all else is a result.
    """
    if isinstance(value, State):
        own = value.state_details
        if own.flow_run_id is None and own.task_run_id is None:
            data = value.data if isinstance(value.data, ResultRecord) else ResultRecord(result=value.data)
            return msgspec.structs.replace(value, state_details=_merged(own, details), data=data)
        return _state_of_states([value], value, details)
    if type(value) in (list, tuple, set) and value and all(isinstance(item, State) for item in value):
        return _state_of_states(value, value, details)
    return State(type=StateType.COMPLETED, data=ResultRecord(result=value), state_details=details)


def _state_of_states(states: Iterable[State[Any]], value: Any, details: StateDetails) -> State[Any]:
    group = StateGroup(states)
    data = ResultRecord(result=value)
    if group.all_completed():
        return State(
            type=StateType.COMPLETED, message="All states completed.", data=data, state_details=details
        )
    if group.any_cancelled():
        message = f"{group.cancelled_count}/{group.total_count} states cancelled."
        return State(type=StateType.CANCELLED, message=message, data=data, state_details=details)
    if group.any_paused():
        message = f"{group.type_counts[StateType.PAUSED]}/{group.total_count} states paused."
        return State(type=StateType.PAUSED, message=message, data=data, state_details=details)
    if group.any_failed():
        message = f"{group.fail_count()}/{group.total_count} states failed."
    else:
        message = f"{group.not_final_count}/{group.total_count} states are not final."
    return State(type=StateType.FAILED, message=message, data=data, state_details=details)


def _merged(own: StateDetails, details: StateDetails) -> StateDetails:
    """Keep a returned state's own details, but say whose state it is now."""
    return msgspec.structs.replace(own, flow_run_id=details.flow_run_id, task_run_id=details.task_run_id)
