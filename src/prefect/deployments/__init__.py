"""Deployments: flows with what it takes to run them from elsewhere.

Each name is loaded when it is first used: processes that carry out runs need none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.deployments.flow_runs import arun_deployment as arun_deployment
    from prefect.deployments.flow_runs import run_deployment as run_deployment
    from prefect.deployments.runner import deploy as deploy

_HOMES = {
    "arun_deployment": "prefect.deployments.flow_runs",
    "deploy": "prefect.deployments.runner",
    "run_deployment": "prefect.deployments.flow_runs",
}

__all__ = ["arun_deployment", "deploy", "run_deployment"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
