"""The run contexts: what is running here, and how that travels to threads and processes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from prefect.context.carrying import hydrated_context, serialize_context, with_context
    from prefect.context.environment import child_environment
    from prefect.context.settings import (
        SettingsContext,
        get_settings_context,
        root_settings_context,
        use_profile,
    )

    GLOBAL_SETTINGS_CONTEXT: SettingsContext

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

# What a run that stays in its process does without, and need not import.
_LATER = {
    "SettingsContext": "settings",
    "child_environment": "environment",
    "get_settings_context": "settings",
    "hydrated_context": "carrying",
    "root_settings_context": "settings",
    "serialize_context": "carrying",
    "use_profile": "settings",
    "with_context": "carrying",
}


if not TYPE_CHECKING:  # type checkers are to know the names above, and no others

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"prefect.context.{_LATER[name]}"), name)
        if name == "GLOBAL_SETTINGS_CONTEXT":
            return __getattr__("root_settings_context")()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
