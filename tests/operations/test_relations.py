"""Every filter of everything, held against the same rules in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import at, make_task_run, state

from prefect.operations import (
    count_flow_runs,
    count_flows,
    count_task_runs,
    create_flow,
    create_flow_run,
    read_flow_runs,
    read_flows,
    read_task_runs,
)
from prefect.operations.deployment_runs import create_flow_run_from_deployment
from prefect.operations.deployments import count_deployments, create_deployment, read_deployments
from prefect.schemas import filters as f
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentFlowRunCreate, DeploymentResponse
from prefect.schemas.objects import Flow, FlowRun, TaskRun
from prefect.schemas.queries import DeploymentQuery, FlowQuery, FlowRunQuery, TaskRunQuery
from prefect.schemas.states import StateType
from prefect.store.base import Store

WORDS = ["a", "b", "ab", "B"]
TAGS = ["x", "y"]


class World(NamedTuple):
    """Everything that is in the store."""

    flows: list[Flow]
    runs: list[FlowRun]
    tasks: list[TaskRun]
    deployments: list[DeploymentResponse]


def _make(store: Store) -> World:
    flows = [
        create_flow(store, FlowCreate(name=name, tags=tags))
        for name, tags in (("a", ["x"]), ("ab", []), ("B", ["x", "y"]))
    ]
    deployed = [
        (flows[0], "a", {"tags": ["x"], "work_queue_name": "a", "concurrency_limit": 1}),
        (flows[0], "b", {"paused": True, "work_queue_name": "ab", "concurrency_limit": 3}),
        (flows[1], "B", {"tags": ["x", "y"]}),
    ]
    deployments = [
        create_deployment(store, DeploymentCreate(name=name, flow_id=flow.id, **values))
        for flow, name, values in deployed
    ]
    runs = [
        create_flow_run_from_deployment(
            store, deployments[0].id, DeploymentFlowRunCreate(name="a", tags=["y"])
        ),
        create_flow_run_from_deployment(
            store, deployments[1].id, DeploymentFlowRunCreate(name="ab", state=state("RUNNING", 1))
        ),
        create_flow_run(
            store, FlowRunCreate(flow_id=flows[1].id, name="B", state=state("COMPLETED", 2), flow_version="a")
        ),
        create_flow_run(store, FlowRunCreate(flow_id=flows[2].id, name="b", idempotency_key="a")),
    ]
    tasks = [
        make_task_run(store, state("RUNNING", 1), flow_run_id=runs[1].id, name="a", tags=["x"], task_key="1"),
        make_task_run(store, state("COMPLETED", 2), flow_run_id=runs[2].id, name="ab", task_key="2"),
        make_task_run(
            store, state("FAILED", 3), flow_run_id=runs[1].id, name="B", tags=["x", "y"], task_key="3"
        ),
        make_task_run(store, name="b", task_key="4"),
    ]
    child = FlowRunCreate(
        flow_id=flows[0].id, name="ab", parent_task_run_id=tasks[0].id, state=state("FAILED", 4)
    )
    runs.append(create_flow_run(store, child))
    return World(
        flows=read_flows(store, FlowQuery()),
        runs=read_flow_runs(store, FlowRunQuery()),
        tasks=read_task_runs(store, TaskRunQuery()),
        deployments=read_deployments(store, DeploymentQuery()),
    )


# --- the rules in plain Python -----------------------------------------------------------------------------


def _all(filter_: Any, criteria: dict[str, Callable[[Any], bool | None]]) -> bool:
    outcomes = []
    for name, criterion in criteria.items():
        part = getattr(filter_, name)
        outcome = None if part is None else criterion(part)
        if outcome is not None:
            outcomes.append(outcome)
    if not outcomes:
        return True
    return any(outcomes) if filter_.operator is f.Operator.or_ else all(outcomes)


def _test(part: Any, value: Any, expected: Any = None) -> bool | None:
    time = value or expected
    tests: dict[str, Callable[[Any], bool]] = {
        "any_": lambda wanted: value in wanted,
        "not_any_": lambda wanted: not wanted or (value is not None and value not in wanted),
        "like_": lambda word: word.lower() in value.lower(),
        "startswith_": lambda words: any(value.lower().startswith(word.lower()) for word in words),
        "is_null_": lambda wanted: (value is None) is wanted,
        "eq_": lambda wanted: value == wanted,
        "before_": lambda moment: time is not None and time <= moment,
        "after_": lambda moment: time is not None and time >= moment,
        "ge_": lambda least: value is not None and value >= least,
        "le_": lambda most: value is not None and value <= most,
    }
    return _outcome(part, tests)


def _tags(part: Any, tags: list[str]) -> bool | None:
    return _outcome(
        part,
        {
            "all_": lambda wanted: set(wanted) <= set(tags),
            "any_": lambda wanted: bool(set(wanted) & set(tags)),
            "is_null_": lambda wanted: (not tags) is wanted,
        },
    )


def _outcome(part: Any, tests: dict[str, Callable[[Any], bool]]) -> bool | None:
    given_tests = {
        name: value
        for name in part.__struct_fields__
        if name in tests and (value := getattr(part, name)) is not None
        if value or name != "startswith_"
    }
    outcomes = [tests[name](value) for name, value in given_tests.items()]
    if not outcomes:
        return None
    is_either = getattr(part, "operator", None) is f.Operator.or_
    return any(outcomes) if is_either else all(outcomes)


class Oracle:
    """Who meets which filter, in plain Python."""

    def __init__(self, world: World, filters: dict[str, Any]) -> None:
        self.world = world
        self.filters = filters

    def _own(self, kind: str, one: Any) -> bool:
        filter_ = self.filters.get(kind)
        return filter_ is None or bool(getattr(self, f"_{kind}")(filter_, one))

    def _asks(self, *kinds: str) -> bool:
        # A filter that asks for nothing else asks for somebody who is related.
        return any(self.filters.get(kind) is not None for kind in kinds)

    def _flows(self, filter_: Any, flow: Flow) -> bool:
        deployed = any(each.flow_id == flow.id for each in self.world.deployments)
        return _all(
            filter_,
            {
                "id": lambda part: _test(part, flow.id),
                "name": lambda part: _test(part, flow.name),
                "tags": lambda part: _tags(part, flow.tags),
                "deployment": lambda part: None if part.is_null_ is None else part.is_null_ is not deployed,
            },
        )

    def _flow_runs(self, filter_: Any, run: FlowRun) -> bool:
        parent = next(
            (each.flow_run_id for each in self.world.tasks if each.id == run.parent_task_run_id), None
        )
        return _all(
            filter_,
            {
                "id": lambda part: _test(part, run.id),
                "name": lambda part: _test(part, run.name),
                "tags": lambda part: _tags(part, run.tags),
                "deployment_id": lambda part: _test(part, run.deployment_id),
                "work_queue_name": lambda part: _test(part, run.work_queue_name),
                "state": lambda part: _state(part, run),
                "flow_version": lambda part: _test(part, run.flow_version),
                "start_time": lambda part: _test(part, run.start_time, run.expected_start_time),
                "end_time": lambda part: _test(part, run.end_time),
                "expected_start_time": lambda part: _test(part, run.expected_start_time),
                "next_scheduled_start_time": lambda part: _test(part, run.next_scheduled_start_time),
                "parent_flow_run_id": lambda part: _test(part, parent),
                "parent_task_run_id": lambda part: _test(part, run.parent_task_run_id),
                "idempotency_key": lambda part: _test(part, run.idempotency_key),
            },
        )

    def _task_runs(self, filter_: Any, task: TaskRun) -> bool:
        stands = any(run.parent_task_run_id == task.id for run in self.world.runs)

        def in_flow_run(part: Any) -> bool:
            if part.is_null_:
                return task.flow_run_id is None
            return task.flow_run_id is not None and (part.any_ is None or task.flow_run_id in part.any_)

        return _all(
            filter_,
            {
                "id": lambda part: _test(part, task.id),
                "name": lambda part: _test(part, task.name),
                "tags": lambda part: _tags(part, task.tags),
                "state": lambda part: _state(part, task),
                "start_time": lambda part: _test(part, task.start_time),
                "end_time": lambda part: _test(part, task.end_time),
                "expected_start_time": lambda part: _test(part, task.expected_start_time),
                "subflow_runs": lambda part: None if part.exists_ is None else part.exists_ is stands,
                "flow_run_id": in_flow_run,
            },
        )

    def _deployments(self, filter_: Any, one: DeploymentResponse) -> bool:
        limit = None if one.global_concurrency_limit is None else one.global_concurrency_limit.limit

        def either_name(part: Any) -> bool | None:
            names = [one.name, *(flow.name for flow in self.world.flows if flow.id == one.flow_id)]
            return None if part.like_ is None else any(_test(part, name) for name in names)

        return _all(
            filter_,
            {
                "id": lambda part: _test(part, one.id),
                "name": lambda part: _test(part, one.name),
                "flow_or_deployment_name": either_name,
                "paused": lambda part: _test(part, one.paused),
                "tags": lambda part: _tags(part, one.tags),
                "work_queue_name": lambda part: _test(part, one.work_queue_name),
                "concurrency_limit": lambda part: _test(part, limit),
            },
        )

    def _queue(self, queue_id: UUID | None, queue: str | None, pool: str | None) -> bool:
        """Whether a queue and its pool meet their filters."""
        queues, pools = self.filters.get("work_pool_queues"), self.filters.get("work_pools")
        if queue_id is None:
            return not self._asks("work_pool_queues", "work_pools")
        meets = True
        if queues is not None:
            meets = _all(
                queues, {"id": lambda part: _test(part, queue_id), "name": lambda part: _test(part, queue)}
            )
        if pools is not None:
            known = {
                "name": lambda part: _test(part, pool),
                "type": lambda part: _test(part, "prefect-agent"),
            }
            meets = meets and _all(pools, {**known, "id": lambda part: None})
        return meets

    # --- who is related ---------------------------------------------------------------------------------

    def _run_and_its_tasks(self, run: FlowRun) -> bool:
        tasks = [task for task in self.world.tasks if task.flow_run_id == run.id]
        return self._own("flow_runs", run) and self._somebody(
            tasks, lambda task: self._own("task_runs", task), "task_runs"
        )

    def _somebody(self, others: Iterable[Any], meets: Callable[[Any], bool], *kinds: str) -> bool:
        return not self._asks(*kinds) or any(meets(other) for other in others)

    def _deployment_of(self, run: FlowRun) -> bool:
        mine = [each for each in self.world.deployments if each.id == run.deployment_id]
        return self._somebody(mine, lambda one: self._own("deployments", one), "deployments")

    def _flow_of(self, flow_id: UUID) -> bool:
        return all(self._own("flows", flow) for flow in self.world.flows if flow.id == flow_id)

    def _around_run(self, run: FlowRun) -> bool:
        queue = self._queue(run.work_queue_id, run.work_queue_name, run.work_pool_name)
        return self._flow_of(run.flow_id) and self._deployment_of(run) and queue

    def finds_flow_run(self, run: FlowRun) -> bool:
        return self._run_and_its_tasks(run) and self._around_run(run)

    def finds_task_run(self, task: TaskRun) -> bool:
        runs = [run for run in self.world.runs if run.id == task.flow_run_id]
        others = ("flow_runs", "flows", "deployments", "work_pools", "work_pool_queues")
        return self._own("task_runs", task) and self._somebody(
            runs, lambda run: self._own("flow_runs", run) and self._around_run(run), *others
        )

    def finds_flow(self, flow: Flow) -> bool:
        runs = [run for run in self.world.runs if run.flow_id == flow.id]
        deployed = [each for each in self.world.deployments if each.flow_id == flow.id]
        return (
            self._own("flows", flow)
            and self._somebody(runs, self._run_and_its_tasks, "flow_runs", "task_runs")
            and self._somebody(
                deployed,
                lambda one: (
                    self._own("deployments", one)
                    and self._queue(one.work_queue_id, one.work_queue_name, one.work_pool_name)
                ),
                "deployments",
                "work_pools",
                "work_pool_queues",
            )
        )

    def finds_deployment(self, one: DeploymentResponse) -> bool:
        runs = [run for run in self.world.runs if run.deployment_id == one.id]
        return (
            self._own("deployments", one)
            and self._flow_of(one.flow_id)
            and self._somebody(runs, self._run_and_its_tasks, "flow_runs", "task_runs")
            and self._queue(one.work_queue_id, one.work_queue_name, one.work_pool_name)
        )


def _state(part: Any, run: FlowRun | TaskRun) -> bool | None:
    if not _says_something(part):
        return None
    return _all(
        part,
        {"type": lambda each: _test(each, run.state_type), "name": lambda each: _test(each, run.state_name)},
    )


def _says_something(part: Any) -> bool:
    if part is None or isinstance(part, f.Operator):
        return False
    if isinstance(part, f.Filter):
        if isinstance(part, f.TaskRunFilterFlowRunId):
            return True
        return any(_says_something(getattr(part, name)) for name in part.__struct_fields__)
    return True


# --- what is asked -----------------------------------------------------------------------------------------

words, tags = st.sampled_from(WORDS), st.lists(st.sampled_from(TAGS), min_size=1, max_size=2)
moments = st.sampled_from([at(minutes) for minutes in (0, 1, 2, 3, 5)])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "like_": words,
    "startswith_": st.lists(words, max_size=2),
    "is_null_": st.booleans(),
    "exists_": st.booleans(),
    "eq_": st.booleans(),
    "before_": moments,
    "after_": moments,
    "ge_": st.integers(0, 4),
    "le_": st.integers(0, 4),
    "operator": st.sampled_from(f.Operator),
}
PARTS = {
    "flows": f.FlowFilter,
    "flow_runs": f.FlowRunFilter,
    "task_runs": f.TaskRunFilter,
    "deployments": f.DeploymentFilter,
    "work_pools": f.WorkPoolFilter,
    "work_pool_queues": f.WorkQueueFilter,
}


def _values(kind: type[f.Filter], name: str, ids: list[UUID]) -> st.SearchStrategy[Any]:
    if name in VALUES:
        return VALUES[name]
    if "Tags" in kind.__name__:
        return tags
    if "StateType" in kind.__name__:
        return st.lists(st.sampled_from(StateType), max_size=3)
    if kind.__name__.endswith("Id"):
        return st.lists(st.sampled_from(ids), max_size=4)
    if kind is f.WorkPoolFilterType:
        return st.lists(st.sampled_from(["prefect-agent", "process"]), max_size=2)
    if kind is f.FlowRunFilterStateName or kind is f.TaskRunFilterStateName:
        return st.lists(st.sampled_from(["Running", "Completed", "Scheduled"]), max_size=2)
    return st.lists(words, max_size=3)


def _filters(kind: type[f.Filter], ids: list[UUID]) -> st.SearchStrategy[f.Filter]:
    import msgspec

    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(kind):
        # What made a run is asked for in a test of its own, and pools are told apart by their names.
        if field.name == "created_by" or (kind is f.WorkPoolFilter and field.name == "id"):
            continue
        nested = [
            one
            for one in getattr(field.type, "__args__", ())
            if isinstance(one, type) and issubclass(one, f.Filter)
        ]
        fields[field.name] = _filters(nested[0], ids) if nested else _values(kind, field.name, ids)
    operator = {name: fields.pop(name) for name in ("operator",) if name in fields}
    # Few at once: of many, hardly anything meets all.
    some = st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)
    chosen = some.flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names} | operator)
    )
    return chosen.map(lambda values: kind(**values))


@pytest.fixture
def world(store: Store) -> tuple[Store, World]:
    return store, _make(store)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_filter_finds_what_it_says(world: tuple[Store, World], data: st.DataObject) -> None:
    store, known = world
    ids = [one.id for kind in known for one in kind]  # type: ignore[attr-defined]
    few = {name: _filters(kind, ids) for name, kind in PARTS.items()}
    kinds = data.draw(st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=3, unique=True))
    filters = {name: data.draw(few[name], label=name) for name in kinds}
    oracle = Oracle(known, filters)

    flows = {flow.id for flow in known.flows if oracle.finds_flow(flow)}
    assert {flow.id for flow in read_flows(store, FlowQuery(**filters))} == flows
    assert count_flows(store, FlowQuery(**filters)) == len(flows)
    runs = {run.id for run in known.runs if oracle.finds_flow_run(run)}
    assert {run.id for run in read_flow_runs(store, FlowRunQuery(**filters))} == runs
    assert count_flow_runs(store, FlowRunQuery(**filters)) == len(runs)
    tasks = {task.id for task in known.tasks if oracle.finds_task_run(task)}
    assert {task.id for task in read_task_runs(store, TaskRunQuery(**filters))} == tasks
    assert count_task_runs(store, TaskRunQuery(**filters)) == len(tasks)
    deployments = {one.id for one in known.deployments if oracle.finds_deployment(one)}
    assert {one.id for one in read_deployments(store, DeploymentQuery(**filters))} == deployments
    assert count_deployments(store, DeploymentQuery(**filters)) == len(deployments)
