"""Triggers and events from where the calendar begins and ends: who sends an event says when it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from prefect.rules.triggers import Bucket, Firing, Key, Step, on_event, on_time
from prefect.schemas.automations import CompoundTrigger, EventTrigger, Posture, SequenceTrigger, Trigger
from prefect.schemas.events import ReceivedEvent

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIRST, LAST = (each.replace(tzinfo=UTC) for each in (datetime.min, datetime.max))


def _event(occurred: datetime) -> ReceivedEvent:
    resource = {"prefect.resource.id": "r"}
    return ReceivedEvent(id=UUID(int=0), occurred=occurred, received=NOW, event="e", resource=resource)


def _triggers() -> list[Trigger]:
    def reactive() -> EventTrigger:
        return EventTrigger(posture=Posture.REACTIVE, expect=["e"], within=60)

    return [
        reactive(),
        EventTrigger(posture=Posture.PROACTIVE, expect=["e"], within=60),
        EventTrigger(posture=Posture.PROACTIVE, expect=["never"], after=["e"], within=60),
        CompoundTrigger(require="all", within=60, triggers=[reactive(), reactive()]),
        SequenceTrigger(within=60, triggers=[reactive(), reactive()]),
    ]


@pytest.mark.parametrize("trigger", _triggers(), ids=["reactive", "proactive", "after", "all", "sequence"])
def test_events_of_all_times_are_seen(trigger: Trigger) -> None:
    buckets: dict[Key, Bucket | None] = {}
    fired: list[Firing] = []

    def keep(step: Step) -> None:
        buckets.update(step.buckets)
        fired.extend(step.firings)

    for occurred in (NOW, LAST, LAST, FIRST, FIRST, LAST, NOW + timedelta(hours=1)):
        keep(on_event(trigger, _event(occurred), buckets.get))
        over = {key: one for key, one in buckets.items() if one and one.end and one.end <= LAST}
        keep(on_time(trigger, LAST, over, buckets.get))

    assert fired


@pytest.mark.timeout(60)
def test_what_waits_for_nothing_does_not_count_from_the_beginning_of_time() -> None:
    trigger = EventTrigger(posture=Posture.PROACTIVE, expect=["e"], within=10, threshold=0)
    begun = on_event(trigger, _event(FIRST), lambda key: None).buckets

    step = on_event(trigger, _event(NOW), begun.get)

    assert not step.firings
    assert [bucket and bucket.start for bucket in step.buckets.values()] == [NOW]
