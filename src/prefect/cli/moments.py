"""Times as people write and read them."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from prefect.types import now

__all__ = ["ago", "duration", "local", "parse_moment"]

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
        if re.fullmatch(rf"(?:\d+(?:\.\d+)?\s*(?:{_UNITS})\s*,?\s*)+", words):
            amounts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z])", words)
            return at - timedelta(seconds=sum(float(amount) * _SECONDS[unit] for amount, unit in amounts))
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is no time: give one like 2026-01-31, 2026-01-31T08:15, 2h or '3 days ago'."
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
