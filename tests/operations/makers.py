"""Makes what tests need in a store, through operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.operations import create_flow, create_flow_run, record_task_runs
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.objects import FlowRun, Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateType
from prefect.store.base import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def state(kind: str, minutes: float = 0, **values: Any) -> State[Any]:
    return State(type=StateType(kind), timestamp=at(minutes), **values)


def make_flow_run(store: Store, *, flow: str = "etl", **values: Any) -> FlowRun:
    made = create_flow(store, FlowCreate(name=flow))
    return create_flow_run(store, FlowRunCreate(flow_id=made.id, **values))


def task_run_record(*states: State[Any], flow_run_id: UUID | None = None, **values: Any) -> TaskRunRecord:
    run = TaskRun(
        **{"task_key": "load", "dynamic_key": "0", "name": "load-0", "flow_run_id": flow_run_id, **values}
    )
    for each in states:
        enter_state(run, each)
    return TaskRunRecord(run=run, states=list(states))


def make_task_run(store: Store, *states: State[Any], **values: Any) -> TaskRun:
    record = task_run_record(*(states or (state("COMPLETED"),)), **values)
    record_task_runs(store, [record])
    return record.run


def log(message: str, minutes: float = 0, **values: Any) -> Log:
    return Log(
        **{"name": "prefect.flow_runs", "level": 20, "message": message, "timestamp": at(minutes), **values}
    )
