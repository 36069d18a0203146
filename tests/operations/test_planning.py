"""Planning the runs of schedules, on both databases."""

from __future__ import annotations

import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from prefect.operations import create_flow, read_flow_run, read_flow_run_states, set_flow_run_state
from prefect.operations.deployment_plans import schedule_deployment
from prefect.operations.deployment_schedules import update_deployment_schedule
from prefect.operations.deployments import (
    create_deployment,
    pause_deployment,
    resume_deployment,
    update_deployment,
)
from prefect.operations.flow_run_events import event_of, related_to
from prefect.operations.schedules import plan_runs, planned_query
from prefect.operations.work_pools import create_work_pool
from prefect.rules.bookkeeping import enter_state, estimate
from prefect.rules.planning import Horizon, times_to_plan
from prefect.schemas.actions import FlowCreate
from prefect.schemas.deployments import (
    DeploymentCreate,
    DeploymentResponse,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
)
from prefect.schemas.objects import CreatedBy, FlowRun
from prefect.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.schemas.states import NO_DETAILS, State, StateDetails, StateType
from prefect.schemas.work_pools import WorkPoolCreate
from prefect.store import make_store
from prefect.store.base import Store
from prefect.store.composed import text_and_params
from prefect.store.events import event_from_row
from prefect.store.statements import SQLITE_SCHEMA
from prefect.store.tables import deployment_schedules, events, flow_runs
from prefect.store.values import json_text, read_id
from prefect.types import now

USUAL = Horizon(3, 100, timedelta(hours=1), timedelta(days=100))


def every(hours: float, **values: Any) -> DeploymentScheduleCreate:
    schedule = IntervalSchedule(interval=timedelta(hours=hours), anchor_date=datetime(2026, 1, 1, tzinfo=UTC))
    return DeploymentScheduleCreate(schedule=schedule, **values)


def deploy(store: Store, *schedules: DeploymentScheduleCreate, **values: Any) -> DeploymentResponse:
    flow = create_flow(store, FlowCreate(name="etl"))
    data = DeploymentCreate(name="d", flow_id=flow.id, schedules=list(schedules))
    for name, value in values.items():
        setattr(data, name, value)
    return create_deployment(store, data)


def runs(store: Store) -> list[FlowRun]:
    rows = store.select(select(flow_runs.c.id).order_by(flow_runs.c.next_scheduled_start_time))
    return [read_flow_run(store, read_id(row[0])) for row in rows]


def test_a_planned_run_is_what_its_deployment_and_schedule_say(store):
    pool = create_work_pool(store, WorkPoolCreate(name="pool", type="process"))
    deployment = deploy(
        store,
        every(1, parameters={"x": 9}, slug="hourly"),
        parameters={"x": 1, "y": 2},
        tags=["t"],
        version="v1",
        work_pool_name="pool",
    )
    at = now()

    assert plan_runs(store, at, USUAL) == 3

    first, *_ = runs(store)
    due = first.next_scheduled_start_time
    assert due is not None and at <= due <= at + timedelta(hours=1)
    assert first.expected_start_time == due
    assert first.parameters == {"x": 9, "y": 2}
    assert first.tags == ["auto-scheduled", "t"]
    assert first.labels["prefect.deployment.id"] == str(deployment.id)
    assert first.labels["prefect.flow.id"] == str(deployment.flow_id)
    assert (first.work_pool_id, first.work_pool_name) == (pool.id, "pool")
    assert (first.work_queue_id, first.work_queue_name) == (pool.default_queue_id, "default")
    schedule = deployment.schedules[0].id
    assert first.idempotency_key == f"scheduled {deployment.id} {schedule} {due}"
    assert first.created_by is not None
    assert (first.created_by.id, first.created_by.type) == (schedule, "SCHEDULE")
    assert first.created_by.display_value == "hourly"
    assert (first.auto_scheduled, first.deployment_version) == (True, "v1")
    (state,) = read_flow_run_states(store, first.id)
    assert (state.type, state.message) == (StateType.SCHEDULED, "Flow run scheduled")
    assert state.state_details.scheduled_time == due


