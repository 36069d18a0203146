"""Schedules: when runs are to start."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from prefect.schemas import lenient
from prefect.schemas.base import Schema
from prefect.types import now
from prefect.types.durations import Seconds

if TYPE_CHECKING:
    from dateutil.rrule import rrule as Rule
    from dateutil.rrule import rruleset as RuleSet

__all__ = [
    "AnySchedule",
    "CronSchedule",
    "IntervalSchedule",
    "NoSchedule",
    "RRuleSchedule",
    "construct_schedule",
    "is_schedule_type",
    "is_valid_timezone",
    "read_schedule",
]

MAX_RRULE_LENGTH = 6500
FIRST_RRULE_DATE = datetime(2020, 1, 1)
"""What rules count from that do not say it."""
_ZONE_OF_RULE = re.compile(r";TZID=[^:;]+", re.IGNORECASE)
_DAYS_OF_RULE = ("bymonth", "bymonthday", "byyearday", "byweekno", "byeaster")
"""What of a rule may say days that never come."""
_UTC_IN_RULE = re.compile(r"(\d{8}T\d{6})Z", re.IGNORECASE)


def is_valid_timezone(v: str) -> bool:
    """Return whether a name is that of a timezone, such as `Europe/Paris`."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only schedules need timezones by name

    try:
        ZoneInfo(v)
    except (KeyError, ValueError, OSError):
        return False
    return True


class IntervalSchedule(Schema, forbid_unknown_fields=True):
    """Every so often, counted from a point in time.

    A day and more is counted on the clock on the wall of the timezone, so that what is due at nine stays due
    at nine when clocks change; less than a day is counted as time that passes.
    """

    interval: timedelta
    anchor_date: datetime = msgspec.field(default_factory=now)
    """Where counting starts, into both directions; now, where it is not given."""
    timezone: str | None = None

    def __post_init__(self) -> None:
        given: Any = self.interval
        if not isinstance(given, timedelta):
            given = msgspec.convert(given, timedelta, strict=False)
        self.interval = Seconds.of(given)
        if self.interval <= timedelta(0):
            raise ValueError("An interval should be greater than 0 seconds")
        anchor = lenient.convert(self.anchor_date, datetime)
        self.anchor_date = anchor if anchor.tzinfo is not None else anchor.replace(tzinfo=UTC)
        if self.timezone is None:
            name = getattr(anchor.tzinfo, "key", None)
            self.timezone = name if isinstance(name, str) else "UTC"
        _check_timezone(self.timezone)


class CronSchedule(Schema, forbid_unknown_fields=True):
    """At what a cron expression says, on the clock on the wall of the timezone."""

    cron: str
    timezone: str | None = None
    """None: UTC."""
    day_or: bool = True
    """Whether a day that fits either the day of the month or the day of the week is enough."""

    def __post_init__(self) -> None:
        from prefect.types.cron import CronExpression  # noqa: PLC0415 - loads the parser

        _check_timezone(self.timezone)
        CronExpression(self.cron, self.day_or)


class RRuleSchedule(Schema, forbid_unknown_fields=True):
    """At what an iCalendar recurrence rule says, on the clock on the wall of the timezone."""

    rrule: str
    timezone: str | None = "UTC"

    def __post_init__(self) -> None:
        if self.timezone is None:
            self.timezone = "UTC"
        if not is_valid_timezone(self.timezone):
            raise ValueError(f'Invalid timezone: "{self.timezone}"')
        if len(self.rrule) > MAX_RRULE_LENGTH:
            shown = f"{self.rrule[:20]}..."
            raise ValueError(
                f'Invalid RRule string "{shown}"\nMax length is {MAX_RRULE_LENGTH}, got {len(self.rrule)}'
            )
        _parse(self.rrule)

    @classmethod
    def from_rrule(cls, rrule: Rule | RuleSet) -> RRuleSchedule:
        """Make a schedule from a rule of dateutil.

        Args:
            rrule: The rule; the timezone of its start is the schedule's.
        """
        rules: list[Any] = [rrule] if hasattr(rrule, "_dtstart") else getattr(rrule, "_rrule", [])
        zones = {getattr(rule._dtstart.tzinfo, "key", None) or _name_of(rule._dtstart) for rule in rules}
        if len(zones) > 1:
            raise ValueError(f"All rules must have the same timezone, but got {sorted(zones)}")
        return cls(rrule=_text_of(rrule), timezone=zones.pop() if zones else "UTC")

    def to_rrule(self) -> Rule | RuleSet:
        """Return the rule as dateutil has it; its times are those of the clock on the wall."""
        return _parse(self.rrule)


class NoSchedule(Schema, forbid_unknown_fields=True):
    """No schedule at all."""


if TYPE_CHECKING:
    AnySchedule = IntervalSchedule | CronSchedule | RRuleSchedule
