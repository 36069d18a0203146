from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import NOON, at, make_flow_run, make_task_run, state
from test_deployments import deploy

from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations import (
    create_flow_run,
    read_flow_run,
    read_flow_runs,
    read_task_run,
    set_task_run_state,
)
from prefect.operations.bulk import delete_flow_runs, delete_flows, set_flow_run_states
from prefect.operations.flow_run_details import (
    read_flow_run_state,
    read_task_run_state,
    update_flow_run_labels,
)
from prefect.operations.graphs import read_flow_run_dependencies, read_flow_run_graph
from prefect.operations.history import average_flow_run_lateness, flow_run_history, task_run_history
from prefect.operations.run_pages import paginate_flow_runs, paginate_flows, paginate_task_runs
from prefect.operations.ui import (
    count_deployments_by_flow,
    count_task_runs_by_flow_run,
    count_task_runs_by_state,
    read_dashboard_task_run_counts,
    read_flow_run_chart,
    read_next_runs_by_flow,
    read_task_run_with_flow_run_name,
    validate_values,
)
from prefect.schemas.actions import FlowRunCreate
from prefect.schemas.figures import DashboardQuery, FlowIds, FlowRunIds, SchemaValues, SimpleFlowRunQuery
from prefect.schemas.filters import FlowFilter, FlowRunFilter, TaskRunFilter
from prefect.schemas.objects import Constant, TaskRunResult
from prefect.schemas.queries import (
    FlowPage,
    FlowRunPage,
    FlowRunQuery,
    HistoryQuery,
    RunFilters,
    TaskRunPage,
)
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store.base import Store

HOUR = timedelta(hours=1)


def history_query(start: datetime = NOON, end: datetime = NOON + HOUR, seconds: float = 600) -> HistoryQuery:
    return HistoryQuery(history_start=start, history_end=end, history_interval_seconds=seconds)


def test_a_history_counts_the_runs_of_each_interval(store: Store) -> None:
    for minutes in (0, 5, 10, 59):
        make_flow_run(store, state=state("COMPLETED", minutes))
    make_flow_run(store, state=state("FAILED", 5))
    make_flow_run(store, state=state("COMPLETED", 60))
    intervals = flow_run_history(store, history_query())

    assert [each.interval_start for each in intervals] == [at(10 * n) for n in range(6)]
    assert intervals[-1].interval_end == at(60)
    counted = [{each.state_name: each.count_runs for each in interval.states} for interval in intervals]
    assert counted == [{"Completed": 2, "Failed": 1}, {"Completed": 1}, {}, {}, {}, {"Completed": 1}]


def test_a_history_sums_run_times_and_lateness(store: Store) -> None:
    flow_run = make_flow_run(store)
    for key, minutes in (("a", 1), ("b", 2)):
        make_task_run(
            store,
            state("PENDING", 0),
            state("RUNNING", minutes),
            state("COMPLETED", minutes + 3),
            flow_run_id=flow_run.id,
            dynamic_key=key,
        )
    (interval,) = task_run_history(store, history_query(seconds=3600))
    (counted,) = interval.states
    assert counted.count_runs == 2
    assert counted.sum_estimated_run_time == pytest.approx(360)
    assert counted.sum_estimated_lateness == pytest.approx(180)


def test_a_history_with_too_fine_intervals_is_refused(store: Store) -> None:
    assert flow_run_history(store, history_query(end=NOON - HOUR)) == []
    with pytest.raises(RequestRefused, match="less than 1 second"):
        flow_run_history(store, history_query(seconds=0.5))
    with pytest.raises(RequestRefused, match="more than 20000 intervals"):
        flow_run_history(store, history_query(end=NOON + 24 * HOUR, seconds=1))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(-1_000_000, 8_000_000_000), max_size=5),
    seconds=st.sampled_from([1.0, 7.5, 600.0, 3601.25]),
)
def test_each_run_is_counted_in_its_interval(store: Store, times: list[int], seconds: float) -> None:
    runs = [
        make_flow_run(
            store, state=State(type=StateType.COMPLETED, timestamp=NOON + timedelta(microseconds=time))
        )
        for time in times
    ]
    mine = HistoryQuery(
        history_start=NOON,
        history_end=NOON + 2 * HOUR,
        history_interval_seconds=seconds,
        flow_runs=FlowRunFilter(id={"any_": [run.id for run in runs]}),
    )
    for interval in flow_run_history(store, mine):
        inside = [
            run
            for run in runs
            if run.expected_start_time is not None
            and interval.interval_start <= run.expected_start_time < interval.interval_end
        ]
        assert sum(each.count_runs for each in interval.states) == len(inside)


