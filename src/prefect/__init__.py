"""Proconsul: a light workflow orchestrator behind the Prefect 3 interface.

Importing this module loads nothing else but its version; each name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.version import __version__

if TYPE_CHECKING:
    from prefect import runtime as runtime
    from prefect.client.orchestration import get_client as get_client
    from prefect.context import tags as tags
    from prefect.deployments.runner import deploy as deploy
    from prefect.flow_runs import apause_flow_run as apause_flow_run
    from prefect.flow_runs import aresume_flow_run as aresume_flow_run
    from prefect.flow_runs import asuspend_flow_run as asuspend_flow_run
    from prefect.flow_runs import pause_flow_run as pause_flow_run
    from prefect.flow_runs import resume_flow_run as resume_flow_run
    from prefect.flow_runs import suspend_flow_run as suspend_flow_run
    from prefect.flows import Flow as Flow
    from prefect.flows import flow as flow
    from prefect.logging import get_run_logger as get_run_logger
    from prefect.runner.serving import aserve as aserve
    from prefect.runner.serving import serve as serve
    from prefect.schemas.states import State as State
    from prefect.tasks import Task as Task
    from prefect.tasks import task as task
    from prefect.types.annotations import allow_failure as allow_failure
    from prefect.types.annotations import unmapped as unmapped

_HOMES = {
    "Flow": "prefect.flows",
    "State": "prefect.schemas.states",
    "Task": "prefect.tasks",
    "allow_failure": "prefect.types.annotations",
    "apause_flow_run": "prefect.flow_runs",
    "aresume_flow_run": "prefect.flow_runs",
    "aserve": "prefect.runner.serving",
    "asuspend_flow_run": "prefect.flow_runs",
    "deploy": "prefect.deployments.runner",
    "flow": "prefect.flows",
    "get_client": "prefect.client.orchestration",
    "get_run_logger": "prefect.logging",
    "pause_flow_run": "prefect.flow_runs",
    "resume_flow_run": "prefect.flow_runs",
    "serve": "prefect.runner.serving",
    "suspend_flow_run": "prefect.flow_runs",
    "tags": "prefect.context",
    "task": "prefect.tasks",
    "unmapped": "prefect.types.annotations",
}

__all__ = ["__version__", "runtime", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "runtime":
        return import_module("prefect.runtime")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'prefect' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
