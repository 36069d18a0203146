"""Where the facts come from that the runtime modules give out.

Inside a run, that is its context: a snapshot, made when the run started, so a read asks nobody. Outside of
one, in a process that was started for a run (a deployed script being imported, a child process), it is what
the variables of `prefect.settings.runtime_variables` say, then one lookup in the store. Elsewhere there are
no facts, and reads are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from prefect.context.runs import current_flow_run, current_task_run
from prefect.runtime.process_run import process_flow_run, process_flow_run_id, process_task_run
from prefect.schemas.snapshots import DeploymentSnapshot, FlowRunSnapshot, TaskRunSnapshot

__all__ = ["deployment_fact", "flow_run_fact", "get_flow_run_id", "task_run_fact"]

T = TypeVar("T")


def get_flow_run_id() -> str | None:
    """Return the id of the flow run that this code, or else this process, is part of."""
    run = current_flow_run()
    return process_flow_run_id() if run is None else run.id


def flow_run_fact(
    read: Callable[[FlowRunSnapshot], T], empty: Callable[[], T] | None = None
) -> Callable[[], T]:
    """Return a getter of one fact of the flow run here.

    Args:
        read: Takes the fact from a snapshot.
        empty: Makes the value where there is no run or the run does not know; left out, that value is None.
    """

    def get() -> Any:
        run = current_flow_run() or process_flow_run()
        value = None if run is None else read(run)
        return empty() if value is None and empty is not None else value

    return get


def task_run_fact(
    read: Callable[[TaskRunSnapshot], T], empty: Callable[[], T] | None = None
) -> Callable[[], T]:
    """Return a getter of one fact of the task run here; arguments are those of `flow_run_fact`."""

    def get() -> Any:
        run = current_task_run() or process_task_run()
        value = None if run is None else read(run)
        return empty() if value is None and empty is not None else value

    return get


def deployment_fact(
    read: Callable[[DeploymentSnapshot], T], empty: Callable[[], T] | None = None
) -> Callable[[], T]:
    """Return a getter of one fact of the flow run's deployment; arguments are those of `flow_run_fact`."""

    def read_deployment(run: FlowRunSnapshot) -> Any:
        return None if run.deployment is None else read(run.deployment)

    return flow_run_fact(read_deployment, empty)