@pytest.mark.parametrize("has_queue", [True, False], ids=["queue", "no-queue"])
def test_planned_rows_are_those_that_codecs_write(store, has_queue):
    store.keeps_events = True
    create_work_pool(store, WorkPoolCreate(name="pool", type="process"))
    deployment = deploy(
        store,
        every(1, parameters={"x": '\u00e4 " \\ {} NULL', "z": [None, 1.5]}),
        name='d " \\ \u00e4',
        parameters={"x": 1, "big": 2**60, "text": "a, b"},
        tags=["auto-scheduled", 't " , \\', "{u}"],
        work_pool_name="pool" if has_queue else None,
    )
    at = now()

    plan_runs(store, at, USUAL)

    with store.transaction() as connection:
        for run in runs(store):
            due = run.next_scheduled_start_time
            assert due is not None and run.state is not None
            expected = FlowRun(
                id=run.id,
                created=run.created,
                updated=run.updated,
                flow_id=deployment.flow_id,
                name=run.name,
                deployment_id=deployment.id,
                work_queue_id=deployment.work_queue_id,
                work_queue_name=deployment.work_queue_name,
                work_pool_id=run.work_pool_id,
                work_pool_name=deployment.work_pool_name,
                parameters={**deployment.parameters, **deployment.schedules[0].parameters},
                idempotency_key=f"scheduled {deployment.id} {deployment.schedules[0].id} {due}",
                tags=["auto-scheduled", 't " , \\', "{u}"],
                labels={**deployment.labels, "prefect.deployment.id": str(deployment.id)},
                created_by=CreatedBy(
                    id=deployment.schedules[0].id, type="SCHEDULE", display_value="IntervalSchedule"
                ),
                auto_scheduled=True,
                job_variables={},
            )
            details = StateDetails(flow_run_id=run.id, scheduled_time=due)
            state = State(
                id=run.state.id,
                type=StateType.SCHEDULED,
                message="Flow run scheduled",
                timestamp=run.state.timestamp,
                state_details=details,
            )
            enter_state(expected, state)
            estimate(expected, at)
            estimate(run, at)
            assert run == expected
            told = event_of(expected, state, None, related_to(connection, expected))
            (row,) = connection.select(select(events).where(events.c.id == state.id.hex))
            kept = event_from_row(row)
            assert {name: getattr(kept, name) for name in told.__struct_fields__} == {
                name: getattr(told, name) for name in told.__struct_fields__
            }


def test_at_least_three_runs_and_an_hour_but_no_more_than_a_hundred(store):
    deploy(store, every(24))
    assert plan_runs(store, now(), USUAL) == 3

    deploy(store, every(1 / 60), name="minutes")
    assert plan_runs(store, now(), USUAL) in (60, 61)

    deploy(store, every(1 / 3600), name="seconds")
    assert plan_runs(store, now(), USUAL) == 100


def test_a_schedule_may_bound_what_is_planned(store):
    deploy(store, every(1, max_scheduled_runs=2))

    assert plan_runs(store, now(), USUAL) == 2
    assert plan_runs(store, now(), USUAL) == 0


def test_what_comes_too_far_ahead_is_not_planned(store):
    due = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 0 1 * *"))
    deploy(store, due)

    assert plan_runs(store, datetime(2026, 1, 2, tzinfo=UTC), USUAL) == 3
    late = {run.next_scheduled_start_time for run in runs(store)}
    assert late == {datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4)}


def test_planning_goes_on_as_time_does(store):
    deploy(store, every(1))
    at = datetime(2026, 5, 1, 0, 30, tzinfo=UTC)

    assert plan_runs(store, at, USUAL) == 3
    assert plan_runs(store, at, USUAL) == 0
    assert plan_runs(store, at + timedelta(hours=2), USUAL) == 2
    assert len({run.next_scheduled_start_time for run in runs(store)}) == 5


def test_what_rests_is_not_planned(store):
    deployment = deploy(store, every(1), every(2, active=False), paused=True)
    assert plan_runs(store, now(), USUAL) == 0

    resume_deployment(store, deployment.id)
    assert plan_runs(store, now(), USUAL) == 3

    pause_deployment(store, deployment.id)
    assert runs(store) == []
    resume_deployment(store, deployment.id)
    assert plan_runs(store, now(), USUAL) == 3


def test_what_was_taken_up_stays_and_is_not_planned_twice(store):
    deployment = deploy(store, every(1))
    at = now()
    plan_runs(store, at, USUAL)
    taken = runs(store)[0]
    set_flow_run_state(store, taken.id, State(type=StateType.PENDING))

    update_deployment(store, deployment.id, DeploymentUpdate(tags=["new"]))
    assert {tuple(run.tags) for run in runs(store) if run.id != taken.id} == {("auto-scheduled", "new")}
    plan_runs(store, at, USUAL)

    assert len({run.idempotency_key for run in runs(store)}) == len(runs(store))
    assert taken.id in {run.id for run in runs(store)}


def test_only_what_changed_lately_is_looked_at_when_asked_so(store):
    deploy(store, every(1))

    assert plan_runs(store, now(), USUAL, changed_since=now() + timedelta(seconds=1)) == 0
    assert plan_runs(store, now(), USUAL, changed_since=now() - timedelta(seconds=5)) == 3


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"rrule": "FREQ=DAILY;INTERVAL=1000000000000", "timezone": "UTC"}, 0),
        ({"interval": 86400.0, "anchor_date": "0001-01-01T00:00:00Z", "timezone": "America/New_York"}, 0),
        ({"cron": "0 0 * * *", "timezone": "Mars/Olympus"}, 1),
        ({"rrule": "FREQ=NEVER", "timezone": "UTC"}, 1),
    ],
    ids=["step", "anchor", "zone", "rule"],
)
def test_a_schedule_that_has_no_times_keeps_no_other_from_being_planned(store, caplog, broken, told):
    bad = deploy(store, every(1), name="bad")
    with store.transaction() as connection:
        connection.execute(
            update(deployment_schedules)
            .where(deployment_schedules.c.deployment_id == bad.id.hex)
            .values(schedule=json_text(broken))
        )
    good = deploy(store, every(1), name="good")

    assert plan_runs(store, now(), USUAL) == 3

    assert {run.deployment_id for run in runs(store)} == {good.id}
    said = [record.getMessage() for record in caplog.records if str(bad.id) in record.getMessage()]
    assert len(said) == told


