"""Operations that find and count events."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, and_, func, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from prefect.exceptions import ObjectUnsupported
from prefect.operations.registry import operation
from prefect.schemas.base import Finite, encode_json, whole
from prefect.schemas.events import Countable, EventCount, EventPage, EventQuery, TimeUnit
from prefect.schemas.filters.events import EventFilter, EventOrder
from prefect.store.base import Store
from prefect.store.conditions.events import event_conditions
from prefect.store.events import event_from_row
from prefect.store.tables import events
from prefect.store.values import read_time
from prefect.types import aware, format_utc

__all__ = ["count_events", "read_events", "read_next_events"]

NEXT_PAGE = "/events/filter/next"
_MOST_SPANS = 1000
_UNITS = {
    TimeUnit.week: timedelta(weeks=1),
    TimeUnit.day: timedelta(days=1),
    TimeUnit.hour: timedelta(hours=1),
    TimeUnit.minute: timedelta(minutes=1),
    TimeUnit.second: timedelta(seconds=1),
}
_A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class _Next(msgspec.Struct):
    """What a page's token says: where the page begins, so that no event is on two or on none."""

    filter: EventFilter
    limit: int
    total: int
    occurred: datetime
    position: int


_decode_token = msgspec.json.Decoder(whole(_Next)).decode


@operation("POST", "/events/filter")
def read_events(store: Store, query: EventQuery) -> EventPage:
    """Return the first page of the events that a filter is about.

    Args:
        store: The store.
        query: The filter, and how long a page is.

    Returns:
        The page; its `next_page` is below the API's prefix, which a server puts before it.
    """
    asked = query.filter or EventFilter()
    total = store.select(select(func.count()).select_from(_found(asked)))[0][0]
    return _page(store, asked, query.limit, int(total), None)


@operation("GET", NEXT_PAGE)
def read_next_events(store: Store, page_token: str) -> EventPage:
    """Return a further page of events.

    Args:
        store: The store.
        page_token: What the page before it said.

    Raises:
        prefect.exceptions.ObjectUnsupported: No page said that.
    """
    try:
        after = _decode_token(urlsafe_b64decode(page_token))
    except (ValueError, msgspec.DecodeError) as error:
        raise ObjectUnsupported(f"{page_token[:100]!r} is no page token.") from error
    return _page(store, after.filter, after.limit, after.total, after)


def _page(store: Store, asked: EventFilter, limit: int, total: int, after: _Next | None) -> EventPage:
    found = _found(asked)
    query = select(found)
    is_ascending = asked.order == EventOrder.ASC
    if after is not None:
        at, position = format_utc(after.occurred), after.position
        occurred = found.c.occurred
        beyond = occurred > at if is_ascending else occurred < at
        on = found.c.position > position if is_ascending else found.c.position < position
        query = query.where(or_(beyond, and_(occurred == at, on)))
    rows = store.select(query.order_by(*_order(found, asked)).limit(limit + 1))
    page = rows[:limit]
    next_page = None
    if page and len(rows) > limit:
        last = _Next(asked, limit, total, read_time(page[-1][2]), page[-1][0])
        next_page = f"{NEXT_PAGE}?page-token={urlsafe_b64encode(encode_json(last)).decode()}"
    return EventPage(events=[event_from_row(row) for row in page], total=total, next_page=next_page)


def _found(asked: EventFilter) -> Any:
    """Return the rows of all events that a filter is about, to select from."""
    query = select(events).where(*event_conditions(asked))
    if asked.resource is None or not asked.resource.distinct:
        return query.subquery()
    place = func.row_number().over(partition_by=events.c.resource_id, order_by=_order(events, asked))
    numbered = query.add_columns(place.label("place")).subquery()
    columns = [column for column in numbered.c if column.name != "place"]
    return select(*columns).where(numbered.c.place == 1).subquery()


def _order(source: Any, asked: EventFilter) -> tuple[Any, ...]:
    columns = (source.c.occurred, source.c.position)
    return columns if asked.order == EventOrder.ASC else tuple(column.desc() for column in columns)


@operation("POST", "/events/count-by/{countable}")
def count_events(
    store: Store,
    countable: Countable,
    filter: EventFilter,
    time_unit: TimeUnit = TimeUnit.day,
    time_interval: Finite = 1.0,
) -> list[EventCount]:
    """Count the events that a filter is about, by what they have in common.

    Args:
        store: The store.
        countable: What they are counted by.
        filter: Which events.
        time_unit: For spans of time, what their length is measured in.
        time_interval: For spans of time, how many of these units they are long.

    Raises:
        prefect.exceptions.ObjectUnsupported: That would be too many spans, or none.
    """
    if countable is Countable.day:
        return _spans(store, filter, TimeUnit.day, 1.0)
    if countable is Countable.time:
        return _spans(store, filter, time_unit, time_interval)
    found = _found(filter)
    value = found.c.event if countable is Countable.event else found.c.resource_id
    occurred = found.c.occurred
    number = func.count().label("number")
    query: Select[Any] = (
        select(value, number, func.min(occurred), func.max(occurred), func.max(found.c.position))
        .group_by(value)
        .order_by(number.desc(), value)
    )
    rows = store.select(query)
    labels = _names(store, [row[4] for row in rows]) if countable is Countable.resource else {}
    return [
        EventCount(
            value=row[0],
            label=labels.get(row[4]) or row[0],
            count=row[1],
            start_time=read_time(row[2]),
            end_time=read_time(row[3]),
        )
        for row in rows
    ]


def _names(store: Store, positions: list[int]) -> dict[int, str]:
    """Return the names of resources, as their newest events say."""
    names = {}
    for start in range(0, len(positions), 500):
        some = positions[start : start + 500]
        for row in store.select(select(events).where(events.c.position.in_(some))):
            if name := event_from_row(row).resource.get("prefect.resource.name"):
                names[row[0]] = name
    return names


class Seconds(FunctionElement[float]):
    """A time as seconds since 1970."""

    name = "seconds"
    inherit_cache = True


@compiles(Seconds, "sqlite")
def _seconds_sqlite(element: Seconds, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"(CAST(strftime('%s', {column}) AS INTEGER) + CAST('0' || substr({column}, 20) AS REAL))"


@compiles(Seconds, "postgresql")
def _seconds_postgresql(element: Seconds, compiler: Any, **options: Any) -> str:
    return f"EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)})::double precision"


def _spans(store: Store, asked: EventFilter, unit: TimeUnit, interval: float) -> list[EventCount]:
    if interval < 0.01:
        raise ObjectUnsupported("Spans of time must be at least 0.01 units long.")
    since, until = aware(asked.occurred.since), aware(asked.occurred.until)
    first = since - (since - _A_MONDAY) % _UNITS[unit]
    span = _UNITS[unit] * interval
    count = max(0, -((first - until) // span))
    if count > _MOST_SPANS:
        raise ObjectUnsupported(
            f"The given interval would create {count} buckets, which is too many. Please increase the "
            f"interval or reduce the time range to produce {_MOST_SPANS} buckets or fewer."
        )
    found = _found(asked)
    place = func.floor((Seconds(found.c.occurred) - first.timestamp()) / span.total_seconds()).label("place")
    # By its name: PostgreSQL takes the expression, with parameters of its own, for another one.
    counted = store.select(select(place, func.count()).group_by(literal_column("place")))
    counts = {int(number): many for number, many in counted}
    return [
        EventCount(
            value=str(number),
            label=(first + number * span).isoformat(),
            count=counts.get(number, 0),
            start_time=first + number * span,
            end_time=first + (number + 1) * span - timedelta(microseconds=1),
        )
        for number in range(count)
    ]
