"""Times as people write and read them."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, time, timedelta

from prefect.types import now

__all__ = ["ago", "duration", "local", "parse_moment", "parse_span", "parse_start"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
_UNITS = r"s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?"


def parse_moment(text: str, at: datetime | None = None) -> datetime:
    """Read a point in time: ISO 8601, or how long ago.

    Args:
        text: Such as `2026-01-31`, `2026-01-31T08:15:00+01:00`, `2h`, `1h 30m` or `3 days ago`. A time
            without an offset is in this machine's time zone.
        at: What is now.

    Returns:
        The time, in UTC.

    Raises:
        argparse.ArgumentTypeError: It is none of these.
    """
    at, words = at or now(), text.strip().lower().removesuffix("ago").strip()
    if words == "now":
        return at
    try:
        if (span := _read_span(words)) is not None:
            return at - span
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is no time: give one like 2026-01-31, 2026-01-31T08:15, 2h or '3 days ago'."
        ) from None


def _read_span(words: str) -> timedelta | None:
    if not re.fullmatch(rf"(?:\d+(?:\.\d+)?\s*(?:{_UNITS})\s*(?:,|and\b)?\s*)+", words):
        return None
    amounts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z])", words)
    return timedelta(seconds=sum(float(amount) * _SECONDS[unit] for amount, unit in amounts))


def parse_span(text: str) -> timedelta:
    """Read how long something takes, such as `90s`, `1h 30m` or `in 5 minutes`.

    Args:
        text: The text.

    Raises:
        argparse.ArgumentTypeError: It is no length of time.
    """
    try:
        span = _read_span(text.strip().lower().removeprefix("in ").strip())
    except OverflowError:
        span = None
    if span is None:
        raise ArgumentTypeError(f"{text!r} is no length of time: give one like 90s, 1h 30m or '5 minutes'.")
    return span


def parse_start(text: str, at: datetime | None = None) -> datetime:
    """Read when something is to start: a day and a time, or a time alone, which is the next such one.

    Args:
        text: Such as `2026-01-31 17:30`, `17:30`, `at 5:30pm` or `tomorrow at 9am`. A time without an offset
            is in this machine's time zone.
        at: What is now.

    Returns:
        The time, in UTC.

    Raises:
        argparse.ArgumentTypeError: It is none of these.
    """
    here = (at or now()).astimezone()
    words = text.strip().lower().removeprefix("at ").strip()
    found = re.fullmatch(
        r"(?:(today|tomorrow)\s+(?:at\s+)?)?(\d{1,2})(?::(\d\d)(?::(\d\d))?)?\s*([ap]m)?", words
    )
    try:
        if found is None or not (found[3] or found[5]):
            return datetime.fromisoformat(words.upper()).astimezone(UTC)
        hour = int(found[2])
        if found[5]:
            if not 1 <= hour <= 12:
                raise ValueError(text)
            hour = hour % 12 + (12 if found[5] == "pm" else 0)
        clock = time(hour, int(found[3] or 0), int(found[4] or 0))
        day = here.date() + timedelta(days=found[1] == "tomorrow")
        # Put together without an offset first: another day may have another one.
        start = datetime.combine(day, clock).astimezone()
        if start < here and found[1] is None:
            start = datetime.combine(day + timedelta(days=1), clock).astimezone()
        return start.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is no time to start at: give one like 2026-01-31T17:30, 17:30 or 'tomorrow at 9am'."
        ) from None


def ago(moment: datetime | None, at: datetime | None = None) -> str:
    """Say how long ago something was, or when it will be; nothing for None.

    Args:
        moment: The time.
        at: What is now.
    """
    if moment is None:
        return ""
    seconds = ((at or now()) - moment).total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = int(abs(seconds) // size)
        if count:
            amount = f"{count} {unit}{'s' if count != 1 else ''}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "just now"


def duration(seconds: float) -> str:
    """Say how long something took: `0.12s`, `5m 3s`, `2h 0m`."""
    if seconds < 60:
        return f"{seconds:.2f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    return f"{minutes // 60}h {minutes % 60}m"


def local(moment: datetime | None) -> str:
    """Write a time in this machine's time zone, to the millisecond; nothing for None."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
