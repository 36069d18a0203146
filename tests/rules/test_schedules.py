"""When schedules come, held against brute force across changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect.rules.planning import Horizon, Planned, is_planned, times_to_plan
from prefect.rules.schedules import next_dates
from prefect.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule, read_schedule

ZONES = ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"]
zones = st.sampled_from(ZONES)
# Within 2026, in which each zone that does so changes its clock twice.
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
NEW_YORK = "America/New_York"


def cron(expression: str, zone: str | None = None, **values: Any) -> CronSchedule:
    return CronSchedule(cron=expression, timezone=zone, **values)


def shown(schedule: Any, start: str, most: int = 4) -> list[str]:
    zone = ZoneInfo(schedule.timezone or "UTC")
    moments = next_dates(schedule, datetime.fromisoformat(start).replace(tzinfo=UTC), most)
    return [f"{moment.astimezone(zone):%d %H:%M %z}" for moment in moments]


def minutes_on_the_wall(zone: ZoneInfo, start: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Give every minute that a clock shows, with the instant it stands for."""
    first = start.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=3)
    for number in range((days * 24 + 6) * 60):
        wall = first + timedelta(minutes=number)
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != wall:
            moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
        yield wall, moment


@given(
    zone=zones,
    start=starts,
    minute=st.sampled_from(["0", "30", "*/20", "5,35", "*"]),
    hour=st.sampled_from(["*", "1", "2", "*/2", "1-3", "22-2"]),
    weekday=st.sampled_from(["*", "0", "SUN", "7", "1-5"]),
)
@settings(max_examples=40, deadline=None)
def test_a_cron_comes_at_each_minute_that_fits(zone, start, minute, hour, weekday):
    hours = {
        "*": range(24),
        "*/2": range(0, 24, 2),
        "1-3": range(1, 4),
        "22-2": [22, 23, 0, 1, 2],
    }.get(hour) or [int(hour)]
    minutes = {"*": range(60), "*/20": [0, 20, 40], "5,35": [5, 35]}.get(minute) or [int(minute)]
    weekdays = {"*": range(7), "1-5": range(5)}.get(weekday, [6])
    expected: list[datetime] = []
    for wall, moment in minutes_on_the_wall(ZoneInfo(zone), start, 3):
        fits = wall.minute in minutes and wall.hour in hours and wall.weekday() in weekdays
        if fits and moment >= start and (not expected or moment > expected[-1]):
            expected.append(moment)

    schedule = cron(f"{minute} {hour} * * {weekday}", zone)
    found = next_dates(schedule, start, 10_000, until=start + timedelta(days=2))
    # The first of them may repeat what an hour that the clock leaves out stands for.
    assert found == [moment for moment in expected if moment <= start + timedelta(days=2)]


