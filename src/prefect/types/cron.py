"""Cron expressions: which points of the clock on the wall they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

__all__ = ["CronExpression"]

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (0, 59))
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name: number for number, name in enumerate(_DAYS)
}
_RANGE = re.compile(r"(\w+)-(\w+)(?:/(\d+))?$")
_DAY, _WEEKDAY = 2, 4
_PROBE = datetime(2000, 1, 1)
_TICK = timedelta(microseconds=1)


class CronExpression:
    """A cron expression of five fields, or six with seconds as the last.

    Where both the day of the month and the day of the week are restricted, a day must fit one of them, or
    both if `day_or` is False.

    Args:
        text: The expression, or a name such as `@daily`.
        day_or: Whether one of the two is enough.

    Raises:
        ValueError: It is no cron expression, or one that never comes true.
    """

    def __init__(self, text: str, day_or: bool = True) -> None:
        fields = _ALIASES.get(text.strip().lower(), text).split()
        if any(field[:1].upper() == "R" and field[1:2] in ("", "(") for field in fields):
            raise ValueError(f'Random and Hashed expressions are unsupported, received: "{text}"')
        if len(fields) not in (5, 6):
            raise ValueError(f'Invalid cron string: "{text}"')
        fields = [_plain(field, *bounds) for field, bounds in zip(fields, _BOUNDS, strict=False)]
        self._is_one_enough = day_or
        self._texts = _split(fields)
        try:
            for part in self._texts:
                CronSim(part, _PROBE)
        except CronSimError as error:
            raise ValueError(f'Invalid cron string: "{text}"') from error

    def from_(self, start: datetime) -> Iterator[datetime]:
        """Give all its times, in order.

        Args:
            start: The first that may be given, without a timezone.
        """
        if len(self._texts) == 2 and not self._is_one_enough:
            return _both(self._texts[0], self._texts[1], start)
        streams = [iter(CronSim(text, start - _TICK)) for text in self._texts]
        return streams[0] if len(streams) == 1 else _either(*streams)


def _plain(field: str, least: int, most: int) -> str:
    """Write a field with what the parser knows: no `?`, no `L5` for `5L`, no range that starts over."""
    if field == "?":
        return "*"
    return ",".join(_plain_part(part, least, most) for part in field.split(","))


def _plain_part(part: str, least: int, most: int) -> str:
    if len(part) == 2 and part[0] in "Ll" and part[1].isdigit():
        return f"{part[1]}L"
    if (found := _RANGE.match(part)) is None:
        return part
    first, last = (_NAMES.get(end.upper(), end) for end in found.group(1, 2))
    if not (str(first).isdigit() and str(last).isdigit() and int(first) > int(last)):
        return part
    if int(first) > most or int(last) < least:
        return part
    around = [*range(int(first), most + 1), *range(least, int(last) + 1)]
    return ",".join(str(value) for value in around[:: int(found[3] or 1) or 1])


def _split(fields: list[str]) -> list[str]:
    """Return one expression, or two where days of both kinds are restricted."""
    seconds = fields[5:]
    day, weekday = fields[_DAY], fields[_WEEKDAY]
    if "*" in (day, weekday):
        return [" ".join(seconds + fields[:5])]
    days, weekdays = list(fields), list(fields)
    days[_WEEKDAY] = weekdays[_DAY] = "*"
    return [" ".join(seconds + given[:5]) for given in (days, weekdays)]


def _either(one: Iterator[datetime], other: Iterator[datetime]) -> Iterator[datetime]:
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        first = min(moment for moment in (left, right) if moment is not None)
        yield first
        if left == first:
            left = next(one, None)
        if right == first:
            right = next(other, None)


def _both(one: str, other: str, start: datetime) -> Iterator[datetime]:
    """Jump from one to the other: days that fit both may be a year of minutes apart."""
    while True:
        left = next(CronSim(one, start - _TICK), None)
        right = None if left is None else next(CronSim(other, left - _TICK), None)
        if left is None or right is None:
            return
        if left == right:
            yield left
        start = right if left < right else left + _TICK
