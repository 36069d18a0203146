"""The run contexts: what is running here, and how that travels to threads and processes."""

from __future__ import annotations

from typing import Any

from prefect.context.carrying import hydrated_context, serialize_context, with_context
from prefect.context.child_environment import child_environment
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
from prefect.context.settings import SettingsContext, get_settings_context, root_settings_context, use_profile

__all__ = [
    "GLOBAL_SETTINGS_CONTEXT",
    "NO_RUN",
    "ContextModel",
    "EngineContext",
    "FlowRunContext",
    "RunContext",
    "SettingsContext",
    "TagsContext",
    "TaskRunContext",
    "add_live_root",
    "carry",
    "child_environment",
    "current_flow_run",
    "current_task_run",
    "get_run_context",
    "get_settings_context",
    "hydrated_context",
    "remove_live_root",
    "root_settings_context",
    "serialize_context",
    "snapshot_flow_run",
    "snapshot_task_run",
    "tags",
    "use_profile",
    "with_context",
]

GLOBAL_SETTINGS_CONTEXT: SettingsContext
"""The settings of the process."""


def __getattr__(name: str) -> Any:
    if name == "GLOBAL_SETTINGS_CONTEXT":
        return root_settings_context()  # settings are not read before somebody asks for them
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