@given(
    zone=zones,
    start=starts,
    anchor=starts,
    interval=st.integers(1, 20 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
)
@settings(max_examples=100, deadline=None)
def test_an_interval_is_counted_from_its_anchor_into_both_directions(zone, start, anchor, interval):
    schedule = IntervalSchedule(interval=interval, anchor_date=anchor, timezone=zone)
    found = next_dates(schedule, start, 5)

    assert len(found) == 5
    assert found == sorted(set(found)) and found[0] >= start
    local = ZoneInfo(zone)
    for moment in found:
        if interval < timedelta(days=1):
            assert (moment - anchor) % interval == timedelta(0)
        else:
            wall = moment.astimezone(local).replace(tzinfo=None)
            since = wall - anchor.astimezone(local).replace(tzinfo=None)
            # But for an hour that the clock leaves out.
            left_out = min(since % interval, interval - since % interval)
            assert left_out in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


@given(
    zone=zones,
    starts_at=st.lists(starts, min_size=2, max_size=2),
    schedule=st.sampled_from(
        [
            {"cron": "*/30 * * * *"},
            {"cron": "30 2 * * *"},
            {"cron": "0 0 13 * FRI", "day_or": False},
            {"interval": 86_400, "anchor_date": "2026-02-01T02:30:00Z"},
            {"interval": 4_321, "anchor_date": "2026-02-01T02:30:00Z"},
            {"rrule": "FREQ=HOURLY;INTERVAL=5"},
            {"rrule": "FREQ=MINUTELY;INTERVAL=37"},
            {"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;BYHOUR=1,2;BYMINUTE=30"},
            {"rrule": "RRULE:FREQ=DAILY;BYHOUR=2\nRRULE:FREQ=HOURLY;INTERVAL=7\nEXDATE:20260401T020000"},
        ]
    ),
)
@settings(max_examples=100, deadline=None)
def test_a_time_is_the_same_whenever_it_is_asked_for(zone, starts_at, schedule):

    values = {
        name: value.replace("\\n", "\n") if isinstance(value, str) else value
        for name, value in schedule.items()
    }
    made = read_schedule({**values, "timezone": zone})
    early, late = sorted(starts_at)
    late = min(late, early + timedelta(days=9))
    until = late + timedelta(days=3)

    of_both = [moment for moment in next_dates(made, early, 100_000, until) if moment >= late]

    assert of_both == next_dates(made, late, 100_000, until)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@daily", ["01 00:00", "02 00:00"]),
        ("0 0 ? * 1", ["05 00:00", "12 00:00"]),
        ("0 0 13 * FRI", ["02 00:00", "09 00:00", "13 00:00"]),
        ("0 0 */10 * 1", ["01 00:00", "05 00:00", "11 00:00"]),
        ("0 0 * * L5", ["30 00:00"]),
        ("0 0 L * *", ["31 00:00"]),
        ("0 0 * * FRI-MON", ["02 00:00", "03 00:00", "04 00:00", "05 00:00", "09 00:00"]),
        ("0 0 * * 5#2", ["09 00:00"]),
        ("5/25 * * * *", ["01 00:05", "01 00:30", "01 00:55"]),
    ],
)
def test_what_a_cron_expression_may_say(expression, expected):
    found = shown(cron(expression), "2026-01-01", len(expected))

    assert found == [f"{text} +0000" for text in expected]


def test_seconds_come_last():
    found = next_dates(cron("0 0 * * * */20"), datetime(2026, 1, 1, tzinfo=UTC), 3)

    assert [moment.second for moment in found] == [0, 20, 40]


def test_both_days_may_have_to_fit():
    (friday,) = next_dates(cron("* * 13 * FRI", day_or=False), datetime(2026, 4, 1, tzinfo=UTC), 1)

    assert friday == datetime(2026, 11, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["", "bad", "60 * * * *", "* * * *", "H * * * *", "R * * * *", "0 0 31 2 *", "@reboot"]
)
def test_what_is_no_cron_expression(expression):
    with pytest.raises(ValueError, match=r"Invalid cron string|unsupported"):
        cron(expression)


def test_an_hour_that_the_clock_leaves_out_comes_by_its_new_offset_and_once():
    assert shown(cron("30 2 * * *", NEW_YORK), "2026-03-08", 2) == ["08 01:30 -0500", "09 02:30 -0400"]
    hourly = shown(cron("30 * * * *", NEW_YORK), "2026-03-08T05:00", 3)
    assert hourly == ["08 00:30 -0500", "08 01:30 -0500", "08 03:30 -0400"]


def test_an_hour_that_the_clock_shows_twice_comes_once():
    hourly = shown(cron("30 * * * *", NEW_YORK), "2026-11-01T04:00", 3)
    assert hourly == ["01 00:30 -0400", "01 01:30 -0400", "01 02:30 -0500"]


def test_an_hourly_interval_comes_with_every_hour_that_passes():
    anchor = datetime(2026, 1, 1, 6, 30, tzinfo=UTC)
    hourly = IntervalSchedule(interval=timedelta(hours=1), anchor_date=anchor, timezone=NEW_YORK)

    assert shown(hourly, "2026-11-01T04:00", 3) == ["01 00:30 -0400", "01 01:30 -0400", "01 01:30 -0500"]


@pytest.mark.parametrize("zone", ["UTC", NEW_YORK])
def test_an_interval_that_leaves_the_calendar_comes_no_more(zone):
    anchor = datetime(2026, 3, 1, tzinfo=UTC)
    schedule = IntervalSchedule(interval=timedelta(seconds=10**12), anchor_date=anchor, timezone=zone)
    assert next_dates(schedule, anchor, 3) == [anchor]
    assert next_dates(schedule, anchor + timedelta(days=1), 3) == []


