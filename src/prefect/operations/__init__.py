"""Every operation of the API, once: plain typed functions over a store.

Those that only a server calls are not imported from here: `prefect.operations.admin` and `.events`.
"""

from __future__ import annotations

from prefect.operations.flow_runs import (
    count_flow_runs,
    create_flow_run,
    delete_flow_run,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    resume_flow_run,
    set_flow_run_state,
    update_flow_run,
)
from prefect.operations.flows import (
    count_flows,
    create_flow,
    delete_flow,
    read_flow,
    read_flow_by_name,
    read_flows,
    update_flow,
)
from prefect.operations.leases import (
    Holder,
    crash_orphans,
    current_holder,
    hold_flow_run,
    release_flow_run,
    renew_leases,
)
from prefect.operations.logs import create_logs, read_logs
from prefect.operations.registry import OPERATIONS, Operation, operation
from prefect.operations.task_runs import (
    count_task_runs,
    create_task_run,
    delete_task_run,
    read_task_run,
    read_task_run_states,
    read_task_runs,
    record_task_runs,
    set_task_run_state,
    update_task_run,
)

__all__ = [
    "Holder",
    "OPERATIONS",
    "Operation",
    "count_flow_runs",
    "count_flows",
    "count_task_runs",
    "crash_orphans",
    "create_flow",
    "create_flow_run",
    "create_logs",
    "create_task_run",
    "current_holder",
    "delete_flow",
    "delete_flow_run",
    "delete_task_run",
    "hold_flow_run",
    "operation",
    "read_flow",
    "read_flow_by_name",
    "read_flow_run",
    "read_flow_run_states",
    "read_flow_runs",
    "read_flows",
    "read_logs",
    "read_task_run",
    "read_task_run_states",
    "read_task_runs",
    "record_task_runs",
    "release_flow_run",
    "renew_leases",
    "resume_flow_run",
    "set_flow_run_state",
    "set_task_run_state",
    "update_flow",
    "update_flow_run",
    "update_task_run",
]
