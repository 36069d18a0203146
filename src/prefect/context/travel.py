"""Snapshots in the form in which they travel: small, plain, and without what must not be shown.

What does not fit is left out, named in `left_out`, and looked up in the store when somebody reads it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from prefect.schemas.base import encode_json, whole
from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot

__all__ = [
    "LARGEST_PARAMETERS",
    "packed_flow_run",
    "packed_task_run",
    "unpacked_flow_run",
    "unpacked_task_run",
]

LARGEST_PARAMETERS = 1024
"""Bytes that the parameters of a run may take to travel with it."""
_LARGEST_EXTRA = 256
"""Bytes that each of its other mappings may take."""


def packed_flow_run(run: FlowRunSnapshot) -> dict[str, Any]:
    """Return a flow run's facts, without its parameters, as plain values."""
    left_out = set(run.left_out) | {"parameters"}
    deployment, job_variables = run.deployment, run.job_variables
    if deployment is not None and not _is_small(deployment.parameters):
        deployment = msgspec.structs.replace(deployment, parameters={})
        left_out.add("deployment.parameters")
    if job_variables and ("env" in job_variables or not _is_small(job_variables)):
        # Their `env` is where people put passwords.
        job_variables = None
        left_out.add("job_variables")
    small = msgspec.structs.replace(
        run,
        parameters=None,
        deployment=deployment,
        job_variables=job_variables,
        left_out=tuple(sorted(left_out)),
    )
    return _plain(small)


def packed_task_run(run: TaskRunSnapshot) -> dict[str, Any]:
    """Return a task run's facts, without its parameters, as plain values."""
    return _plain(msgspec.structs.replace(run, parameters=None))


def unpacked_flow_run(packed: dict[str, Any], parameters: dict[str, Any] | None) -> FlowRunSnapshot:
    """Make the snapshot again.

    Args:
        packed: What `packed_flow_run` returned, perhaps by way of JSON.
        parameters: The run's parameters, where they came along.
    """
    run = msgspec.convert(packed, whole(FlowRunSnapshot), strict=False)
    if parameters is None:
        return run
    run.parameters = parameters
    run.left_out = tuple(name for name in run.left_out if name != "parameters")
    return run


def unpacked_task_run(packed: dict[str, Any], parameters: dict[str, Any] | None) -> TaskRunSnapshot:
    """Make the snapshot again; arguments are those of `unpacked_flow_run`."""
    run = msgspec.convert(packed, whole(TaskRunSnapshot), strict=False)
    run.parameters = parameters
    return run


def _plain(snapshot: FlowRunSnapshot | TaskRunSnapshot) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(snapshot, builtin_types=(datetime,))
    return {
        name: value for name, value in values.items() if value is not None and value != [] and value != {}
    }


def _is_small(value: dict[str, Any]) -> bool:
    return len(encode_json(value)) <= _LARGEST_EXTRA