def test_lateness_is_an_average(store: Store) -> None:
    assert average_flow_run_lateness(store, RunFilters()) is None
    make_flow_run(store, state=state("PENDING", 0))
    late = average_flow_run_lateness(store, RunFilters())
    assert late is not None and late > 0, "it is due, and has not started"
    on_time = make_flow_run(store, state=state("COMPLETED", 1))
    only = RunFilters(flow_runs=FlowRunFilter(id={"any_": [on_time.id]}))
    assert average_flow_run_lateness(store, only) == 0


def test_a_picture_shows_tasks_subflows_and_what_joins_them(store: Store) -> None:
    root = make_flow_run(store, name="root", state=state("RUNNING", 0))

    def task(name: str, minutes: float, **inputs: Any) -> Any:
        return make_task_run(
            store,
            state("RUNNING", minutes),
            flow_run_id=root.id,
            name=name,
            dynamic_key=name,
            task_inputs={
                key: [TaskRunResult(id=each.id) for each in sources] for key, sources in inputs.items()
            },
        )

    first = task("first", 1)
    call = task("call", 2, x=[first], y=[first])
    last = task("last", 3, x=[call], __parents__=[first])
    child = make_flow_run(store, name="child", parent_task_run_id=call.id, state=state("PENDING", 2))
    graph = read_flow_run_graph(store, root.id)

    nodes = dict(graph.nodes)
    assert [node.label for _, node in graph.nodes] == ["first", "etl / child", "last"]
    assert list(nodes) == [first.id, child.id, last.id]
    assert graph.root_node_ids == [first.id]
    assert [edge.id for edge in nodes[child.id].parents] == [first.id]
    assert [edge.id for edge in nodes[child.id].children] == [last.id]
    assert [edge.id for edge in nodes[last.id].encapsulating] == [first.id]
    assert [each.name for each in graph.states] == ["Running"]
    assert read_flow_run_graph(store, child.id).start_time == child.expected_start_time
    with pytest.raises(ObjectNotFound):
        read_flow_run_graph(store, uuid4())


def test_task_runs_are_given_with_those_whose_results_they_took(store: Store) -> None:
    run = make_flow_run(store)
    first = make_task_run(store, state("COMPLETED", 1), flow_run_id=run.id, name="first", dynamic_key="1")
    took = {"x": [TaskRunResult(id=first.id)], "y": [Constant(type="int")]}
    last = make_task_run(
        store, state("PENDING"), flow_run_id=run.id, name="last", dynamic_key="2", task_inputs=took
    )
    make_task_run(store, name="of no run", dynamic_key="3")
    found = read_flow_run_dependencies(store, run.id)
    assert [(each.name, each.upstream_dependencies) for each in found] == [
        ("first", []),
        ("last", [TaskRunResult(id=first.id)]),
    ]
    assert (found[0].id, found[1].id) == (first.id, last.id)
    assert found[0].state == read_task_run(store, first.id).state
    with pytest.raises(ObjectNotFound):
        read_flow_run_dependencies(store, uuid4())


def test_what_the_page_asks_for_is_counted(store: Store) -> None:
    made = deploy(store, flow="deployed")
    run = make_flow_run(store, name="run", state=state("RUNNING", 0))
    tasks = [
        make_task_run(store, state("RUNNING", 1), state(kind, 2), flow_run_id=run.id, dynamic_key=kind)
        for kind in ("COMPLETED", "FAILED", "CRASHED")
    ]
    make_flow_run(store, flow="sub", parent_task_run_id=tasks[0].id, state=state("COMPLETED", 1))
    other = uuid4()

    assert count_task_runs_by_flow_run(store, FlowRunIds(flow_run_ids=[run.id, other])) == {
        run.id: 2,
        other: 0,
    }
    assert count_deployments_by_flow(store, FlowIds(flow_ids=[made.flow_id, other])) == {
        made.flow_id: 1,
        other: 0,
    }
    counts = count_task_runs_by_state(store, RunFilters())
    assert (counts.COMPLETED, counts.FAILED, counts.CRASHED, counts.RUNNING) == (1, 1, 1, 0)
    dashboard = DashboardQuery(task_runs=TaskRunFilter(start_time={"after_": at(0), "before_": at(20)}))
    parts = read_dashboard_task_run_counts(store, dashboard)
    assert len(parts) == 20
    assert [(part.completed, part.failed) for part in parts[:2]] == [(0, 0), (1, 2)]
    with pytest.raises(RequestRefused, match="after_ is required"):
        read_dashboard_task_run_counts(store, DashboardQuery(task_runs=TaskRunFilter()))
    named = read_task_run_with_flow_run_name(store, tasks[0].id)
    assert (named.id, named.flow_run_name) == (tasks[0].id, "run")
    with pytest.raises(ObjectNotFound, match="Task not found"):
        read_task_run_with_flow_run_name(store, other)
    chart = read_flow_run_chart(store, SimpleFlowRunQuery())
    assert {each.id for each in chart} == {each.id for each in read_flow_runs(store, FlowRunQuery())}
    assert [each.timestamp for each in chart] == [at(1), at(0)]


