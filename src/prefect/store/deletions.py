"""What is deleted together, in order; the last of a list is the object itself.

States and leases of flow runs go with them by themselves. Task runs and logs have no foreign keys (they
arrive behind the work), so they are named here.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Delete, delete, select

from prefect.store.tables import flow_runs, flows, logs, task_runs

__all__ = ["flow_deletions", "flow_run_deletions", "task_run_deletions"]


def flow_deletions(flow_id: UUID) -> list[Delete]:
    """Compose the deletion of a flow, its runs, their task runs and logs."""
    runs = select(flow_runs.c.id).where(flow_runs.c.flow_id == flow_id)
    return [
        delete(logs).where(logs.c.flow_run_id.in_(runs)),
        delete(task_runs).where(task_runs.c.flow_run_id.in_(runs)),
        delete(flows).where(flows.c.id == flow_id),
    ]


def flow_run_deletions(flow_run_id: UUID) -> list[Delete]:
    """Compose the deletion of a flow run, its task runs and logs."""
    return [
        delete(logs).where(logs.c.flow_run_id == flow_run_id),
        delete(task_runs).where(task_runs.c.flow_run_id == flow_run_id),
        delete(flow_runs).where(flow_runs.c.id == flow_run_id),
    ]


def task_run_deletions(task_run_id: UUID) -> list[Delete]:
    """Compose the deletion of a task run and its logs."""
    return [
        delete(logs).where(logs.c.task_run_id == task_run_id),
        delete(task_runs).where(task_runs.c.id == task_run_id),
    ]
