"""Listings with known statements give just what composing the query would."""

from __future__ import annotations

from typing import Any

import pytest
from makers import log, make_flow_run, make_task_run

from prefect.operations import create_logs, read_flow_runs
from prefect.operations.listings import known_flow_runs, known_flows, known_logs, known_task_runs
from prefect.operations.prefixes import find_run_ids
from prefect.schemas.filters import FlowRunFilter, LogFilter, TaskRunFilter
from prefect.schemas.queries import FlowQuery, FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort
from prefect.store import queries
from prefect.store.base import Store

WINDOWS = pytest.mark.parametrize(
    "window", [{}, {"limit": 2}, {"limit": 2, "offset": 1}, {"limit": 0}], ids=str
)


@pytest.fixture
def filled(store: Store) -> tuple[Store, Any, Any]:
    """A store with three flows and runs, two of them of one name, with task runs and logs."""
    runs = [make_flow_run(store, flow=f"flow-{i}", name=f"run-{i % 2}") for i in range(3)]
    tasks = [make_task_run(store, flow_run_id=runs[0].id, name=f"task-{i % 2}") for i in range(3)]
    create_logs(
        store,
        [log(f"line {i}", i % 3, flow_run_id=runs[0].id, task_run_id=tasks[0].id) for i in range(5)]
        + [log("other", 1, flow_run_id=runs[1].id)],
    )
    return store, runs[0].id, tasks[0].id


@WINDOWS
def test_known_listings_are_those_composed(filled: Any, window: dict[str, int]) -> None:
    store, run_id, task_id = filled
    named_runs = FlowRunFilter(name={"any_": ["run-0"]})  # type: ignore[arg-type]
    named_tasks = TaskRunFilter(name={"any_": ["task-0"]})  # type: ignore[arg-type]
    of_run = LogFilter(flow_run_id={"any_": [run_id]})  # type: ignore[arg-type]
    of_task = LogFilter(task_run_id={"any_": [task_id]})  # type: ignore[arg-type]
    newest = FlowQuery(sort=FlowSort.CREATED_DESC, **window)
    cases: list[tuple[Any, Any, Any]] = [
        (known_flows, queries.select_flows, newest),
        (known_flow_runs, queries.select_flow_runs, FlowRunQuery(**window)),
        (known_flow_runs, queries.select_flow_runs, FlowRunQuery(flow_runs=named_runs, **window)),
        (known_task_runs, queries.select_task_runs, TaskRunQuery(**window)),
        (known_task_runs, queries.select_task_runs, TaskRunQuery(task_runs=named_tasks, **window)),
    ]
    for sort in LogSort:
        cases.append((known_logs, queries.select_logs, LogQuery(logs=of_run, sort=sort, **window)))
        cases.append((known_logs, queries.select_logs, LogQuery(logs=of_task, sort=sort, **window)))

    for known, compose, query in cases:
        rows = store.fetch(*known(query))
        assert rows == store.select(compose(query))
        assert bool(rows) == (window.get("limit") != 0)


@pytest.mark.parametrize(
    ("known", "query"),
    [
        (known_flows, FlowQuery()),
        (known_flow_runs, FlowRunQuery(sort=FlowRunSort.NAME_ASC)),
        (known_flow_runs, FlowRunQuery(flow_runs=FlowRunFilter(name={"any_": ["a", "b"]}))),  # type: ignore[arg-type]
        (known_flow_runs, FlowRunQuery(flow_runs=FlowRunFilter(name={"any_": ["a"], "like_": "b"}))),  # type: ignore[arg-type]
        (known_task_runs, TaskRunQuery(flow_runs=FlowRunFilter())),
        (known_logs, LogQuery()),
        (known_logs, LogQuery(logs=LogFilter(level={"ge_": 20}))),  # type: ignore[arg-type]
    ],
)
def test_other_queries_are_composed(known: Any, query: Any) -> None:
    assert known(query) is None


def test_runs_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    runs = [make_flow_run(store) for _ in range(3)]
    task = make_task_run(store)
    ids = [run.id for run in runs]

    assert find_run_ids(store, "flow-run", str(ids[0])) == ids[:1]
    assert find_run_ids(store, "flow-run", ids[0].hex.upper()) == ids[:1]
    assert find_run_ids(store, "flow-run", str(ids[0])[:6]) == ids
    assert find_run_ids(store, "flow-run", str(ids[0])[:6], 2) == ids[:2]
    assert find_run_ids(store, "flow-run", "ffff") == []
    assert find_run_ids(store, "task-run", str(task.id)[:30]) == [task.id]


def test_the_newest_runs_come_first(store: Store) -> None:
    ids = [make_flow_run(store).id for _ in range(3)]

    assert [run.id for run in read_flow_runs(store, FlowRunQuery())] == ids[::-1]
