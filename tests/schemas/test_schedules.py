"""Schedules as users make them, and as they travel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from dateutil import rrule

from prefect.client.schemas.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    construct_schedule,
)
from prefect.schedules import Cron, Interval, RRule
from prefect.schemas.base import encode_json
from prefect.schemas.schedules import read_schedule


def test_an_interval_travels_as_seconds():
    made = IntervalSchedule(interval=timedelta(hours=1), anchor_date=datetime(2026, 1, 1))

    sent = msgspec.json.decode(encode_json(made))

    assert sent == {"interval": 3600.0, "anchor_date": "2026-01-01T00:00:00Z", "timezone": "UTC"}
    assert read_schedule(sent) == made
    assert read_schedule({**sent, "interval": "PT1H"}) == made
    assert made.model_dump(mode="json")["interval"] == 3600.0
    assert repr(made.interval) == "datetime.timedelta(seconds=3600)"


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": 0},
        {"interval": -5},
        {"interval": 60, "timezone": "Mars/Olympus"},
        {"cron": "bad"},
        {"cron": "* * * * *", "timezone": "../etc"},
        {"rrule": "bad"},
        {"rrule": "FREQ=DAILY;" * 700},
        {"rrule": "FREQ=DAILY", "timezone": "x"},
        {"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"},
        {"rrule": "FREQ=SECONDLY;BYMONTHDAY=32"},
        {"rrule": "DTSTART:20250131T090000\nRRULE:FREQ=YEARLY;BYMONTH=2"},
        {"rrule": "RRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=HOURLY;BYMONTH=6;BYYEARDAY=1"},
        {"cron": "* * * * *", "more": 1},
        {},
        None,
        "* * * * *",
    ],
)
def test_what_is_no_schedule(fields):
    with pytest.raises(ValueError, match=r"."):
        read_schedule(fields)


def test_one_thing_makes_a_schedule():
    assert construct_schedule(cron="0 0 * * *", timezone="UTC") == CronSchedule(
        cron="0 0 * * *", timezone="UTC"
    )
    assert construct_schedule(rrule="FREQ=DAILY") == RRuleSchedule(rrule="FREQ=DAILY")
    anchored = construct_schedule(interval=5, anchor_date="2026-01-01T00:00:00")
    assert anchored == IntervalSchedule(
        interval=timedelta(seconds=5), anchor_date=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for wrong in (
        {},
        {"interval": 5, "cron": "* * * * *"},
        {"timezone": "UTC"},
        {"anchor_date": "2026-01-01"},
    ):
        with pytest.raises(ValueError, match=r"provided"):
            construct_schedule(**wrong)


def test_schedules_as_users_write_them():
    daily = Cron("0 9 * * *", timezone="Europe/Paris", parameters={"x": 1}, slug="daily")
    assert daily.when() == CronSchedule(cron="0 9 * * *", timezone="Europe/Paris")
    assert (daily.active, daily.parameters, daily.slug) == (True, {"x": 1}, "daily")
    often = Interval(60, anchor_date=datetime(2026, 1, 1, tzinfo=UTC))
    assert often.when() == IntervalSchedule(interval=timedelta(minutes=1), anchor_date=datetime(2026, 1, 1))
    assert RRule("FREQ=DAILY").when() == RRuleSchedule(rrule="FREQ=DAILY")
    for wrong in (lambda: Cron("bad"), lambda: RRule("bad")):
        with pytest.raises(ValueError, match="Invalid"):
            wrong()


def test_rules_of_dateutil_become_schedules_and_back():
    rule = rrule.rrule(rrule.DAILY, count=3, dtstart=datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Paris")))
    made = RRuleSchedule.from_rrule(rule)

    assert made.timezone == "Europe/Paris"
    assert list(made.to_rrule()) == [datetime(2024, 1, day) for day in (1, 2, 3)]
    rules = rrule.rruleset()
    rules.rrule(rrule.rrule(rrule.DAILY, count=3, dtstart=datetime(2024, 1, 1)))
    rules.exdate(datetime(2024, 1, 2))
    assert list(RRuleSchedule.from_rrule(rules).to_rrule()) == [datetime(2024, 1, 1), datetime(2024, 1, 3)]
