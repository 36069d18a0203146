from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from test_deployments import HOURLY, deploy, exists, plan

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.operations.deployment_plans import check_work_queues, schedule_deployment
from prefect.operations.deployment_runs import read_scheduled_runs_of_deployments
from prefect.operations.deployment_schedules import (
    create_deployment_schedules,
    delete_deployment_schedule,
    read_deployment_schedules,
    update_deployment_schedule,
)
from prefect.schemas.deployments import DeploymentScheduleCreate, DeploymentScheduleUpdate
from prefect.schemas.schedules import CronSchedule
from prefect.store.base import Store
from prefect.types import now


def test_schedules_are_added_read_changed_and_deleted(store: Store) -> None:
    made = deploy(store)
    (hourly,) = create_deployment_schedules(
        store, made.id, [DeploymentScheduleCreate(schedule=HOURLY, slug="s", max_scheduled_runs=4)]
    )
    (nightly,) = create_deployment_schedules(
        store, made.id, [DeploymentScheduleCreate(schedule={"cron": "0 0 * * *"}, active=False)]
    )
    assert read_deployment_schedules(store, made.id) == [nightly, hourly], "newest first"

    planned = plan(store, deploy(store, name="nightly", schedules=[]), now() + timedelta(hours=1))
    assert exists(store, planned)
    assert read_deployment_schedules(store, made.id) == [], "a deploy says all that there are"


def test_a_change_drops_what_the_schedule_planned(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY)])
    schedule = made.schedules[0].id
    planned, late = (plan(store, made, now() + timedelta(hours=hours)) for hours in (1, -1))

    same = update_deployment_schedule(store, made.id, schedule, DeploymentScheduleUpdate(active=True))
    assert same == made.schedules[0] and exists(store, planned)
    update_deployment_schedule(store, made.id, schedule, DeploymentScheduleUpdate(slug="s"))
    assert exists(store, planned)
    changed = update_deployment_schedule(
        store,
        made.id,
        schedule,
        DeploymentScheduleUpdate(schedule={"cron": "1 0 * * *"}, parameters={"n": 1}),
    )
    assert isinstance(changed.schedule, CronSchedule) and changed.parameters == {"n": 1}
    assert (exists(store, planned), exists(store, late)) == (False, True)


def test_a_deleted_schedule_takes_what_it_planned_along(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY)])
    planned = plan(store, made, now() + timedelta(hours=1))
    delete_deployment_schedule(store, made.id, made.schedules[0].id)
    assert not exists(store, planned)
    assert read_deployment_schedules(store, made.id) == []


def test_a_slug_is_taken_once(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="s")])
    with pytest.raises(ObjectAlreadyExists, match="slug 's'"):
        create_deployment_schedules(store, made.id, [DeploymentScheduleCreate(schedule=HOURLY, slug="s")])
    (other,) = create_deployment_schedules(store, made.id, [DeploymentScheduleCreate(schedule=HOURLY)])
    with pytest.raises(ObjectAlreadyExists, match="slug 's'"):
        update_deployment_schedule(store, made.id, other.id, DeploymentScheduleUpdate(slug="s"))
    replacing = DeploymentScheduleCreate(schedule={"cron": "0 0 * * *"}, slug="t", replaces="s")
    (replaced,) = create_deployment_schedules(store, made.id, [replacing])
    assert replaced.id == made.schedules[0].id


def test_what_is_not_there_is_said(store: Store) -> None:
    made = deploy(store)
    with pytest.raises(ObjectNotFound, match="Deployment not found"):
        read_deployment_schedules(store, uuid4())
    with pytest.raises(ObjectNotFound, match="Deployment not found"):
        create_deployment_schedules(store, uuid4(), [])
    with pytest.raises(ObjectNotFound, match="Schedule not found"):
        update_deployment_schedule(store, made.id, uuid4(), DeploymentScheduleUpdate(active=False))
    with pytest.raises(ObjectNotFound, match="Schedule not found"):
        delete_deployment_schedule(store, made.id, uuid4())


def test_runs_are_planned_when_asked_for(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, parameters={"n": 2})])
    schedule_deployment(store, made.id, min_runs=5, max_runs=5)
    runs = read_scheduled_runs_of_deployments(store, [made.id])
    assert [run.parameters for run in runs] == [{"n": 2}] * 5
    schedule_deployment(store, made.id, min_runs=5)
    assert len(read_scheduled_runs_of_deployments(store, [made.id])) == 5
    schedule_deployment(store, uuid4())


def test_it_is_told_which_queue_runs_go_to(store: Store) -> None:
    queued, free = deploy(store, work_queue_name="fast"), deploy(store, name="free")
    assert [queue.name for queue in check_work_queues(store, queued.id)] == ["fast"]
    assert check_work_queues(store, free.id) == []
    with pytest.raises(ObjectNotFound, match="Deployment not found"):
        check_work_queues(store, uuid4())
