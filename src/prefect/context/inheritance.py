"""The run that the environment of this process tells of: that of the code that started it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from prefect.context.travel import unpacked_flow_run, unpacked_task_run
from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot
from prefect.settings.runtime_variables import FLOW_RUN_ID, FLOW_RUN_SNAPSHOT, TASK_RUN_SNAPSHOT, run_variable

__all__ = ["TAGS", "flow_run_in_environment", "inherited_runs", "task_run_in_environment"]

TAGS = "current_tags"
"""The member of the facts that has the tags that apply where the process was started."""


def flow_run_in_environment() -> FlowRunSnapshot | None:
    """Return the facts of the flow run that the process was started for; None if they did not come along."""
    text = run_variable(FLOW_RUN_SNAPSHOT)
    run = None if text is None else _read_flow_run(text)
    # A process that was started for another run may have inherited the variables of its grandparent.
    return run if run is not None and run.id == run_variable(FLOW_RUN_ID) else None


def task_run_in_environment() -> TaskRunSnapshot | None:
    """Return the facts of the task run that started the process; None when there is none."""
    text = run_variable(TASK_RUN_SNAPSHOT)
    run = None if text is None else _read_task_run(text)
    return run if run is not None and run.flow_run_id in (None, run_variable(FLOW_RUN_ID)) else None


def inherited_runs() -> tuple[FlowRunSnapshot | None, TaskRunSnapshot | None, set[str]]:
    """Return the facts of both runs, and the tags that applied where the process was started."""
    flow_run, task_run = flow_run_in_environment(), task_run_in_environment()
    tags: set[str] = set()
    for run, variable in ((flow_run, FLOW_RUN_SNAPSHOT), (task_run, TASK_RUN_SNAPSHOT)):
        if run is not None:
            tags.update((_read(run_variable(variable) or "") or {}).get(TAGS, ()))
    return flow_run, task_run, tags


@lru_cache(maxsize=4)
def _read_flow_run(text: str) -> FlowRunSnapshot | None:
    packed = _read(text)
    return None if packed is None else unpacked_flow_run(packed, packed.get("parameters"))


@lru_cache(maxsize=4)
def _read_task_run(text: str) -> TaskRunSnapshot | None:
    packed = _read(text)
    return None if packed is None else unpacked_task_run(packed, packed.get("parameters"))


def _read(text: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None  # not ours: the facts are looked up
