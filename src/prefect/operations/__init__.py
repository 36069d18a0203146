"""Every operation of the API, once: plain typed functions over a store."""

from __future__ import annotations

from prefect.operations.flow_runs import create_flow_run, read_flow_run, set_flow_run_state, update_flow_run
from prefect.operations.flows import create_flow
from prefect.operations.leases import (
    Holder,
    crash_orphans,
    current_holder,
    hold_flow_run,
    release_flow_run,
    renew_leases,
)
from prefect.operations.logs import create_logs
from prefect.operations.registry import OPERATIONS, Operation, operation
from prefect.operations.task_runs import record_task_runs

__all__ = [
    "OPERATIONS",
    "Holder",
    "Operation",
    "crash_orphans",
    "create_flow",
    "create_flow_run",
    "create_logs",
    "current_holder",
    "hold_flow_run",
    "operation",
    "read_flow_run",
    "record_task_runs",
    "release_flow_run",
    "renew_leases",
    "set_flow_run_state",
    "update_flow_run",
]
