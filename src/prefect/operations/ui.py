"""Operations that the interface's web page asks for: figures and checks in one request each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations.registry import operation
from prefect.parameters.schema_check import Mismatch, SchemaError, mismatches
from prefect.rules.bookkeeping import estimate
from prefect.schemas.figures import (
    CountByState,
    DashboardQuery,
    FlowIds,
    FlowRunIds,
    SchemaValues,
    SchemaValuesValidationResponse,
    SimpleFlowRun,
    SimpleFlowRunQuery,
    SimpleNextFlowRun,
    TaskRunCount,
    UITaskRun,
)
from prefect.schemas.queries import RunFilters
from prefect.schemas.states import StateType
from prefect.store import figures, queries, statements
from prefect.store.base import Store
from prefect.store.codec import flow_run_from_row, task_run_from_row
from prefect.store.values import read_id, read_time
from prefect.types import aware, now

__all__ = [
    "count_deployments_by_flow",
    "count_task_runs_by_flow_run",
    "count_task_runs_by_state",
    "read_dashboard_task_run_counts",
    "read_flow_run_chart",
    "read_next_runs_by_flow",
    "read_task_run_with_flow_run_name",
    "validate_values",
]

PARTS = 20
"""Into how many parts a dashboard divides a time."""
_FAILED = frozenset({StateType.FAILED.value, StateType.CRASHED.value})


@operation("POST", "/ui/flow_runs/history")
def read_flow_run_chart(store: Store, query: SimpleFlowRunQuery) -> list[SimpleFlowRun]:
    """Return what a chart shows of the flow runs that a query is about."""
    at, found = now(), []
    for row in store.select(queries.select_flow_runs(query)):
        run = flow_run_from_row(row)
        estimate(run, at)
        when = run.start_time or run.expected_start_time
        if run.state_type is None or when is None:
            continue
        found.append(
            SimpleFlowRun(
                id=run.id,
                state_type=run.state_type,
                timestamp=when,
                duration=run.estimated_run_time,
                lateness=run.estimated_start_time_delta,
            )
        )
    return found


@operation("POST", "/ui/flow_runs/count-task-runs")
def count_task_runs_by_flow_run(store: Store, data: FlowRunIds) -> dict[UUID, int]:
    """Return how many task runs each of some flow runs has, but for those that stand for subflows."""
    counted = store.select(figures.count_task_runs_by_flow_run(data.flow_run_ids))
    return _counts(data.flow_run_ids, counted)


@operation("POST", "/ui/flows/count-deployments")
def count_deployments_by_flow(store: Store, data: FlowIds) -> dict[UUID, int]:
    """Return how many deployments each of some flows has."""
    return _counts(data.flow_ids, store.select(figures.count_deployments_by_flow(data.flow_ids)))


def _counts(ids: list[UUID], rows: list[tuple[Any, ...]]) -> dict[UUID, int]:
    counted = {read_id(row_id): int(count) for row_id, count in rows}
    return {one: counted.get(one, 0) for one in ids}


@operation("POST", "/ui/flows/next-runs")
def read_next_runs_by_flow(store: Store, data: FlowIds) -> dict[UUID, SimpleNextFlowRun | None]:
    """Return the run of each of some flows that is due next; None for those without."""
    found: dict[UUID, SimpleNextFlowRun | None] = dict.fromkeys(data.flow_ids)
    for flow_id, run_id, name, state_name, state_type, due in store.select(
        figures.next_runs_by_flow(data.flow_ids)
    ):
        run = SimpleNextFlowRun(
            id=read_id(run_id),
            flow_id=read_id(flow_id),
            name=name,
            state_name=state_name,
            state_type=StateType(state_type),
            next_scheduled_start_time=read_time(due),
        )
        found[run.flow_id] = run
    return found


@operation("POST", "/ui/task_runs/count")
def count_task_runs_by_state(store: Store, query: RunFilters) -> CountByState:
    """Return how many of the task runs that a query is about are in each kind of state."""
    counted = store.select(figures.count_task_runs_by_state(query))
    return CountByState(**{kind: int(count) for kind, count in counted})


@operation("POST", "/ui/task_runs/dashboard/counts")
def read_dashboard_task_run_counts(store: Store, query: DashboardQuery) -> list[TaskRunCount]:
    """Return how many task runs completed and failed in each part of the time that they are asked for.

    Raises:
        prefect.exceptions.RequestRefused: The query does not say since when.
    """
    wanted = query.task_runs.start_time
    if wanted is None or wanted.after_ is None:
        raise RequestRefused("task_runs.start_time.after_ is required")
    start, end = aware(wanted.after_), aware(wanted.before_ or now())
    parts = [TaskRunCount() for _ in range(PARTS)]
    seconds = (end - start).total_seconds() / PARTS
    if seconds <= 0:
        return parts
    for bucket, kind, count in store.select(figures.finished_by_bucket(query, start, seconds)):
        part = parts[min(int(bucket), PARTS - 1)]
        if kind == StateType.COMPLETED.value:
            part.completed += int(count)
        elif kind in _FAILED:
            part.failed += int(count)
    return parts


@operation("GET", "/ui/task_runs/{task_run_id}")
def read_task_run_with_flow_run_name(store: Store, task_run_id: UUID) -> UITaskRun:
    """Return a task run with the name of its flow run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    rows = store.fetch(statements.TASK_RUN_BY_ID, (task_run_id.hex,))
    if not rows:
        raise ObjectNotFound(help_message="Task not found")
    run = task_run_from_row(rows[0])
    estimate(run, now())
    owner = run.flow_run_id
    owners = [] if owner is None else store.fetch(statements.FLOW_RUN_BY_ID, (owner.hex,))
    name = flow_run_from_row(owners[0]).name if owners else None
    return UITaskRun(**msgspec.structs.asdict(run), flow_run_name=name)


@operation("POST", "/ui/schemas/validate")
def validate_values(store: Store, data: SchemaValues) -> SchemaValuesValidationResponse:
    """Return what of some values does not fit their JSON schema.

    Raises:
        prefect.exceptions.RequestRefused: It is no schema.
    """
    try:
        found = mismatches(data.values, data.schema)
    except SchemaError as error:
        raise RequestRefused(str(error)) from error
    errors: list[Any] = []
    for mismatch in sorted(found, key=lambda each: [str(step) for step in _place(each)]):
        _put(errors, _place(mismatch), mismatch.message)
    return SchemaValuesValidationResponse(errors=errors, valid=not errors)


def _place(mismatch: Mismatch) -> list[str | int]:
    """Return where something is wrong; what is missing is wrong in its own place."""
    missing = [] if mismatch.missing is None else [mismatch.missing]
    return [*mismatch.absolute_path, *missing]


def _put(errors: list[Any], path: list[str | int], message: str) -> None:
    if not path:
        errors.append(message)
        return
    key = "index" if isinstance(path[0], int) else "property"
    for each in errors:
        if isinstance(each, dict) and each.get(key) == path[0]:
            break
    else:
        each = {key: path[0], "errors": []}
        errors.append(each)
    _put(each["errors"], path[1:], message)
