"""What is sent to create or change objects, under the path that existing code imports it from."""

from prefect.schemas.actions import (
    FlowCreate,
    FlowRunCreate,
    FlowRunUpdate,
    FlowUpdate,
    LogCreate,
    StateCreate,
)

__all__ = [
    "FlowCreate",
    "FlowRunCreate",
    "FlowRunUpdate",
    "FlowUpdate",
    "LogCreate",
    "StateCreate",
]
