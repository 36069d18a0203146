from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from test_deployments import HOURLY, deploy, exists, plan

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations.deployment_plans import check_work_queues, schedule_deployment
from prefect.operations.deployment_runs import read_scheduled_runs_of_deployments
from prefect.operations.deployment_schedules import (
    create_deployment_schedules,
    delete_deployment_schedule,
    read_deployment_schedules,
    update_deployment_schedule,
)
from prefect.operations.deployments import update_deployment
from prefect.schemas.deployments import (
    DeploymentResponse,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    DeploymentUpdate,
)
from prefect.schemas.schedules import CronSchedule, IntervalSchedule
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


def change(seconds: int | None = None, slug: str | None = None, **values: Any) -> DeploymentScheduleUpdate:
    times = {} if seconds is None else {"schedule": {"interval": seconds}}
    return DeploymentScheduleUpdate(**times, **({"slug": slug} if slug else {}), **values)


def said(deployment: DeploymentResponse) -> list[tuple[str, float]]:
    return sorted(
        (each.slug or "", each.schedule.interval.total_seconds())
        for each in deployment.schedules
        if isinstance(each.schedule, IntervalSchedule)
    )


@pytest.mark.parametrize(
    ("had", "given", "then"),
    [
        (["s", "o"], [change(60, "s")], [("o", 3600), ("s", 60)]),
        (["s"], [change(60, "o")], [("o", 60), ("s", 3600)]),
        (["s"], [change(60, "t", replaces="s")], [("t", 60)]),
        (["s"], [change(60, "s"), change(61, "s")], [("s", 61)]),
        (["s"], [], [("s", 3600)]),
        (["s", None], [change(60)], [("", 60)]),
        (["s", None], [change(60, "o")], [("o", 60)]),
        ([None], [], []),
        ([], [change(60), change(61, "s")], [("", 60), ("s", 61)]),
    ],
    ids=["changed", "added", "renamed", "twice", "nothing", "replaced", "by slug", "removed", "new"],
)
def test_schedules_with_slugs_are_changed_and_others_replaced(
    store: Store,
    had: list[str | None],
    given: list[DeploymentScheduleUpdate],
    then: list[tuple[str, int]],
) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug=slug) for slug in had])
    assert said(update_deployment(store, made.id, DeploymentUpdate(schedules=given))) == then


def test_a_change_by_slug_leaves_the_rest_of_the_schedule(store: Store) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="s")])
    changed = update_deployment(store, made.id, DeploymentUpdate(schedules=[change(None, "s", active=False)]))
    (schedule,) = changed.schedules
    assert (schedule.id, schedule.schedule) == (made.schedules[0].id, made.schedules[0].schedule)
    assert not schedule.active


@pytest.mark.parametrize(
    "given",
    [[change(60)], [change(60, "s"), change(60)], [change(None, "new", active=False)]],
    ids=["no slug", "one without", "no times"],
)
def test_schedules_that_cannot_be_told_apart_are_refused(
    store: Store, given: list[DeploymentScheduleUpdate]
) -> None:
    made = deploy(store, schedules=[DeploymentScheduleCreate(schedule=HOURLY, slug="s")])
    with pytest.raises(RequestRefused):
        update_deployment(store, made.id, DeploymentUpdate(schedules=given))
    assert read_deployment_schedules(store, made.id) == made.schedules
