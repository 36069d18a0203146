"""Orders of lists, under the path that existing code imports it from."""

from prefect.schemas.artifacts import (
    ArtifactCollectionSort,
    ArtifactSort,
)
from prefect.schemas.automations import (
    AutomationSort,
)
from prefect.schemas.sorting import (
    DeploymentSort,
    FlowRunSort,
    FlowSort,
    LogSort,
    TaskRunSort,
)
from prefect.schemas.variables import (
    VariableSort,
)

__all__ = [
    "ArtifactCollectionSort",
    "ArtifactSort",
    "AutomationSort",
    "DeploymentSort",
    "FlowRunSort",
    "FlowSort",
    "LogSort",
    "TaskRunSort",
    "VariableSort",
]
