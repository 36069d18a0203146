"""When a schedule's runs start.

Cron expressions, recurrence rules and intervals of days name times on the clock on the wall. What the clock
shows twice, when it is set back, comes once, the first time; what it leaves out, when it is set forward,
comes by the new offset. So each of them is one instant, whatever the moment that is asked from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, HOURLY, MINUTELY, SECONDLY, WEEKLY

from prefect.schemas.schedules import AnySchedule, CronSchedule, IntervalSchedule
from prefect.types.cron import CronExpression

__all__ = ["dates_of", "next_dates"]

_DAY = timedelta(days=1)
_UNITS = {
    WEEKLY: timedelta(weeks=1),
    DAILY: _DAY,
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
    SECONDLY: timedelta(seconds=1),
}
"""The frequencies that are always as long."""


def next_dates(
    schedule: AnySchedule, start: datetime, most: int, until: datetime | None = None
) -> list[datetime]:
    """Return the next times of a schedule, in UTC.

    Args:
        schedule: The schedule.
        start: The first time that may be given.
        most: How many times to give, at most.
        until: The last time that may be given; None: any.
    """
    found: list[datetime] = []
    for moment in dates_of(schedule, start):
        if len(found) >= most or (until is not None and moment > until):
            break
        found.append(moment)
    return found


def dates_of(schedule: AnySchedule, start: datetime) -> Iterator[datetime]:
    """Give all times of a schedule, in UTC and in order.

    Args:
        schedule: The schedule.
        start: The first time that may be given.
    """
    try:
        yield from _dates(schedule, start)
    except OverflowError:
        # The next time, or one to count it from, is none that a calendar has.
        return


def _dates(schedule: AnySchedule, start: datetime) -> Iterator[datetime]:
    start = start.astimezone(UTC)
    zone = ZoneInfo(schedule.timezone or "UTC")
    on_the_wall = start.astimezone(zone).replace(tzinfo=None)
    if isinstance(schedule, IntervalSchedule):
        if schedule.interval < _DAY:
            return _counted(schedule.anchor_date.astimezone(UTC), schedule.interval, start)
        anchor = schedule.anchor_date.astimezone(zone).replace(tzinfo=None)
        return _instants(_counted(anchor, schedule.interval, on_the_wall), zone, start)
    if isinstance(schedule, CronSchedule):
        return _instants(CronExpression(schedule.cron, schedule.day_or).from_(on_the_wall), zone, start)
    return _instants(_of_rule(schedule.to_rrule(), on_the_wall), zone, start)


def _counted(anchor: datetime, interval: timedelta, start: datetime) -> Iterator[datetime]:
    """Give the times that are whole intervals from an anchor, and not before a start."""
    moment = anchor - ((anchor - start) // interval) * interval
    while True:
        yield moment
        moment += interval


def _of_rule(rule: Any, start: datetime) -> Iterator[datetime]:
    for one in getattr(rule, "_rrule", ()):
        skipped = _skipped(one, start)
        one._dtstart += skipped * _step(one)
        one._count = _left(one, skipped)
    if hasattr(rule, "_dtstart"):
        skipped = _skipped(rule, start)
        rule = rule.replace(dtstart=rule._dtstart + skipped * _step(rule), count=_left(rule, skipped))
    return iter(rule.xafter(start, inc=True))


def _skipped(rule: Any, start: datetime) -> int:
    """Return how many steps a rule may begin later, with the same times from then on.

    Without it a rule of every minute would count all minutes of years before it comes to now. A rule that
    says how often it comes must count, but where each of its steps is one of its times.
    """
    step = _step(rule)
    counts = rule._count is not None and any(rule._original_rule.values())
    begin: datetime = rule._dtstart
    if not step or counts or begin >= start:
        return 0
    return max((start - begin) // step - 1, 0)


def _step(rule: Any) -> timedelta:
    """Return how long the steps of a rule are; nothing where they are not always as long."""
    unit = _UNITS.get(rule._freq)
    return timedelta() if unit is None else unit * rule._interval


def _left(rule: Any, skipped: int) -> int | None:
    return None if rule._count is None else max(rule._count - skipped, 0)


def _instants(wall_times: Iterator[datetime], zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    last: datetime | None = None
    for wall_time in wall_times:
        moment = _instant(wall_time, zone)
        if last is None or moment > last:
            last = moment
            if moment >= start:
                yield moment


def _instant(wall_time: datetime, zone: ZoneInfo) -> datetime:
    moment = wall_time.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall_time:
        # The clock never shows it. With `fold`, its new offset counts.
        moment = wall_time.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return moment
