"""Operations on the schedules of deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.operations.deployment_plans import plan_anew
from prefect.operations.registry import operation
from prefect.schemas.deployments import (
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
)
from prefect.schemas.pages import set_fields
from prefect.store.base import Connection, Store
from prefect.store.deployments import drop_planned_runs, objects, schedules, schedules_of
from prefect.store.tables import deployment_schedules, deployments
from prefect.types import now, uuid7

__all__ = [
    "change_schedules",
    "create_deployment_schedules",
    "delete_deployment_schedule",
    "read_deployment_schedules",
    "replace_schedules",
    "update_deployment_schedule",
]


@operation("GET", "/deployments/{deployment_id}/schedules")
def read_deployment_schedules(store: Store, deployment_id: UUID) -> list[DeploymentSchedule]:
    """Return the schedules of a deployment, newest first.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
    """
    found = schedules_of(store, [deployment_id]).get(deployment_id, [])
    if not found and not store.select(select(deployments.c.id).where(deployments.c.id == deployment_id.hex)):
        raise ObjectNotFound(help_message="Deployment not found.")
    return found


@operation("POST", "/deployments/{deployment_id}/schedules", status=201)
def create_deployment_schedules(
    store: Store, deployment_id: UUID, data: list[DeploymentScheduleCreate]
) -> list[DeploymentSchedule]:
    """Give a deployment more schedules.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such deployment.
        prefect.exceptions.ObjectAlreadyExists: It has a schedule with such a slug.
    """
    at = now()
    with store.transaction() as connection:
        _deployment(connection, deployment_id)
        had = schedules_of(connection, [deployment_id]).get(deployment_id, [])
        made: list[DeploymentSchedule] = []
        for wanted in data:
            replaced = _with_slug(had, wanted.replaces)
            if replaced is not None:
                made.append(_change(connection, replaced, _wanted(wanted), at))
                continue
            made.append(_add(connection, deployment_id, wanted, at))
    return made


@operation("PATCH", "/deployments/{deployment_id}/schedules/{schedule_id}")
def update_deployment_schedule(
    store: Store, deployment_id: UUID, schedule_id: UUID, data: DeploymentScheduleUpdate
) -> DeploymentSchedule:
    """Change what is set in `data` of a schedule, and return the schedule.

    Raises:
        prefect.exceptions.ObjectNotFound: The deployment has no such schedule.
        prefect.exceptions.ObjectAlreadyExists: It has another one with that slug.
    """
    changes = _changes(data)
    with store.transaction() as connection:
        _deployment(connection, deployment_id)
        had = schedules.first(connection, *_one(deployment_id, schedule_id))
        if had is None:
            raise ObjectNotFound(help_message="Schedule not found.")
        return _change(connection, had, changes, now())


@operation("DELETE", "/deployments/{deployment_id}/schedules/{schedule_id}")
def delete_deployment_schedule(store: Store, deployment_id: UUID, schedule_id: UUID) -> None:
    """Delete a schedule, with the runs that it planned; what is due or late stays.

    Raises:
        prefect.exceptions.ObjectNotFound: The deployment has no such schedule.
    """
    with store.transaction() as connection:
        _deployment(connection, deployment_id)
        if not schedules.delete(connection, *_one(deployment_id, schedule_id)):
            raise ObjectNotFound(help_message="Schedule not found.")
        drop_planned_runs(connection, deployment_id, now(), [schedule_id])


def change_schedules(
    connection: Connection, deployment_id: UUID, wanted: Sequence[DeploymentScheduleUpdate], at: datetime
) -> None:
    """Change the schedules of a deployment: by their slugs, where all have one; else all for those given.

    Args:
        connection: A connection that may write, and has the deployment locked.
        deployment_id: The deployment.
        wanted: What is to be of which schedule; those that are not named by their slug stay.
        at: The current time.

    Raises:
        prefect.exceptions.RequestRefused: One lacks its slug, or what is new its times.
    """
    had = schedules_of(connection, [deployment_id]).get(deployment_id, [])
    if not had or not all(each.slug for each in had):
        replace_schedules(connection, deployment_id, [_whole(each) for each in wanted], at)
        return
    if not all(each.slug for each in wanted):
        raise RequestRefused(
            "Give each schedule its slug: by these the deployment tells those that it has apart."
        )
    by_slug: dict[Any, DeploymentSchedule] = {each.slug: each for each in had}
    for each in wanted:
        found = by_slug.get(each.slug) or by_slug.pop(each.replaces, None)
        if found is None:
            by_slug[each.slug] = _add(connection, deployment_id, _whole(each), at)
        else:
            by_slug[each.slug] = _change(connection, found, _changes(each), at)


def _whole(data: DeploymentScheduleUpdate) -> DeploymentScheduleCreate:
    given = {name: value for name, value in set_fields(data).items() if value is not None}
    if "schedule" not in given:
        raise RequestRefused(
            "Each of a deployment's schedules needs a schedule: an interval, a cron or an rrule."
        )
    return DeploymentScheduleCreate(**given)


def _changes(data: DeploymentScheduleUpdate) -> dict[str, Any]:
    return {
        name: value
        for name, value in set_fields(data).items()
        if name != "replaces" and not (value is None and name in ("schedule", "active"))
    }


def replace_schedules(
    connection: Connection, deployment_id: UUID, wanted: Sequence[DeploymentScheduleCreate], at: datetime
) -> None:
    """Let a deployment have some schedules, and no others.

    A schedule that it has already, by its slug or by all that it says, keeps its id: so the runs that it
    planned stay, and none is planned twice.

    Args:
        connection: A connection that may write, and has the deployment locked.
        deployment_id: The deployment.
        wanted: The schedules.
        at: The current time.
    """
    left = schedules_of(connection, [deployment_id]).get(deployment_id, [])
    added: list[DeploymentScheduleCreate] = []
    changed: list[tuple[DeploymentSchedule, DeploymentScheduleCreate]] = []
    for each in wanted:
        found = _with_slug(left, each.slug) or _with_slug(left, each.replaces) or _equal(left, each)
        if found is None:
            added.append(each)
        else:
            left.remove(found)
            changed.append((found, each))
    gone = [each.id for each in left]
    if gone:
        schedules.delete(connection, deployment_schedules.c.id.in_([one.hex for one in gone]))
        drop_planned_runs(connection, deployment_id, at, gone)
    for had, each in changed:
        _change(connection, had, _wanted(each), at)
    for each in added:
        _add(connection, deployment_id, each, at)


def _wanted(data: DeploymentScheduleCreate) -> dict[str, Any]:
    return {name: value for name, value in set_fields(data).items() if name != "replaces"}


def _with_slug(among: Sequence[DeploymentSchedule], slug: str | None) -> DeploymentSchedule | None:
    return next((each for each in among if slug is not None and each.slug == slug), None)


def _equal(among: Sequence[DeploymentSchedule], data: DeploymentScheduleCreate) -> DeploymentSchedule | None:
    wanted = _wanted(data)
    return next((each for each in among if all(getattr(each, name) == wanted[name] for name in wanted)), None)


def _add(
    connection: Connection, deployment_id: UUID, data: DeploymentScheduleCreate, at: datetime
) -> DeploymentSchedule:
    made = DeploymentSchedule(
        id=uuid7(), created=at, updated=at, deployment_id=deployment_id, **_wanted(data)
    )
    if not schedules.insert(connection, made):
        raise _taken(data.slug)
    return made


def _change(
    connection: Connection, had: DeploymentSchedule, wanted: dict[str, Any], at: datetime
) -> DeploymentSchedule:
    changes = {name: value for name, value in wanted.items() if getattr(had, name) != value}
    if not changes:
        return had
    assert had.deployment_id is not None
    slug = changes.get("slug")
    if slug is not None and schedules.count(
        connection,
        deployment_schedules.c.deployment_id == had.deployment_id.hex,
        deployment_schedules.c.slug == slug,
    ):
        raise _taken(slug)
    schedules.update(connection, {**changes, "updated": at}, deployment_schedules.c.id == had.id.hex)
    if changes.keys() - {"slug", "max_scheduled_runs"}:
        plan_anew(connection, had.deployment_id, at, [had.id])
    return msgspec.structs.replace(had, updated=at, **changes)


def _taken(slug: str | None) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(help_message=f"The deployment has a schedule with the slug {slug!r} already.")


def _one(deployment_id: UUID, schedule_id: UUID) -> tuple[Any, ...]:
    table = deployment_schedules.c
    return table.id == schedule_id.hex, table.deployment_id == deployment_id.hex


def _deployment(connection: Connection, deployment_id: UUID) -> None:
    if objects.to_change(connection, deployments.c.id == deployment_id.hex) is None:
        raise ObjectNotFound(help_message="Deployment not found.")
