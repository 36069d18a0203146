"""Listings with known statements give just what composing the query would."""

from __future__ import annotations

from itertools import combinations
from typing import Any, TypeVar

import msgspec
import pytest
from makers import at, log, make_flow_run, make_task_run, state

from prefect.operations import count_flow_runs, count_task_runs, create_logs, read_flow_runs, read_task_runs
from prefect.operations.listings import known_flow_runs, known_flows, known_logs, known_task_runs
from prefect.operations.prefixes import find_run_ids
from prefect.schemas.filters import LogFilter
from prefect.schemas.queries import FlowQuery, FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.store import queries
from prefect.store.base import Store
from prefect.types import uuid7

Q = TypeVar("Q")
WINDOWS = pytest.mark.parametrize(
    "window", [{}, {"limit": 1}, {"limit": 2}, {"limit": 2, "offset": 1}, {"limit": 0}], ids=str
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


def asked(query: type[Q], **given: Any) -> Q:
    return msgspec.convert(given, query)


def equal_rows(store: Store, known: Any, compose: Any, query: Any) -> list[Any]:
    found = known(query)
    assert found is not None, query
    rows = store.fetch(*found)
    assert rows == store.select(compose(query)), query
    return rows


@WINDOWS
def test_known_listings_are_those_composed(filled: Any, window: dict[str, int]) -> None:
    store, run_id, task_id = filled
    of_run = LogFilter(flow_run_id={"any_": [run_id]})  # type: ignore[arg-type]
    of_task = LogFilter(task_run_id={"any_": [task_id]})  # type: ignore[arg-type]
    cases: list[tuple[Any, Any, Any]] = [
        (known_flows, queries.select_flows, FlowQuery(sort=FlowSort.CREATED_DESC, **window)),
        *(
            (known_flow_runs, queries.select_flow_runs, FlowRunQuery(sort=sort, **window))
            for sort in (
                FlowRunSort.ID_DESC,
                FlowRunSort.EXPECTED_START_TIME_DESC,
                FlowRunSort.START_TIME_DESC,
            )
        ),
        (known_task_runs, queries.select_task_runs, TaskRunQuery(**window)),
    ]
    for sort in LogSort:
        cases.append((known_logs, queries.select_logs, LogQuery(logs=of_run, sort=sort, **window)))
        cases.append((known_logs, queries.select_logs, LogQuery(logs=of_task, sort=sort, **window)))

    for known, compose, query in cases:
        assert bool(equal_rows(store, known, compose, query)) == (window.get("limit") != 0)


RUN_CRITERIA: dict[str, list[Any]] = {
    "name": [{"any_": ["run-0"]}, {"any_": ["run-0", "run-1"]}, {"any_": []}],
    "tags": [{"all_": ["a"]}, {"all_": ["a", "b"]}, {"all_": []}],
    "state": [
        {"type": {"any_": ["FAILED"]}},
        {"type": {"any_": ["FAILED", "COMPLETED"]}},
        {"name": {"any_": ["Late"]}},
        {"name": {"any_": ["Completed", "Late", 'it\'s "odd" %s ?']}, "type": {"any_": ["SCHEDULED"]}},
    ],
}
TIMES = [{"after_": at(1)}, {"before_": at(2)}, {"after_": at(0), "before_": at(2)}]


def combined(criteria: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """All single criteria, and all pairs of criteria of different names."""
    single = [(name, value) for name, values in criteria.items() for value in values]
    return [
        dict(some)
        for count in (1, 2)
        for some in combinations(single, count)
        if len({name for name, _ in some}) == count
    ]


@pytest.fixture
def varied(store: Store) -> Store:
    """A store with runs of several states, names, tags, times and flows."""
    states = ["FAILED", "COMPLETED", "SCHEDULED"]
    for i in range(12):
        kind = state(states[i % 3], i % 4, **({"name": "Late"} if i % 6 == 2 else {}))
        labels: dict[str, Any] = {"name": f"run-{i % 2}", "tags": [["a"], ["a", "b"], []][i % 3 - i % 2]}
        run = make_flow_run(store, flow=f"flow-{i % 3}", state=kind, **labels)
        make_task_run(store, kind, flow_run_id=run.id if i % 5 else None, **labels)
    return store


def test_known_flow_runs_are_those_composed_for_all_criteria(varied: Store) -> None:
    criteria = {**RUN_CRITERIA, "expected_start_time": TIMES}
    found = 0
    for given in combined(criteria):
        for flows in (None, {"name": {"any_": ["flow-1"]}}, {"name": {"any_": ["flow-1", "flow-2"]}}):
            query = asked(FlowRunQuery, flow_runs=given, flows=flows, limit=3)
            found += bool(equal_rows(varied, known_flow_runs, queries.select_flow_runs, query))
            counted = varied.select(queries.count_flow_runs(query))[0][0]
            assert count_flow_runs(varied, query) == counted, query
    assert found > 50


def test_known_task_runs_are_those_composed_for_all_criteria(varied: Store) -> None:
    ids = [run.id for run in read_flow_runs(varied, FlowRunQuery())]
    criteria = {**RUN_CRITERIA, "flow_run_id": [{"any_": ids[:1]}, {"any_": ids}, {"any_": []}]}
    found = 0
    for given in combined(criteria):
        query = asked(TaskRunQuery, task_runs=given)
        found += bool(equal_rows(varied, known_task_runs, queries.select_task_runs, query))
        counted = varied.select(queries.count_task_runs(query))[0][0]
        assert count_task_runs(varied, query) == counted, query
    assert found > 20


def test_known_logs_are_those_composed_for_all_criteria(filled: Any) -> None:
    store, run_id, task_id = filled
    criteria: dict[str, list[Any]] = {
        "flow_run_id": [{"any_": [run_id]}, {"any_": [run_id, task_id]}],
        "task_run_id": [{"any_": [task_id]}],
        "timestamp": TIMES,
        "level": [{"ge_": 20}, {"le_": 10}],
    }
    for given in combined(criteria):
        equal_rows(store, known_logs, queries.select_logs, asked(LogQuery, logs=given))


@pytest.mark.parametrize(
    ("known", "query", "given"),
    [
        (known_flows, FlowQuery, {}),
        (known_flow_runs, FlowRunQuery, {"sort": FlowRunSort.NAME_ASC}),
        (known_task_runs, TaskRunQuery, {"sort": TaskRunSort.NAME_ASC}),
        (known_flow_runs, FlowRunQuery, {"flow_runs": {"name": {"any_": ["a"], "like_": "b"}}}),
        (known_flow_runs, FlowRunQuery, {"flow_runs": {"name": {"any_": ["a"]}, "operator": "or_"}}),
        (known_flow_runs, FlowRunQuery, {"task_runs": {"name": {"any_": ["a"]}}}),
        (known_task_runs, TaskRunQuery, {"task_runs": {"flow_run_id": {}}}),
        (known_task_runs, TaskRunQuery, {"task_runs": {"flow_run_id": {"any_": [], "is_null_": True}}}),
        (known_task_runs, TaskRunQuery, {"flow_runs": {"name": {"any_": ["a"]}}}),
        (known_logs, LogQuery, {"logs": {"text": {"query": "a"}}}),
    ],
)
def test_other_queries_are_composed(known: Any, query: Any, given: dict[str, Any]) -> None:
    assert known(asked(query, **given)) is None


def test_a_list_may_be_longer_than_a_statement_takes_parameters(varied: Store) -> None:
    runs = read_flow_runs(varied, FlowRunQuery())
    many = [*(uuid7() for _ in range(70_000)), runs[0].id]
    task = make_task_run(varied)
    tags = [f"tag {i}" for i in range(70_000)]

    def found(**given: Any) -> int:
        return len(read_flow_runs(varied, asked(FlowRunQuery, flow_runs=given)))

    assert found(id={"any_": many}) == 1
    assert found(id={"not_any_": many}) == len(runs) - 1
    assert found(tags={"any_": tags}) == found(tags={"all_": tags}) == 0
    assert found(tags={"any_": [*tags, "b"]}) == found(tags={"all_": ["b"]}) > 0
    other_flows = asked(FlowRunQuery, flows={"id": {"not_any_": many}})
    assert len(read_flow_runs(varied, other_flows)) == len(runs)
    one_of_many = asked(TaskRunQuery, task_runs={"id": {"any_": [*many, task.id]}})
    assert [run.id for run in read_task_runs(varied, one_of_many)] == [task.id]


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
