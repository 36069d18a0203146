from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from makers import at, make_flow_run, make_task_run, state

from prefect.exceptions import TooMuchAsked
from prefect.operations import count_flow_runs, count_task_runs, read_flow_runs, read_logs, read_task_runs
from prefect.schemas.filters import (
    FlowFilter,
    FlowRunFilter,
    FlowRunFilterName,
    LogFilter,
    LogFilterTextSearch,
    TaskRunFilter,
)
from prefect.schemas.queries import FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.sorting import FlowRunSort, TaskRunSort
from prefect.store import make_store
from prefect.store.base import Store

A, B, C, D = (UUID(int=number) for number in (10, 11, 12, 13))
T1, T2 = UUID(int=21), UUID(int=22)
DEPLOYMENT = UUID(int=31)


@pytest.fixture
def runs(store: Store) -> Iterator[Store]:
    """A store with four flow runs and two task runs."""
    make_flow_run(store, id=A, name="alpha", tags=["x", "y"], state=state("RUNNING", 1), flow_version="1")
    make_flow_run(
        store,
        id=B,
        name="Beta",
        tags=["x"],
        state=state("COMPLETED", 2),
        idempotency_key="k",
        parent_task_run_id=T1,
    )
    make_flow_run(
        store,
        id=C,
        name="gamma_1",
        deployment_id=DEPLOYMENT,
        work_queue_name="default",
        state=state("SCHEDULED", 0, name="Late"),
    )
    make_flow_run(store, flow="other", id=D, name="delta", state=state("PENDING", 4))
    make_task_run(store, state("RUNNING", 1), id=T1, name="call-0", flow_run_id=A, tags=["t"])
    make_task_run(store, state("RUNNING", 2), state("FAILED", 5), id=T2, name="load-1", flow_run_id=D)
    yield store


FLOW_RUN_CASES: list[tuple[dict[str, Any], set[UUID]]] = [
    ({}, {A, B, C, D}),
    ({"id": {"any_": [A, str(B)]}}, {A, B}),
    ({"id": {"not_any_": [A, B]}}, {C, D}),
    ({"id": {"any_": []}}, set()),
    ({"name": {"any_": ["alpha", "Beta"]}}, {A, B}),
    ({"name": {"like_": "ET"}}, {B}),
    ({"tags": {"all_": ["x", "y"]}}, {A}),
    ({"tags": {"any_": ["y", "z"]}}, {A}),
    ({"tags": {"is_null_": True}}, {C, D}),
    ({"tags": {"is_null_": False}}, {A, B}),
    ({"tags": {"operator": "or_", "all_": ["y"], "is_null_": True}}, {A, C, D}),
    ({"state": {"type": {"any_": ["RUNNING", "COMPLETED"]}}}, {A, B}),
    ({"state": {"type": {"not_any_": ["RUNNING"]}}}, {B, C, D}),
    ({"state": {"name": {"any_": ["Late"]}}}, {C}),
    ({"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["Late"]}}}, {A, C}),
    ({"deployment_id": {"any_": [DEPLOYMENT]}}, {C}),
    ({"deployment_id": {"is_null_": True}}, {A, B, D}),
    ({"work_queue_name": {"any_": ["default"]}}, {C}),
    ({"flow_version": {"any_": ["1"]}}, {A}),
    ({"start_time": {"before_": at(1)}}, {A}),
    ({"start_time": {"before_": at(4)}}, {A, B, D}),
    ({"start_time": {"after_": at(2)}}, {B, C, D}),
    ({"start_time": {"is_null_": True}}, {C, D}),
    ({"start_time": {"is_null_": False, "after_": at(2)}}, {B}),
    ({"end_time": {"after_": at(2)}}, {B}),
    ({"expected_start_time": {"after_": at(2), "before_": at(4)}}, {B, D}),
    ({"next_scheduled_start_time": {"before_": "2100-01-01T00:00:00+02:00"}}, {C}),
    ({"parent_flow_run_id": {"any_": [A]}}, {B}),
    ({"parent_task_run_id": {"any_": [T1]}}, {B}),
    ({"parent_task_run_id": {"is_null_": False}}, {B}),
    ({"idempotency_key": {"any_": ["k"]}}, {B}),
    ({"created_by": {"is_null_": True}}, {A, B, C, D}),
    ({"created_by": {"id_": [A], "type_": ["DEPLOYMENT"]}}, set()),
    ({"operator": "or_", "name": {"any_": ["alpha"]}, "tags": {"is_null_": True}}, {A, C, D}),
    ({"name": {"any_": ["alpha"]}, "tags": {"is_null_": True}}, set()),
]


@pytest.mark.parametrize(("given", "found"), FLOW_RUN_CASES, ids=[str(case[0]) for case in FLOW_RUN_CASES])
def test_flow_runs_are_filtered(runs: Store, given: dict[str, Any], found: set[UUID]) -> None:
    query = FlowRunQuery(flow_runs=FlowRunFilter(**given))
    assert {run.id for run in read_flow_runs(runs, query)} == found
    assert count_flow_runs(runs, query) == len(found)


RELATED_CASES: list[tuple[dict[str, Any], set[UUID]]] = [
    ({"flows": FlowFilter(name={"any_": ["other"]})}, {D}),
    ({"flows": FlowFilter(deployment={"is_null_": False})}, set()),
    ({"task_runs": TaskRunFilter(name={"like_": "load"})}, {D}),
]


@pytest.mark.parametrize(("given", "found"), RELATED_CASES, ids=[str(case[0]) for case in RELATED_CASES])
def test_flow_runs_are_found_by_what_belongs_to_them(
    runs: Store, given: dict[str, Any], found: set[UUID]
) -> None:
    assert {run.id for run in read_flow_runs(runs, FlowRunQuery(**given))} == found


TASK_RUN_CASES: list[tuple[dict[str, Any], set[UUID]]] = [
    ({}, {T1, T2}),
    ({"id": {"any_": [T1]}}, {T1}),
    ({"name": {"any_": ["call-0"]}}, {T1}),
    ({"name": {"like_": "LOAD"}}, {T2}),
    ({"tags": {"all_": ["t"]}}, {T1}),
    ({"tags": {"is_null_": True}}, {T2}),
    ({"state": {"type": {"any_": ["FAILED"]}}}, {T2}),
    ({"state": {"name": {"any_": ["Running"]}}}, {T1}),
    ({"start_time": {"after_": at(2)}}, {T2}),
    ({"end_time": {"is_null_": False}}, {T2}),
    ({"expected_start_time": {"before_": at(1)}}, {T1}),
    ({"subflow_runs": {"exists_": True}}, {T1}),
    ({"subflow_runs": {"exists_": False}}, {T2}),
    ({"flow_run_id": {"any_": [A]}}, {T1}),
    ({"flow_run_id": {"is_null_": True}}, set()),
    ({"flow_run_id": {"is_null_": False}}, {T1, T2}),
    ({"flow_run_id": {}}, {T1, T2}),
    ({"operator": "or_", "tags": {"all_": ["t"]}, "state": {"type": {"any_": ["FAILED"]}}}, {T1, T2}),
]


@pytest.mark.parametrize(("given", "found"), TASK_RUN_CASES, ids=[str(case[0]) for case in TASK_RUN_CASES])
def test_task_runs_are_filtered(runs: Store, given: dict[str, Any], found: set[UUID]) -> None:
    query = TaskRunQuery(task_runs=TaskRunFilter(**given))
    assert {run.id for run in read_task_runs(runs, query)} == found
    assert count_task_runs(runs, query) == len(found)


def test_task_runs_are_found_by_flow_and_flow_run(runs: Store) -> None:
    query = TaskRunQuery(flows=FlowFilter(name={"any_": ["other"]}))
    assert [run.id for run in read_task_runs(runs, query)] == [T2]
    query = TaskRunQuery(flow_runs=FlowRunFilter(name={"any_": ["alpha"]}))
    assert [run.id for run in read_task_runs(runs, query)] == [T1]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (FlowRunSort.ID_DESC, [D, C, B, A]),
        (FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC, [C, A, B, D]),
        (FlowRunSort.END_TIME_DESC, [B, D, C, A]),
        (FlowRunSort.START_TIME_ASC, [A, B, D, C]),
        (FlowRunSort.START_TIME_DESC, [C, D, B, A]),
        (FlowRunSort.EXPECTED_START_TIME_ASC, [A, B, D, C]),
        (FlowRunSort.EXPECTED_START_TIME_DESC, [C, D, B, A]),
    ],
)
def test_flow_runs_are_sorted(runs: Store, sort: FlowRunSort, order: list[UUID]) -> None:
    assert [run.id for run in read_flow_runs(runs, FlowRunQuery(sort=sort))] == order


