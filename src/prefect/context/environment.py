"""The run of this code as environment variables, for child processes that run another program."""

from __future__ import annotations

from typing import Any

import msgspec

from prefect.context.inheritance import TAGS
from prefect.context.runs import TagsContext, current_flow_run, current_task_run
from prefect.context.settings import changed_settings
from prefect.context.travel import LARGEST_PARAMETERS, packed_flow_run, packed_task_run
from prefect.schemas.base import encode_json
from prefect.settings.runtime_variables import FLOW_RUN_ID, FLOW_RUN_SNAPSHOT, TASK_RUN_SNAPSHOT

__all__ = ["child_environment"]

_LARGEST_PARAMETERS = LARGEST_PARAMETERS // 2  # two runs of a task's child share the space of one


def child_environment() -> dict[str, str]:
    """Return the variables that make a child process part of the run here.

    For a child started with them, `subprocess.run(command, env={**os.environ, **child_environment()})`, the
    flow run and task run here are those of the process: at any place of it, and without asking anybody. What
    it logs belongs to them, tasks that it calls are task runs of the flow run, and the tags and changed
    settings of here apply. There is nothing secret in the variables, and they are small: parameters of more
    than 512 bytes are looked up when the child reads them.

    Returns:
        Names and values; empty outside of a run.
    """
    flow_run, task_run = current_flow_run(), current_task_run()
    if flow_run is None and task_run is None:
        return {}
    variables = changed_settings()
    if flow_run is not None:
        variables[FLOW_RUN_ID] = flow_run.id
        variables[FLOW_RUN_SNAPSHOT] = _write(packed_flow_run(flow_run), flow_run.parameters)
    if task_run is not None:
        variables[TASK_RUN_SNAPSHOT] = _write(packed_task_run(task_run), task_run.parameters)
    return variables


def _write(packed: dict[str, Any], parameters: dict[str, Any] | None) -> str:
    encoded = encode_json(parameters)
    if parameters is not None and len(encoded) <= _LARGEST_PARAMETERS:
        packed["parameters"] = msgspec.Raw(encoded)
    current_tags = TagsContext.get().current_tags
    if current_tags:
        packed[TAGS] = sorted(current_tags)
    return encode_json(packed).decode()
