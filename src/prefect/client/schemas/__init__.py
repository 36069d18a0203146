"""Objects of the data model, under the path that existing code imports them from."""

from prefect.schemas.objects import (
    Flow,
    FlowRun,
    FlowRunPolicy,
    Log,
    TaskRun,
    TaskRunPolicy,
    TaskRunResult,
)
from prefect.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
)
from prefect.schemas.states import (
    State,
    StateDetails,
    StateType,
)

__all__ = [
    "Flow",
    "FlowRun",
    "FlowRunPolicy",
    "Log",
    "OrchestrationResult",
    "SetStateStatus",
    "State",
    "StateDetails",
    "StateType",
    "TaskRun",
    "TaskRunPolicy",
    "TaskRunResult",
]
