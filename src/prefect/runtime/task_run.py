"""The task run that this code is part of.

Attributes are read as they are asked for: `task_run.id`, or `from prefect.runtime.task_run import id` for the
value of now. Where there is no task run they are empty. `FIELDS` holds their getters, and tests may patch it.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from prefect.runtime.attributes import Getters, answer_attributes
from prefect.runtime.facts import task_run_fact
from prefect.runtime.urls import api_url_of, ui_url_of

if TYPE_CHECKING:
    id: str | None
    name: str | None
    tags: list[str]
    parameters: dict[str, Any]
    """The task's arguments; empty in another process when they were too large to travel."""
    task_name: str | None
    run_count: int
    """Which attempt this is, from 1."""
    retries: int
    """How often the task is tried again at most."""
    start_time: datetime | None
    """When the run first started to run."""
    flow_run_id: str | None
    api_url: str | None
    ui_url: str | None

__all__ = [
    "api_url",
    "flow_run_id",
    "id",
    "name",
    "parameters",
    "retries",
    "run_count",
    "start_time",
    "tags",
    "task_name",
    "ui_url",
]

FIELDS: Getters = {
    "id": task_run_fact(attrgetter("id")),
    "name": task_run_fact(attrgetter("name")),
    "tags": task_run_fact(lambda run: list(run.tags), list),
    "parameters": task_run_fact(attrgetter("parameters"), dict),
    "task_name": task_run_fact(attrgetter("task_name")),
    "run_count": task_run_fact(attrgetter("run_count"), int),
    "retries": task_run_fact(attrgetter("retries"), int),
    "start_time": task_run_fact(attrgetter("start_time")),
    "flow_run_id": task_run_fact(attrgetter("flow_run_id")),
    "api_url": task_run_fact(lambda run: api_url_of("runs/task-run", run.id)),
    "ui_url": task_run_fact(lambda run: ui_url_of("runs/task-run", run.id)),
}
"""The getters, by name."""

_read = answer_attributes(
    __name__, {"tags": list, "parameters": dict, "run_count": int, "retries": int, "start_time": datetime}
)
if not TYPE_CHECKING:  # type checkers are to know the attributes above, and no others
    __getattr__ = _read


def __dir__() -> list[str]:
    return sorted(FIELDS)