def test_the_next_run_of_a_flow_is_the_one_due_first(store: Store) -> None:
    def waiting(minutes: float) -> State[Any]:
        return state("SCHEDULED", state_details=StateDetails(scheduled_time=at(minutes)))

    first, *_ = [make_flow_run(store, state=waiting(minutes)) for minutes in (5, 9, 7)]
    make_flow_run(store, state=state("RUNNING", 1))
    other = make_flow_run(store, flow="other", state=state("COMPLETED", 1))
    found = read_next_runs_by_flow(store, FlowIds(flow_ids=[first.flow_id, other.flow_id]))
    run = found[first.flow_id]
    assert run is not None and (run.id, run.next_scheduled_start_time) == (first.id, at(5))
    assert found[other.flow_id] is None


def test_values_are_checked_against_a_schema(store: Store) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string"}}},
        "required": ["a", "z"],
    }
    checked = validate_values(store, SchemaValues(schema=schema, values={"a": "x", "b": ["x", 1]}))
    assert not checked.valid
    assert checked.errors == [
        {"property": "a", "errors": ["'x' is not of type 'integer'"]},
        {"property": "b", "errors": [{"index": 1, "errors": ["1 is not of type 'string'"]}]},
        {"property": "z", "errors": ["'z' is a required property"]},
    ]
    assert validate_values(store, SchemaValues(schema=schema, values={"a": 1, "z": None})).valid
    for bad in ({"type": "bad"}, {"properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}, {"pattern": "("}):
        with pytest.raises(RequestRefused, match="Invalid schema"):
            validate_values(store, SchemaValues(schema=bad, values={"a": 1}))


@pytest.mark.parametrize(
    ("read", "query"),
    [(paginate_flows, FlowPage), (paginate_flow_runs, FlowRunPage), (paginate_task_runs, TaskRunPage)],
)
def test_listings_come_in_pages(store: Store, read: Callable[..., Any], query: Any) -> None:
    for number in range(3):
        run = make_flow_run(store, flow=f"flow {number}")
        make_task_run(store, flow_run_id=run.id)
    pages = [read(store, query(limit=2, page=page)) for page in (1, 2, 3)]
    assert [len(page.results) for page in pages] == [2, 1, 0]
    assert {(page.count, page.pages, page.limit) for page in pages} == {(3, 2, 2)}
    assert len({each.id for page in pages for each in page.results}) == 3
    assert read(store, query()).limit == 200


def test_several_runs_are_changed_at_once(store: Store) -> None:
    runs = [make_flow_run(store, name=name, state=state("RUNNING", 1)) for name in ("a", "b", "c")]
    some = FlowRunFilter(name={"any_": ["a", "b"]})
    results = set_flow_run_states(store, State(type=StateType.CANCELLED), some).results
    assert {each.flow_run_id for each in results} == {runs[0].id, runs[1].id}
    assert len({each.state.id for each in results if each.state is not None}) == 2
    assert read_flow_run(store, runs[2].id).state_type is StateType.RUNNING
    assert set(delete_flow_runs(store, some).deleted) == {runs[0].id, runs[1].id}
    assert len(delete_flow_runs(store, limit=1).deleted) == 1
    assert delete_flows(store, FlowFilter(name={"any_": ["etl"]})).deleted == [runs[0].flow_id]
    with pytest.raises(ObjectNotFound):
        create_flow_run(store, FlowRunCreate(flow_id=runs[0].flow_id))


def test_labels_are_added_to_those_that_are_there(store: Store) -> None:
    run = make_flow_run(store, labels={"a": 1, "b": "x"})
    update_flow_run_labels(store, run.id, {"b": "y", "c": True})
    assert read_flow_run(store, run.id).labels == {**run.labels, "b": "y", "c": True}
    with pytest.raises(RequestRefused, match="label 'd'"):
        update_flow_run_labels(store, run.id, {"d": {"x": 1}})
    with pytest.raises(ObjectNotFound):
        update_flow_run_labels(store, uuid4(), {"a": 1})


def test_a_state_is_read_by_its_own_id(store: Store) -> None:
    run = make_flow_run(store)
    assert run.state is not None
    assert read_flow_run_state(store, run.state.id) == run.state
    with pytest.raises(ObjectNotFound, match="Flow run state not found"):
        read_flow_run_state(store, uuid4())


def test_a_state_of_a_task_run_is_read_by_its_own_id(store: Store) -> None:
    run = make_task_run(store, state("RUNNING", 0))
    make_task_run(store, state("RUNNING", 0))
    before = read_task_run(store, run.id).state
    assert before is not None
    set_task_run_state(store, run.id, state("COMPLETED", 1))
    after = read_task_run(store, run.id).state
    assert after is not None and after.id != before.id
    assert read_task_run_state(store, before.id) == before
    assert read_task_run_state(store, after.id) == after
    with pytest.raises(ObjectNotFound, match="Task run state not found"):
        read_task_run_state(store, run.id)
