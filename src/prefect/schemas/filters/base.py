"""What all filters share.

A filter holds criteria; a criterion holds tests. What is None does not count. All of them must hold, unless
the `operator` says that one is enough.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from prefect.schemas.base import Schema, whole
from prefect.types import aware

__all__ = ["Filter", "Moment", "Operator", "read_moment"]

if TYPE_CHECKING:
    Moment = datetime
else:
    # A date is a time too, which msgspec has no hook for: `read_moment` reads fields of this type.
    Moment = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "string", "format": "date-time"})]


class Operator(StrEnum):
    """How several criteria are put together."""

    and_ = "and_"
    """All of them hold."""
    or_ = "or_"
    """At least one of them holds."""


class Filter(Schema, forbid_unknown_fields=True):
    """Base of the filters; criteria may be given as dicts, and ids and times as text."""

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            value = getattr(self, name)
            if value is not None:
                if kind == Moment | None:
                    setattr(self, name, read_moment(value))
                else:
                    setattr(self, name, msgspec.convert(value, whole(kind), strict=False))


def read_moment(value: Any) -> datetime:
    """Read a time; one without a zone is in UTC, and a date is its midnight.

    Args:
        value: A time, or what stands for one in JSON: ISO 8601, whole or in part, or how many seconds or
            milliseconds it is since 1970.

    Raises:
        ValueError: It stands for none.
    """
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return aware(_read(value))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} is no time: it should be as 2026-01-31T08:15:00Z") from error


def _read(value: Any) -> datetime:
    try:
        return msgspec.convert(value, datetime, strict=False)
    except msgspec.ValidationError:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise
    try:
        milliseconds = float(value)
    except ValueError:
        # A date alone, minutes without seconds and other forms of ISO 8601 that are none of RFC 3339.
        return datetime.fromisoformat(str(value))
    return msgspec.convert(milliseconds / 1000, datetime, strict=False)


@cache
def _kinds(cls: type[Filter]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(cls)}
