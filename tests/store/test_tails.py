"""Who follows events is told each once, however late a transaction ends."""

from __future__ import annotations

import pytest

from prefect.schemas.events import Event
from prefect.schemas.filters.events import EventFilter
from prefect.store.events import insert_events
from prefect.store.tails import LATEST_SECONDS, EventTail
from prefect.types import now, uuid7
from stores import postgres_store, sqlite_store, store

__all__ = ["postgres_store", "sqlite_store", "store"]


def an_event(name):
    return Event(id=uuid7(), occurred=now(), event=name, resource={"prefect.resource.id": "r"})


def write(store, *events):
    with store.transaction() as connection:
        insert_events(connection, events, now())


def names(events):
    return [event.event for event in events]


def test_only_what_comes_is_read_and_each_once(store):
    old, new = an_event("old"), an_event("new")
    write(store, old)
    tail = EventTail(store)
    tail.start()

    assert tail.read() == []
    write(store, old, new, an_event("newer"))
    assert names(tail.read()) == ["new", "newer"]
    write(store, old, new)
    assert tail.read() == []
    assert names(event for _, event in tail.stored(EventFilter(), tail.mark, None, 10)) == [
        "old",
        "new",
        "newer",
    ]


@pytest.mark.postgres
def test_what_was_written_before_but_appears_later_is_read_too(postgres_store):
    seconds = [0.0]
    tail = EventTail(postgres_store, clock=lambda: seconds[0])
    tail.start()

    with postgres_store.transaction() as slow:
        insert_events(slow, [an_event("slow.1"), an_event("slow.2")], now())
        write(postgres_store, an_event("quick"))
        assert names(tail.read()) == ["quick"]
        mark = tail.mark
    stored = [event.event for _, event in tail.stored(EventFilter(), mark, None, 1000)]
    assert "quick" in stored
    assert not {"slow.1", "slow.2"} & set(stored)
    assert names(tail.read()) == ["slow.1", "slow.2"]
    assert tail.read() == []


@pytest.mark.postgres
def test_what_never_appears_is_not_waited_for_for_ever(postgres_store):
    seconds = [0.0]
    tail = EventTail(postgres_store, clock=lambda: seconds[0])
    tail.start()
    once = an_event("once")
    for _ in range(120):
        write(postgres_store, once)
        write(postgres_store, an_event("more"))

    assert names(tail.read()) == ["once"] + ["more"] * 120
    assert tail.mark.gaps
    seconds[0] = LATEST_SECONDS + 1
    assert tail.read() == []
    assert not tail.mark.gaps
