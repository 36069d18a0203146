"""Filters of task runs as conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import not_, select

from prefect.store.conditions.base import TAG_TESTS, Condition, Criterion, all_of, among, of
from prefect.store.tables.runs import flow_runs, task_runs

__all__ = ["task_run_condition"]


def _in_flow_run(filter_: Any) -> Condition | None:
    # As the interface has it: either task runs without a flow run or, by default, those with one.
    if filter_.is_null_:
        return task_runs.c.flow_run_id.is_(None)
    wanted = filter_.any_
    return task_runs.c.flow_run_id.is_not(None) if wanted is None else among(task_runs.c.flow_run_id, wanted)


def _stands_for_a_flow_run(filter_: Any) -> Condition | None:
    if filter_.exists_ is None:
        return None
    standing = task_runs.c.id.in_(
        select(flow_runs.c.parent_task_run_id).where(flow_runs.c.parent_task_run_id.is_not(None))
    )
    return standing if filter_.exists_ else not_(standing)


task_run_condition: Criterion = all_of(
    {
        "id": of(task_runs.c.id),
        "name": of(task_runs.c.name),
        "tags": of(task_runs.c.tags, TAG_TESTS),
        "state": all_of({"type": of(task_runs.c.state_type), "name": of(task_runs.c.state_name)}),
        "start_time": of(task_runs.c.start_time),
        "end_time": of(task_runs.c.end_time),
        "expected_start_time": of(task_runs.c.expected_start_time),
        "subflow_runs": _stands_for_a_flow_run,
        "flow_run_id": _in_flow_run,
    }
)
"""Which task runs a filter is about."""