def test_a_daily_interval_stays_where_it_is_on_the_clock():
    anchor = datetime(2026, 1, 1, 14, tzinfo=UTC)
    daily = IntervalSchedule(interval=timedelta(days=1), anchor_date=anchor, timezone=NEW_YORK)

    assert shown(daily, "2026-03-07T20:00", 2) == ["08 09:00 -0400", "09 09:00 -0400"]
    assert shown(daily, "2026-11-01T20:00", 1) == ["02 09:00 -0500"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", ["01 00:00", "02 00:00"]),
        ("FREQ=HOURLY;INTERVAL=7", ["01 04:00", "01 11:00"]),
        ("FREQ=DAILY;UNTIL=20260102T040000Z", ["01 00:00", "02 00:00"]),
        ("DTSTART:20251230T100000Z\nRRULE:FREQ=DAILY;COUNT=4", ["01 10:00", "02 10:00"]),
        ("DTSTART;TZID=Europe/Paris:20251231T100000\nRRULE:FREQ=DAILY;COUNT=3", ["01 10:00", "02 10:00"]),
        ("RRULE:FREQ=DAILY\nEXDATE:20260102T000000", ["01 00:00", "03 00:00"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", ["30 09:00", "27 09:00"]),
        ("DTSTART:20250131T090000\nRRULE:FREQ=DAILY;BYMONTH=2", ["01 09:00", "02 09:00"]),
        ("DTSTART:20230101T090000\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["29 09:00", "29 09:00"]),
        # It would take minutes to count from its start.
        ("FREQ=SECONDLY;COUNT=1000000000", ["01 00:00", "01 00:00"]),
        (
            "DTSTART:20200101T000000\nRRULE:FREQ=SECONDLY;INTERVAL=3;COUNT=1000000000\nEXDATE:20260101T000000",
            ["01 00:00", "01 00:00"],
        ),
        ("DTSTART:20251229T000000\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=2", []),
        ("DTSTART:20251229T000000\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=3", ["02 00:00"]),
        ("DTSTART:20251229T000000\nRRULE:FREQ=DAILY;BYDAY=MO,TH;COUNT=3", ["01 00:00", "05 00:00"]),
    ],
)
def test_what_a_rule_may_say(rule, expected):
    found = shown(RRuleSchedule(rrule=rule), "2026-01-01", len(expected))

    assert found == [f"{text} +0000" for text in expected]


def test_planning_stops_when_enough_is_planned():
    horizon = Horizon(3, 100, timedelta(hours=1), timedelta(days=100))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    hourly = cron("0 * * * *")

    times = times_to_plan(hourly, Planned(0, None), at, horizon)
    assert [moment.hour for moment in times] == [0, 1, 2]
    assert is_planned(Planned(3, times[-1]), at, horizon)
    assert times_to_plan(hourly, Planned(3, times[-1]), at, horizon) == []
    assert [moment.hour for moment in times_to_plan(hourly, Planned(1, times[0]), at, horizon)] == [1, 2]


@pytest.mark.parametrize(
    "schedule",
    [
        IntervalSchedule(
            interval=timedelta(days=1), anchor_date=datetime(1, 1, 1, tzinfo=UTC), timezone=NEW_YORK
        ),
        IntervalSchedule(
            interval=timedelta(days=1),
            anchor_date=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
            timezone="Asia/Tokyo",
        ),
        RRuleSchedule(rrule="FREQ=DAILY;INTERVAL=1000000000000"),
        RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=WEEKLY;INTERVAL=1000000000000"),
    ],
    ids=["anchor before the calendar", "anchor behind it", "long step", "long step from a start"],
)
def test_a_schedule_that_leaves_the_calendar_has_no_more_times(schedule: Any) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    horizon = Horizon(3, 100, timedelta(hours=1), timedelta(days=100))
    assert next_dates(schedule, at, 3) == []
    assert times_to_plan(schedule, Planned(0, None), at, horizon) == []
