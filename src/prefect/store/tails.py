"""What was written since one last looked, by whichever process: how servers follow the events and the logs.

PostgreSQL numbers rows when they are written, and shows them when their transaction ends: a lower number may
appear after a higher one. So numbers that are missing are looked for again, for as long as a transaction may
reasonably take. Logs have no number; their ids begin with the time, and the last seconds are looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_, select

from prefect.schemas.events import ReceivedEvent
from prefect.schemas.filters.events import EventFilter
from prefect.schemas.objects import Log
from prefect.store.base import Connection, Store
from prefect.store.codec import log_from_row
from prefect.store.conditions.events import event_conditions
from prefect.store.events import event_from_row
from prefect.store.tables import events, logs
from prefect.store.values import read_id
from prefect.types import format_utc, now

__all__ = ["EventTail", "LogTail", "Mark"]

LATEST_SECONDS = 30.0
"""How long after a later number, at most, a missing one is waited for."""
AT_ONCE = 1000
_MOST_RANGES = 50
_OVERLAP = timedelta(seconds=10)


class _Gap(NamedTuple):
    first: int
    last: int
    noticed: float


class Mark(NamedTuple):
    """Up to where a tail has read."""

    position: int
    gaps: tuple[_Gap, ...]
    """What is not there yet of what is before."""

    def is_behind(self, position: int) -> bool:
        """Whether the tail has still to read a position."""
        return position > self.position or any(gap.first <= position <= gap.last for gap in self.gaps)


class EventTail:
    """Reads events as they are written, each once.

    Args:
        store: The store, or a connection to it.
        clock: Seconds that only go up.
        mark: Up to where another tail has read, by the same clock; None: see `start`.
    """

    def __init__(
        self,
        store: Store | Connection,
        clock: Callable[[], float] = monotonic,
        mark: Mark | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._high = 0 if mark is None else mark.position
        self._gaps: list[_Gap] = [] if mark is None else list(mark.gaps)

    @property
    def mark(self) -> Mark:
        """Up to where it has read."""
        return Mark(self._high, tuple(self._gaps))

    def start(self) -> None:
        """Begin after what is there now."""
        newest = self._store.select(
            select(events.c.position).order_by(events.c.position.desc()).limit(AT_ONCE)
        )
        positions = sorted(row[0] for row in newest)
        self._gaps = []
        self._high = positions[0] if positions else 0
        self._note(positions[1:])

    def read(self) -> list[ReceivedEvent]:
        """Return what has come, in the order in which it was written; at most `AT_ONCE` events."""
        oldest = self._clock() - LATEST_SECONDS
        self._gaps = [gap for gap in self._gaps if gap.noticed > oldest]
        position = events.c.position
        wanted = [position > self._high]
        if len(self._gaps) > _MOST_RANGES:
            wanted.append(position.between(self._gaps[0].first, self._gaps[-1].last))
        else:
            wanted += [position.between(gap.first, gap.last) for gap in self._gaps]
        query = select(events).where(or_(*wanted)).order_by(position).limit(AT_ONCE)
        mark = self.mark
        rows = [row for row in self._store.select(query) if mark.is_behind(row[0])]
        self._note([row[0] for row in rows])
        return [event_from_row(row) for row in rows]

    def _note(self, positions: Sequence[int]) -> None:
        at = self._clock()
        for position in positions:
            if position > self._high:
                if position > self._high + 1:
                    self._gaps.append(_Gap(self._high + 1, position - 1, at))
                self._high = position
            else:
                self._fill(position)

    def _fill(self, position: int) -> None:
        index = next(i for i, gap in enumerate(self._gaps) if gap.first <= position <= gap.last)
        first, last, noticed = self._gaps[index]
        parts = [_Gap(first, position - 1, noticed), _Gap(position + 1, last, noticed)]
        self._gaps[index : index + 1] = [part for part in parts if part.first <= part.last]

    def stored(
        self, filter: EventFilter, until: Mark, after: tuple[datetime, int] | None, limit: int
    ) -> list[tuple[int, ReceivedEvent]]:
        """Return events that were read before a mark, oldest first.

        Args:
            filter: Which.
            until: The mark; what comes after it comes by `read`.
            after: When the last one that is known already occurred, and its position.
            limit: How many, at most.

        Returns:
            Their positions, and the events.
        """
        occurred, position = events.c.occurred, events.c.position
        query = select(events).where(*event_conditions(filter), position <= until.position)
        for gap in until.gaps[:_MOST_RANGES]:
            query = query.where(~position.between(gap.first, gap.last))
        if after is not None:
            at = format_utc(after[0])
            query = query.where(or_(occurred > at, and_(occurred == at, position > after[1])))
        rows = self._store.select(query.order_by(occurred, position).limit(limit))
        return [(row[0], event_from_row(row)) for row in rows]


class LogTail:
    """Reads log records as they are written, each once.

    Args:
        store: The store.
        clock: The current time.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._clock = clock
        self._seen: set[UUID] = set()

    def start(self) -> None:
        """Begin after what is there now."""
        self._seen = set(self._recent())

    def read(self) -> list[Log]:
        """Return what has come, in the order of its ids."""
        recent = self._recent()
        new = [log_id for log_id in recent if log_id not in self._seen][:AT_ONCE]
        if not new:
            self._seen.intersection_update(recent)
            return []
        found: list[Log] = []
        for start in range(0, len(new), 500):
            some = [log_id.hex for log_id in new[start : start + 500]]
            query = select(logs).where(logs.c.id.in_(some)).order_by(logs.c.id)
            found += [log_from_row(row) for row in self._store.select(query)]
        self._seen.intersection_update(recent)
        self._seen.update(new)
        return found

    def _recent(self) -> list[UUID]:
        since = self._clock() - _OVERLAP
        first = UUID(int=int(since.timestamp() * 1000) << 80)
        rows = self._store.select(select(logs.c.id).where(logs.c.id > first.hex).order_by(logs.c.id))
        return [read_id(row[0]) for row in rows]
