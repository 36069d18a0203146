"""The run contexts: what is running here, and how that travels to threads and processes."""

from __future__ import annotations

from prefect.context.model import ContextModel
from prefect.context.runs import (
    NO_RUN,
    EngineContext,
    FlowRunContext,
    RunContext,
    TagsContext,
    TaskRunContext,
    add_live_root,
    carry,
    current_flow_run,
    current_task_run,
    get_run_context,
    remove_live_root,
    snapshot_flow_run,
    snapshot_task_run,
    tags,
)

__all__ = [
    "NO_RUN",
    "ContextModel",
    "EngineContext",
    "FlowRunContext",
    "RunContext",
    "TagsContext",
    "TaskRunContext",
    "add_live_root",
    "carry",
    "current_flow_run",
    "current_task_run",
    "get_run_context",
    "remove_live_root",
    "snapshot_flow_run",
    "snapshot_task_run",
    "tags",
]
