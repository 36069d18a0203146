"""The run that this process was started for, as a deployed script reads it before any flow runs.

The facts come in the environment, where the parent of the process put them there
(`prefect.context.child_environment`); else one lookup in the store finds all of them, and they are kept.
"""

from __future__ import annotations

from typing import Any

from prefect.context.inheritance import flow_run_in_environment, task_run_in_environment
from prefect.context.runs import current_flow_run
from prefect.runtime.lookup import find_flow_run
from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot
from prefect.settings.runtime_variables import FLOW_RUN_ID, run_variable

__all__ = ["look_up_left_out", "process_flow_run", "process_flow_run_id", "process_task_run", "remember"]

_KEPT = 64
"""How many flow runs' facts are kept; a process has one, a pool of processes meets a few."""

_found: dict[str, FlowRunSnapshot] = {}


def process_flow_run_id() -> str | None:
    """Return the id of the flow run that the process was started for, or None."""
    return run_variable(FLOW_RUN_ID)


def process_flow_run() -> FlowRunSnapshot | None:
    """Return the facts of the flow run that the process was started for, or None.

    Of a run that the store does not know, the id is the only fact.
    """
    run_id = run_variable(FLOW_RUN_ID)
    if run_id is None:
        return None
    return flow_run_in_environment() or _look_up(run_id)


def process_task_run() -> TaskRunSnapshot | None:
    """Return the facts of the task run that started the process, or None.

    A flow that runs in such a process is no part of that task.
    """
    return None if current_flow_run() is not None else task_run_in_environment()


def remember(run: FlowRunSnapshot) -> None:
    """Keep the facts of a flow run, so that they are not looked up again."""
    _found[run.id] = run


def look_up_left_out(run: FlowRunSnapshot, name: str) -> dict[str, Any] | None:
    """Return a fact that was too large to travel with the run.

    Args:
        run: What travelled.
        name: `parameters`, `job_variables` or `deployment.parameters`.
    """
    if name not in run.left_out:
        return None
    found = _look_up(run.id)
    if name == "deployment.parameters":
        return None if found.deployment is None else found.deployment.parameters
    value: dict[str, Any] | None = getattr(found, name)
    return value


def _look_up(run_id: str) -> FlowRunSnapshot:
    found = _found.get(run_id)
    if found is None:
        # No lock: a process forked meanwhile would wait for it for ever, and two threads find the same facts.
        found = _found.setdefault(run_id, find_flow_run(run_id) or FlowRunSnapshot(id=run_id))
        if len(_found) > _KEPT:
            _found.pop(next(iter(_found)), None)
    return found