@pytest.mark.parametrize("sort", list(FlowRunSort))
def test_every_order_of_flow_runs_gives_all(runs: Store, sort: FlowRunSort) -> None:
    paged = [read_flow_runs(runs, FlowRunQuery(sort=sort, limit=2, offset=offset)) for offset in (0, 2)]
    assert {run.id for page in paged for run in page} == {A, B, C, D}


@pytest.mark.parametrize("sort", list(TaskRunSort))
def test_every_order_of_task_runs_gives_all(runs: Store, sort: TaskRunSort) -> None:
    assert {run.id for run in read_task_runs(runs, TaskRunQuery(sort=sort))} == {T1, T2}


def test_a_query_that_is_too_long_is_explained(tmp_path: Path) -> None:
    store = make_store(f"sqlite:///{tmp_path / 'prefect.db'}")
    search = " ".join(f"word{i}" for i in range(5000))
    query = LogQuery(logs=LogFilter(text=LogFilterTextSearch(query=search)))

    with pytest.raises(TooMuchAsked, match="asks for too much at once"):
        read_logs(store, query)
    make_flow_run(store, id=A)
    named = FlowRunQuery(flow_runs=FlowRunFilter(name=FlowRunFilterName(like_="x" * 100_000)))
    with pytest.raises(TooMuchAsked, match="asks for too much at once"):
        read_flow_runs(store, named)
    store.close()


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-01T12:02:00Z",
        "2026-03-01 12:02:00",
        "2026-03-01T12:02:00",
        "2026-03-01T14:02:00+02:00",
        1772366520,
    ],
)
def test_times_are_read_as_clients_write_them(runs: Store, moment: Any) -> None:
    query = FlowRunQuery(flow_runs=FlowRunFilter(end_time={"after_": moment}))
    assert {run.id for run in read_flow_runs(runs, query)} == {B}


def test_a_date_is_its_midnight(runs: Store) -> None:
    for day, found in ((date(2026, 3, 1), {B}), ("2026-03-02", set())):
        query = FlowRunQuery(flow_runs=FlowRunFilter(end_time={"after_": day}))
        assert {run.id for run in read_flow_runs(runs, query)} == found


@pytest.mark.parametrize("moment", ["2026-13-01", "soon", "0001-01-01T00:00:00+05:00", [], True])
def test_what_is_no_time_is_refused(moment: Any) -> None:
    with pytest.raises(ValueError, match="is no time"):
        FlowRunFilter(end_time={"after_": moment})
