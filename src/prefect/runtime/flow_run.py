"""The flow run that this code is part of.

Attributes are read as they are asked for: `flow_run.id`, or `from prefect.runtime.flow_run import id` for the
value of now. Where there is no flow run they are empty. `FIELDS` holds their getters, and tests may patch it.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from prefect.runtime.attributes import Getters, answer_attributes
from prefect.runtime.facts import flow_run_fact, get_flow_run_id
from prefect.runtime.process_run import look_up_left_out
from prefect.runtime.urls import api_url_of, ui_url_of
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.types import now

if TYPE_CHECKING:
    id: str | None
    name: str | None
    tags: list[str]
    parameters: dict[str, Any]
    """In the process of the run its live values; elsewhere their JSON form."""
    flow_name: str | None
    flow_version: str | None
    scheduled_start_time: datetime
    start_time: datetime | None
    """When the run first started to run."""
    run_count: int
    """Which attempt this is, from 1."""
    max_retries: int
    state_name: str | None
    """The name of the state that the attempt started in."""
    parent_flow_run_id: str | None
    parent_deployment_id: str | None
    root_flow_run_id: str | None
    """The outermost flow run; the run itself, where it has no parent."""
    job_variables: dict[str, Any] | None
    """What the run's deployment has its infrastructure do; None outside of runs."""
    work_pool_name: str | None
    work_queue_name: str | None
    api_url: str | None
    ui_url: str | None

__all__ = [
    "api_url",
    "flow_name",
    "flow_version",
    "id",
    "job_variables",
    "max_retries",
    "name",
    "parameters",
    "parent_deployment_id",
    "parent_flow_run_id",
    "root_flow_run_id",
    "run_count",
    "scheduled_start_time",
    "start_time",
    "state_name",
    "tags",
    "ui_url",
    "work_pool_name",
    "work_queue_name",
]


def _parameters(run: FlowRunSnapshot) -> dict[str, Any] | None:
    return look_up_left_out(run, "parameters") if run.parameters is None else run.parameters


def _job_variables(run: FlowRunSnapshot) -> dict[str, Any]:
    if run.job_variables is None:
        return look_up_left_out(run, "job_variables") or {}
    return run.job_variables


def _api_url() -> str | None:
    run_id = get_flow_run_id()
    return None if run_id is None else api_url_of("flow-runs/flow-run", run_id)


def _ui_url() -> str | None:
    run_id = get_flow_run_id()
    return None if run_id is None else ui_url_of("flow-runs/flow-run", run_id)


FIELDS: Getters = {
    "id": get_flow_run_id,
    "name": flow_run_fact(attrgetter("name")),
    "tags": flow_run_fact(lambda run: list(run.tags), list),
    "parameters": flow_run_fact(_parameters, dict),
    "flow_name": flow_run_fact(attrgetter("flow_name")),
    "flow_version": flow_run_fact(attrgetter("flow_version")),
    "scheduled_start_time": flow_run_fact(attrgetter("scheduled_start_time"), now),
    "start_time": flow_run_fact(attrgetter("start_time")),
    "run_count": flow_run_fact(attrgetter("run_count"), int),
    "max_retries": flow_run_fact(attrgetter("max_retries"), int),
    "state_name": flow_run_fact(attrgetter("state_name")),
    "parent_flow_run_id": flow_run_fact(attrgetter("parent_flow_run_id")),
    "parent_deployment_id": flow_run_fact(attrgetter("parent_deployment_id")),
    "root_flow_run_id": flow_run_fact(attrgetter("root_flow_run_id")),
    "job_variables": flow_run_fact(_job_variables),
    "work_pool_name": flow_run_fact(attrgetter("work_pool_name")),
    "work_queue_name": flow_run_fact(attrgetter("work_queue_name")),
    "api_url": _api_url,
    "ui_url": _ui_url,
}
"""The getters, by name."""

_read = answer_attributes(
    __name__,
    {
        "tags": list,
        "parameters": dict,
        "scheduled_start_time": datetime,
        "start_time": datetime,
        "run_count": int,
        "max_retries": int,
        "job_variables": dict,
    },
)
if not TYPE_CHECKING:  # type checkers are to know the attributes above, and no others
    __getattr__ = _read


def __dir__() -> list[str]:
    return sorted(FIELDS)
