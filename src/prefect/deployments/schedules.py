"""Schedules as users give them to a deployment, in the form in which it keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from prefect.schedules import Cron, Interval, RRule, Schedule
from prefect.schemas.deployments import DeploymentScheduleCreate
from prefect.schemas.schedules import AnySchedule

__all__ = [
    "create_deployment_schedule_create",
    "normalize_to_deployment_schedule",
    "read_moment",
    "schedules_of",
]

_OF_SCHEDULE = ("active", "parameters", "slug", "replaces", "max_scheduled_runs")
"""What is said of a schedule beside when it is."""


def create_deployment_schedule_create(
    schedule: Schedule | AnySchedule, active: bool | None = True
) -> DeploymentScheduleCreate:
    """Return a schedule as a deployment keeps it.

    Args:
        schedule: The schedule.
        active: Whether it makes runs, where the schedule itself does not say so.

    Raises:
        ValueError: It is no schedule.
    """
    if isinstance(schedule, Schedule):
        return DeploymentScheduleCreate(
            schedule=schedule.when(),
            active=schedule.active,
            parameters=schedule.parameters,
            slug=schedule.slug,
        )
    return DeploymentScheduleCreate(schedule=schedule, active=True if active is None else active)


def normalize_to_deployment_schedule(schedules: Sequence[Any] | None) -> list[DeploymentScheduleCreate]:
    """Return schedules as a deployment keeps them.

    Args:
        schedules: Schedules of any form: `Cron(...)`, mappings with `schedule` and `active`, and others.

    Raises:
        ValueError: One of them is no schedule.
    """
    return [_normalized(schedule) for schedule in schedules or ()]


def _normalized(given: Any) -> DeploymentScheduleCreate:
    if isinstance(given, DeploymentScheduleCreate):
        return given
    if not isinstance(given, Mapping):
        return create_deployment_schedule_create(given)
    if "schedule" in given:
        return DeploymentScheduleCreate(**given)
    options = {name: given[name] for name in _OF_SCHEDULE if name in given}
    schedule: Any = {name: value for name, value in given.items() if name not in options}
    return DeploymentScheduleCreate(schedule=schedule, **options)


def schedules_of(
    *,
    interval: Iterable[float | timedelta] | float | timedelta | None = None,
    cron: Iterable[str] | str | None = None,
    rrule: Iterable[str] | str | None = None,
    schedule: Schedule | None = None,
    schedules: Sequence[Any] | None = None,
) -> list[DeploymentScheduleCreate]:
    """Return the schedules that the options of a deployment say.

    Args:
        interval: Seconds or a duration, or several.
        cron: A cron expression, or several.
        rrule: A recurrence rule, or several.
        schedule: A schedule.
        schedules: Schedules.

    Raises:
        ValueError: They are given in more than one way, or one of them is no schedule.
    """
    ways = {"interval": interval, "cron": cron, "rrule": rrule, "schedule": schedule, "schedules": schedules}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise ValueError(
            f"A deployment's schedules are given in one way, not by {' and '.join(given)}. "
            "Give several schedules as schedules=[Cron(...), Interval(...)]."
        )
    if interval is not None:
        several = [interval] if isinstance(interval, int | float | timedelta) else interval
        found: list[Any] = [Interval(each) for each in several]
    elif cron is not None:
        found = [Cron(each) for each in ([cron] if isinstance(cron, str) else cron)]
    elif rrule is not None:
        found = [RRule(each) for each in ([rrule] if isinstance(rrule, str) else rrule)]
    else:
        found = list(schedules or ()) if schedule is None else [schedule]
    return normalize_to_deployment_schedule(found)


def read_moment(value: date | str) -> datetime:
    """Return a time that was written as a date, a time, or a text with either; UTC, if it does not say.

    Args:
        value: What was written.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
