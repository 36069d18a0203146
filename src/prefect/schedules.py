"""Schedules as users write them: `flow.serve(schedule=Cron("0 9 * * *"))`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from prefect.schemas.base import Schema
from prefect.schemas.schedules import AnySchedule, CronSchedule, RRuleSchedule, construct_schedule
from prefect.types import now
from prefect.types.durations import Seconds

__all__ = ["Cron", "Interval", "RRule", "Schedule"]


class Schedule(Schema):
    """When a deployment's runs start, and what they get beside.

    One of `interval`, `cron` and `rrule` is given; `Interval`, `Cron` and `RRule` make such schedules.
    """

    interval: timedelta | None = None
    cron: str | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: datetime = msgspec.field(default_factory=now)
    """What an interval counts from."""
    day_or: bool = True
    """Whether a day that fits either the day of the month or the day of the week of a cron is enough."""
    active: bool = True
    """Whether it makes runs."""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    """Parameters of its runs, over those of the deployment."""
    slug: str | None = None
    """A name that it is known by within its deployment, whatever else of it changes."""

    def when(self) -> AnySchedule:
        """Return the schedule itself, as deployments keep it.

        Raises:
            ValueError: Not exactly one of interval, cron and rrule is given, or it does not fit.
        """
        if self.cron is not None and self.interval is None and self.rrule is None:
            return CronSchedule(cron=self.cron, timezone=self.timezone, day_or=self.day_or)
        return construct_schedule(
            interval=self.interval,
            anchor_date=None if self.interval is None else self.anchor_date,
            cron=self.cron,
            rrule=self.rrule,
            timezone=self.timezone,
        )


def Cron(
    cron: str,
    /,
    timezone: str | None = None,
    day_or: bool = True,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule from a cron expression.

    Args:
        cron: The expression, such as `0 9 * * MON-FRI`.
        timezone: The timezone of the clock that it is about; None: UTC.
        day_or: Whether a day that fits either the day of the month or the day of the week is enough.
        active: Whether it makes runs.
        parameters: Parameters of its runs, over those of the deployment.
        slug: A name that it is known by within its deployment.

    Raises:
        ValueError: It is no cron expression.
    """
    CronSchedule(cron=cron, day_or=day_or)
    return Schedule(
        cron=cron,
        timezone=timezone,
        day_or=day_or,
        active=active,
        parameters=parameters or {},
        slug=slug,
    )


def Interval(
    interval: timedelta | float | int,
    /,
    anchor_date: datetime | None = None,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule from an interval.

    Args:
        interval: A duration, or seconds.
        anchor_date: What it counts from; None: now.
        timezone: The timezone whose clock counts for days; None: UTC.
        active: Whether it makes runs.
        parameters: Parameters of its runs, over those of the deployment.
        slug: A name that it is known by within its deployment.
    """
    return Schedule(
        interval=interval if isinstance(interval, timedelta) else Seconds(seconds=interval),
        anchor_date=anchor_date if anchor_date is not None else now(),
        timezone=timezone,
        active=active,
        parameters=parameters or {},
        slug=slug,
    )


def RRule(
    rrule: str,
    /,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Make a schedule from an iCalendar recurrence rule.

    Args:
        rrule: The rule, such as `FREQ=DAILY;BYHOUR=9`.
        timezone: The timezone of the clock that it is about; None: UTC.
        active: Whether it makes runs.
        parameters: Parameters of its runs, over those of the deployment.
        slug: A name that it is known by within its deployment.

    Raises:
        ValueError: It is no such rule.
    """
    RRuleSchedule(rrule=rrule)
    return Schedule(rrule=rrule, timezone=timezone, active=active, parameters=parameters or {}, slug=slug)