@pytest.mark.parametrize("at_once", [False, True], ids=["scheduler", "request"])
def test_who_looks_for_the_times_of_a_rule_keeps_nobody_from_writing(store, monkeypatch, at_once):
    deployment = deploy(store, DeploymentScheduleCreate(schedule=RRuleSchedule(rrule="FREQ=DAILY")))
    other = make_store(store.url, timeout=0 if store.dialect == "sqlite" else None)
    looked = []

    def look(*asked):
        create_flow(other, FlowCreate(name=f"meanwhile-{len(looked)}"))
        looked.append(times_to_plan(*asked))
        return looked[-1]

    monkeypatch.setattr("prefect.operations.schedules.times_to_plan", look)
    if at_once:
        schedule_deployment(store, deployment.id)
    else:
        plan_runs(store, now(), USUAL)
    other.close()

    assert [len(times) for times in looked] == [3]
    assert [run.next_scheduled_start_time for run in runs(store)] == looked[0]


def test_five_schedulers_at_once_plan_each_run_once(store):
    for number in range(30):
        deploy(store, every(0.5), name=f"d{number}")
    at = datetime(2026, 5, 1, 0, 10, tzinfo=UTC)
    stores = [make_store(store.url) for _ in range(5)]
    try:
        with ThreadPoolExecutor(5) as threads:
            counts = list(threads.map(lambda each: plan_runs(each, at, USUAL, batch_size=4), stores))
    finally:
        for each in stores:
            each.close()
    # What one found locked, it leaves to the next look.
    total = sum(counts) + plan_runs(store, at, USUAL)

    found = runs(store)
    assert len(found) == total == 30 * 3
    assert len({(run.deployment_id, run.next_scheduled_start_time) for run in found}) == 90
    assert all(run.state is not None for run in found)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London"])
def test_a_slot_is_planned_once_whenever_it_is_planned(store, zone):
    due = DeploymentScheduleCreate(schedule=CronSchedule(cron="*/30 * * * *", timezone=zone))
    deploy(store, due)
    at = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for step in range(0, 60 * 24 * 9, 397):
        plan_runs(store, at + timedelta(minutes=step), USUAL)

    found = [run.next_scheduled_start_time for run in runs(store)]
    assert len(found) == len(set(found))


def test_a_run_that_is_put_off_keeps_no_time_from_being_planned(store):
    deploy(store, every(1))
    at = now()
    plan_runs(store, at, USUAL)
    first, *_, last = runs(store)
    later = msgspec.structs.replace(NO_DETAILS, scheduled_time=at + timedelta(days=2))
    put_off = State(type=StateType.SCHEDULED, name="AwaitingRetry", state_details=later)
    set_flow_run_state(store, first.id, put_off, force=True)

    plan_runs(store, at + timedelta(hours=1), USUAL)

    due = sorted(run.expected_start_time for run in runs(store))
    assert due[-1] > last.expected_start_time
    assert {b - a for a, b in itertools.pairwise(due)} == {timedelta(hours=1)}


@pytest.mark.parametrize("change", ["deploy", "update", "schedule"])
def test_a_change_leaves_no_time_without_a_run(store, change):
    deployed = deploy(store, every(0.001, slug="often"))
    plan_runs(store, now(), USUAL)
    before = {run.id: run.expected_start_time for run in runs(store)}

    if change == "deploy":
        deploy(store, every(0.001, slug="often"), parameters={"x": 1})
    elif change == "update":
        update_deployment(store, deployed.id, DeploymentUpdate(parameters={"x": 1}))
    else:
        schedule = deployed.schedules[0].id
        update_deployment_schedule(
            store, deployed.id, schedule, DeploymentScheduleUpdate(parameters={"x": 1})
        )

    after = [run for run in runs(store) if run.id not in before]
    assert after
    assert all(run.parameters == {"x": 1} for run in after)
    due = sorted(run.expected_start_time for run in runs(store))
    assert {b - a for a, b in itertools.pairwise(due)} == {timedelta(seconds=3.6)}
    assert due[0] == min(before.values())


def test_what_is_planned_of_a_schedule_is_found_without_going_through_what_is_planned_of_others():
    with sqlite3.connect(":memory:") as raw:
        for statement in SQLITE_SCHEMA:
            raw.execute(statement)
        query, params = text_and_params(planned_query("[]", now()), "sqlite")
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {query}", params)]
    raw.close()

    looks = [step for step in plan if "flow_runs" in step]
    assert len(looks) == 2
    assert all("(flow_id=? AND idempotency_key>? AND idempotency_key<?)" in step for step in looks)
