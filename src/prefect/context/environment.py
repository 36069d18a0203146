"""The run of this code as environment variables, for child processes that run another program."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from prefect.context.runs import current_flow_run, current_task_run
from prefect.context.travel import (
    LARGEST_PARAMETERS,
    packed_flow_run,
    packed_task_run,
    unpacked_flow_run,
    unpacked_task_run,
)
from prefect.schemas.base import encode_json
from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot
from prefect.settings.runtime_variables import FLOW_RUN_ID, FLOW_RUN_SNAPSHOT, TASK_RUN_SNAPSHOT, run_variable

__all__ = ["child_environment", "flow_run_in_environment", "task_run_in_environment"]

_LARGEST_PARAMETERS = LARGEST_PARAMETERS // 2  # two runs of a task's child share the space of one


def child_environment() -> dict[str, str]:
    """Return the variables that make `prefect.runtime` right in a child process.

    For a child started with them, `subprocess.run(command, env={**os.environ, **child_environment()})`, the
    flow run and task run here are those of the process: at any place of it, and without asking anybody. There
    is nothing secret in them, and they are small: parameters of more than 512 bytes are looked up when the
    child reads them.

    Returns:
        Names and values; empty outside of a run.
    """
    flow_run, task_run = current_flow_run(), current_task_run()
    variables: dict[str, str] = {}
    if flow_run is not None:
        variables[FLOW_RUN_ID] = flow_run.id
        variables[FLOW_RUN_SNAPSHOT] = _write(packed_flow_run(flow_run), flow_run.parameters)
    if task_run is not None:
        variables[TASK_RUN_SNAPSHOT] = _write(packed_task_run(task_run), task_run.parameters)
    return variables


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


def _write(packed: dict[str, Any], parameters: dict[str, Any] | None) -> str:
    encoded = encode_json(parameters)
    if parameters is not None and len(encoded) <= _LARGEST_PARAMETERS:
        packed["parameters"] = msgspec.Raw(encoded)
    return encode_json(packed).decode()


@lru_cache(maxsize=4)
def _read_flow_run(text: str) -> FlowRunSnapshot | None:
    packed = _read(text)
    return None if packed is None else unpacked_flow_run(packed, packed.pop("parameters", None))


@lru_cache(maxsize=4)
def _read_task_run(text: str) -> TaskRunSnapshot | None:
    packed = _read(text)
    return None if packed is None else unpacked_task_run(packed, packed.pop("parameters", None))


def _read(text: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None  # not ours: the facts are looked up
