"""Objects of the data model, under the path that existing code imports them from."""

from prefect.schemas.objects import (
    Constant,
    CreatedBy,
    Flow,
    FlowRun,
    FlowRunPolicy,
    Log,
    Parameter,
    TaskRun,
    TaskRunPolicy,
    TaskRunResult,
)
from prefect.schemas.states import (
    TERMINAL_STATES,
    State,
    StateDetails,
    StateGroup,
    StateType,
)

__all__ = [
    "Constant",
    "CreatedBy",
    "Flow",
    "FlowRun",
    "FlowRunPolicy",
    "Log",
    "Parameter",
    "State",
    "StateDetails",
    "StateGroup",
    "StateType",
    "TERMINAL_STATES",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
]
