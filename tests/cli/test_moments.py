"""Times as people write and read them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.cli.moments import ago, duration, parse_moment

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2h", timedelta(hours=2)),
        ("90s", timedelta(seconds=90)),
        ("1.5 days", timedelta(hours=36)),
        ("3 days ago", timedelta(days=3)),
        ("1h 30m", timedelta(minutes=90)),
        ("1 week, 2 days ago", timedelta(days=9)),
        ("5 min", timedelta(minutes=5)),
        ("now", timedelta()),
    ],
)
def test_how_long_ago(text, before):
    assert parse_moment(text, NOW) == NOW - before


def test_iso_times():
    assert parse_moment("2026-01-31T08:15:00+02:00") == datetime(2026, 1, 31, 6, 15, tzinfo=UTC)
    assert parse_moment("2026-01-31") == datetime(2026, 1, 31).astimezone(UTC)


@pytest.mark.parametrize("text", ["", "yesterweek", "2x", "h", "9999999999 weeks", "2026-13-01", "-2h"])
def test_no_times(text):
    with pytest.raises(ArgumentTypeError, match="is no time: give one like"):
        parse_moment(text, NOW)


@given(st.datetimes(timezones=st.timezones()).filter(lambda moment: 1900 < moment.year < 2200))
def test_every_iso_time_is_read(moment):
    assert parse_moment(moment.isoformat()) == moment.astimezone(UTC)


@given(st.text(max_size=15))
def test_any_text_is_a_time_or_refused(text):
    with suppress(ArgumentTypeError):
        assert parse_moment(text, NOW).tzinfo is not None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (1, "1 second ago"),
        (150, "2 minutes ago"),
        (7200, "2 hours ago"),
        (-90000, "in 1 day"),
    ],
)
def test_how_long_ago_is_said(seconds, said):
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.123, "0.12s"), (303, "5m 3s"), (7260, "2h 1m")])
def test_durations_are_said(seconds, said):
    assert duration(seconds) == said
    assert ago(None) == ""
