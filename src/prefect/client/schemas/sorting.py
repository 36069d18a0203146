"""Orders of lists, under the path that existing code imports it from."""

from prefect.schemas.sorting import (
    DeploymentSort,
    FlowRunSort,
    FlowSort,
    LogSort,
    TaskRunSort,
)

__all__ = [
    "DeploymentSort",
    "FlowRunSort",
    "FlowSort",
    "LogSort",
    "TaskRunSort",
]
