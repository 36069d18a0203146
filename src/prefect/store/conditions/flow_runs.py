"""Filters of flow runs as conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from prefect.store.conditions.base import (
    TAG_TESTS,
    TESTS,
    Condition,
    Criterion,
    Test,
    all_of,
    among,
    is_null,
    of,
)
from prefect.store.functions import Member
from prefect.store.tables.runs import BEGUN, flow_runs, task_runs

__all__ = ["flow_run_condition"]


def _parent_flow_run(filter_: Any) -> Condition | None:
    inside = of(task_runs.c.flow_run_id)(filter_)
    return (
        None if inside is None else flow_runs.c.parent_task_run_id.in_(select(task_runs.c.id).where(inside))
    )


def _created_by(filter_: Any) -> Condition | None:
    column = flow_runs.c.created_by
    tests: dict[str, Test] = {
        "id_": lambda _, ids: among(Member(column, "id"), [str(one) for one in ids]),
        "type_": lambda _, types: among(Member(column, "type"), types),
        "is_null_": is_null,
    }
    return of(column, tests)(filter_)


# A run that has not started is where it is to start, as where runs are sorted by it; only whether there is a
# time asks for that alone.
_STARTED: dict[str, Test] = {
    **TESTS,
    "before_": lambda _, moment: TESTS["before_"](BEGUN, moment),
    "after_": lambda _, moment: TESTS["after_"](BEGUN, moment),
}

flow_run_condition: Criterion = all_of(
    {
        "id": of(flow_runs.c.id),
        "name": of(flow_runs.c.name),
        "tags": of(flow_runs.c.tags, TAG_TESTS),
        "deployment_id": of(flow_runs.c.deployment_id),
        "work_queue_name": of(flow_runs.c.work_queue_name),
        "state": all_of({"type": of(flow_runs.c.state_type), "name": of(flow_runs.c.state_name)}),
        "flow_version": of(flow_runs.c.flow_version),
        "start_time": of(flow_runs.c.start_time, _STARTED),
        "end_time": of(flow_runs.c.end_time),
        "expected_start_time": of(flow_runs.c.expected_start_time),
        "next_scheduled_start_time": of(flow_runs.c.next_scheduled_start_time),
        "parent_flow_run_id": _parent_flow_run,
        "parent_task_run_id": of(flow_runs.c.parent_task_run_id),
        "idempotency_key": of(flow_runs.c.idempotency_key),
        "created_by": _created_by,
    }
)
"""Which flow runs a filter is about."""