else:
    # msgspec has no unions of such structs: fields of this type are read by `read_schedule`.
    AnySchedule = Any

_KINDS: dict[str, type[IntervalSchedule] | type[CronSchedule] | type[RRuleSchedule]] = {
    "interval": IntervalSchedule,
    "cron": CronSchedule,
    "rrule": RRuleSchedule,
}


def is_schedule_type(obj: Any) -> TypeGuard[IntervalSchedule | CronSchedule | RRuleSchedule | NoSchedule]:
    """Return whether an object is a schedule."""
    return isinstance(obj, IntervalSchedule | CronSchedule | RRuleSchedule | NoSchedule)


def read_schedule(value: Any) -> AnySchedule:
    """Return the schedule that a value holds.

    Args:
        value: A schedule, or a mapping with its fields.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, IntervalSchedule | CronSchedule | RRuleSchedule):
        return value
    if isinstance(value, dict):
        for key, kind in _KINDS.items():
            if key in value:
                return lenient.convert(value, kind)
    raise ValueError("A schedule needs an interval, a cron expression or an rrule")


def construct_schedule(
    interval: int | float | timedelta | None = None,
    anchor_date: datetime | str | None = None,
    cron: str | None = None,
    rrule: str | None = None,
    timezone: str | None = None,
) -> AnySchedule:
    """Make a schedule from one of an interval, a cron expression and a rule.

    Args:
        interval: A duration, or seconds.
        anchor_date: What an interval counts from.
        cron: A cron expression.
        rrule: An iCalendar recurrence rule.
        timezone: The timezone that the schedule is in.

    Raises:
        ValueError: None or several are given, or what is given does not fit.
    """
    given = [one for one in (interval, cron, rrule) if one is not None]
    if len(given) > 1:
        raise ValueError("Only one of interval, cron, or rrule can be provided.")
    if anchor_date is not None and interval is None:
        raise ValueError("An anchor date can only be provided with an interval schedule")
    if timezone is not None and not given:
        raise ValueError("A timezone can only be provided with interval, cron, or rrule")
    if interval is not None:
        fields: dict[str, Any] = {"interval": interval, "timezone": timezone}
        if anchor_date is not None:
            fields["anchor_date"] = anchor_date
        return IntervalSchedule(**fields)
    if cron is not None:
        return CronSchedule(cron=cron, timezone=timezone)
    if rrule is not None:
        return RRuleSchedule(rrule=rrule, timezone=timezone)
    raise ValueError("Either interval, cron, or rrule must be provided")


def _check_timezone(name: str | None) -> None:
    if name is not None and not is_valid_timezone(name):
        raise ValueError(
            f'Invalid timezone: "{name}" (specify in IANA tzdata format, for example, America/New_York)'
        )


def _parse(text: str) -> Rule | RuleSet:
    """Read a rule as the interface does: all its times are on the wall, also those that name a timezone."""
    from dateutil.rrule import rrulestr  # noqa: PLC0415 - takes long to load

    on_the_wall = _UTC_IN_RULE.sub(r"\1", _ZONE_OF_RULE.sub("", text))
    try:
        rule = rrulestr(on_the_wall, dtstart=FIRST_RRULE_DATE)
        for one in getattr(rule, "_rrule", (rule,)):
            _check_days(one)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f'Invalid RRule string "{text}": {error}') from error
    return rule


def _check_days(rule: Any) -> None:
    """Refuse a rule for days that no calendar has.

    Whoever asked for its next time would look through all seconds until the end of the calendar. Here it is
    asked for years, whose days are looked through at once.
    """
    from dateutil.rrule import MONTHLY, YEARLY  # noqa: PLC0415 - takes long to load

    if any(rule._original_rule.get(name) for name in _DAYS_OF_RULE):
        # Without days, rules of months and years come on the day of their start; others come on any.
        first = rule._dtstart if rule._freq in (MONTHLY, YEARLY) else rule._dtstart.replace(day=1)
        yearly = rule.replace(freq=YEARLY, interval=1, count=1, until=None, bysetpos=None, dtstart=first)
        if next(iter(yearly), None) is None:
            raise ValueError("its days never come")


def _name_of(moment: datetime) -> str:
    name = moment.tzname()
    return name if name is not None and is_valid_timezone(name) else "UTC"


def _text_of(rule: Any) -> str:
    if hasattr(rule, "_dtstart"):
        return str(rule)
    lines: list[str] = []
    for one in rule._rrule:
        lines += [line for line in str(one).splitlines() if line not in lines]
    lines += [f"RDATE:{date:%Y%m%dT%H%M%S}" for date in rule._rdate]
    lines += [f"EXRULE:{str(one).rpartition('RRULE:')[2]}" for one in rule._exrule]
    lines += [f"EXDATE:{date:%Y%m%dT%H%M%S}" for date in rule._exdate]
    return "\n".join(lines)
