"""How often a server asks PostgreSQL: a round trip costs more than most statements, and must not creep in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from counting import Talk, listened_to
from databases import postgres_schema
from prefect.operations import (
    create_flow,
    create_flow_run,
    create_logs,
    read_flow_run,
    read_flow_run_states,
    read_flow_runs,
    read_logs,
    set_flow_run_state,
)
from prefect.operations.deployments import create_deployment
from prefect.operations.events import record_events
from prefect.operations.schedules import plan_runs
from prefect.rules.planning import Horizon
from prefect.schemas.actions import FlowCreate, FlowRunCreate
from prefect.schemas.deployments import DeploymentCreate, DeploymentScheduleCreate
from prefect.schemas.events import Event
from prefect.schemas.objects import Log
from prefect.schemas.queries import FlowRunQuery, LogQuery
from prefect.schemas.schedules import IntervalSchedule
from prefect.schemas.sorting import FlowRunSort
from prefect.schemas.states import State, StateType
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.statement import Statement
from prefect.types import now

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def talk() -> Iterator[tuple[Store, Talk]]:
    with postgres_schema() as address, listened_to(address) as (url, talk):
        store = make_store(url)
        yield store, talk
        store.close()


def a_run(store: Store) -> UUID:
    """Make a flow run, and let the connection prepare what all these tests need."""
    flow = create_flow(store, FlowCreate(name="etl"))
    for kind in (StateType.RUNNING, StateType.COMPLETED):
        run = create_flow_run(store, FlowRunCreate(flow_id=flow.id))
        set_flow_run_state(store, run.id, State(type=kind))
    return create_flow_run(store, FlowRunCreate(flow_id=flow.id)).id


def test_a_flow_run_is_made_in_two_trips(talk: tuple[Store, Talk]) -> None:
    store, said = talk
    flow = read_flow_run(store, a_run(store)).flow_id
    said.forget()

    run = create_flow_run(store, FlowRunCreate(flow_id=flow))

    # BEGIN and the run; its state, its event and COMMIT.
    assert (said.trips, said.statements, said.parsed) == (2, 5, 0)
    assert [state.type for state in read_flow_run_states(store, run.id)] == [StateType.PENDING]


@pytest.mark.parametrize(("kind", "statements"), [(StateType.RUNNING, 6), (StateType.COMPLETED, 7)])
def test_a_state_is_set_in_two_trips(talk: tuple[Store, Talk], kind: StateType, statements: int) -> None:
    store, said = talk
    run = a_run(store)
    said.forget()

    set_flow_run_state(store, run, State(type=kind))

    # BEGIN and the run, locked; its state, its progress, the event, for the last state its lease, and COMMIT.
    assert (said.trips, said.statements, said.parsed) == (2, statements, 0)
    assert read_flow_run(store, run).state_type is kind


@pytest.mark.parametrize(
    "sort", [FlowRunSort.ID_DESC, FlowRunSort.START_TIME_DESC, FlowRunSort.EXPECTED_START_TIME_DESC]
)
def test_runs_are_listed_in_one_trip(talk: tuple[Store, Talk], sort: FlowRunSort) -> None:
    store, said = talk
    run = a_run(store)
    read_flow_runs(store, FlowRunQuery(sort=sort))
    said.forget()

    found = read_flow_runs(store, FlowRunQuery(sort=sort))

    assert (said.trips, said.statements, said.parsed) == (1, 1, 0)
    assert found[0].id == run


_PLANS = Statement(
    "",
    "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
    "WHERE statement LIKE 'SELECT flow_runs.%LIMIT 50%'",
)


def test_a_first_page_of_runs_is_planned_once(postgres_store: Store) -> None:
    a_run(postgres_store)

    for _ in range(3):
        read_flow_runs(postgres_store, FlowRunQuery(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=50))

    assert postgres_store.fetch(_PLANS) == [(3, 0)]


def test_logs_go_in_together(talk: tuple[Store, Talk]) -> None:
    store, said = talk
    run = a_run(store)
    logs = [
        Log(name="l", level=20, message=f"line {i}", timestamp=now(), flow_run_id=run) for i in range(200)
    ]
    said.forget()

    create_logs(store, logs)

    assert (said.trips, said.statements) == (1, 3)
    assert len(read_logs(store, LogQuery(limit=200))) == 200


def test_events_go_in_together(talk: tuple[Store, Talk]) -> None:
    store, said = talk
    a_run(store)
    events = [
        Event(
            id=uuid4(),
            occurred=now(),
            event="prefect.task-run.Completed",
            resource={
                "prefect.resource.id": f"prefect.task-run.{uuid4()}",
                "prefect.orchestration": "client",
            },
            payload={
                "validated_state": {"type": "COMPLETED", "name": "Completed"},
                "task_run": {"name": "t", "task_key": "t", "dynamic_key": str(uuid4())},
            },
        )
        for _ in range(100)
    ]
    said.forget()

    record_events(store, events)

    # Which of the runs are there; those that are not; COMMIT.
    assert said.trips <= 3
    assert said.statements <= 5


def test_a_batch_of_deployments_is_planned_in_a_few_trips(talk: tuple[Store, Talk]) -> None:
    store, said = talk
    flow = create_flow(store, FlowCreate(name="etl")).id
    for number in range(20):
        schedule = IntervalSchedule(interval=timedelta(hours=1))
        create_deployment(
            store,
            DeploymentCreate(
                name=f"d{number}", flow_id=flow, schedules=[DeploymentScheduleCreate(schedule=schedule)]
            ),
        )
    said.forget()

    assert plan_runs(store, now(), Horizon(3, 100, timedelta(hours=1), timedelta(days=100))) == 60

    assert said.trips <= 8


def test_nothing_is_said_where_nothing_is_done(talk: tuple[Store, Talk]) -> None:
    store, said = talk
    a_run(store)
    said.forget()

    with store.transaction():
        pass

    assert said.trips == 0


def test_statements_are_not_prepared_where_a_pooler_knows_none() -> None:
    with postgres_schema() as address, listened_to(address) as (url, said):
        store = make_store(f"{url}&prepared_statement_cache_size=0")
        run = a_run(store)
        said.forget()

        set_flow_run_state(store, run, State(type=StateType.RUNNING))

        # Each is parsed as it is sent, under no name.
        assert (said.trips, said.statements, said.parsed) == (2, 6, 6)
        store.close()
