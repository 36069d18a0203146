"""When triggers fire: what a trigger remembers, and an event or the time, give firings and a new memory.

A trigger remembers in buckets, one for each combination of the values of `for_each`. Nothing here reads a
clock or a store: the caller looks buckets up, and keeps those that are given back.

- A *reactive* trigger counts what it expects. A bucket begins with the first of these, or after an event of
  `after`; events from `within` seconds later on are none of its. The event that makes it `threshold` fires. A
  bucket that began by itself then stays silent until its time is over, so that a trigger fires once in
  `within`; one that began after an event is over, and waits for such an event again.
- A *proactive* trigger fires when the time of a bucket is over and less than `threshold` came. A bucket that
  began after an event is over then, and when enough came. One that began with what is expected is followed
  by the next as long as enough comes, and is over when it fires. With neither `after` nor `for_each` there is
  one after the other, from when the trigger is first looked at.
  One that fired is *resolved* when enough of what is expected comes after all.
- A *compound* trigger fires when enough of its triggers have fired within its time, a *sequence* when all
  have, in their order. What made it fire is used up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from prefect.rules.trigger_matching import begins, covers, expects, labels_of
from prefect.schemas.automations import CompoundTrigger, EventTrigger, Posture, SequenceTrigger, Trigger
from prefect.schemas.base import encode_json
from prefect.schemas.events import ReceivedEvent
from prefect.types import aware

__all__ = ["Bucket", "Firing", "Key", "Step", "keys_of", "on_event", "on_time"]

_FIRST, _LAST = (each.replace(tzinfo=UTC) for each in (datetime.min, datetime.max))
KEPT_FIRED = timedelta(days=30)
"""How long a trigger that fired waits to be resolved."""
_FIRED = "fired "
"""What the keys begin with of buckets that remember that a trigger fired, and wait for what was expected."""
ONLY = "{}"
"""The key of a trigger's bucket where it has one for all events."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """That a trigger fired."""

    trigger_id: UUID
    at: datetime
    """When what made it fire occurred, or its time was over."""
    labels: dict[str, str] = {}
    """What its bucket is about, by the names in `for_each`."""
    event: ReceivedEvent | None = None
    """The last event that counted; None: none did."""


class Bucket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a trigger remembers."""

    start: datetime
    end: datetime | None = None
    """When its time is over; None: never."""
    labels: dict[str, str] = {}
    count: int = 0
    is_silent: bool = False
    """Whether it has fired."""
    event: ReceivedEvent | None = None
    """The last event that counted, or with which it began."""
    firings: dict[str, list[Firing]] = {}
    """Of a compound trigger, what its triggers fired, by their ids; of a sequence, the beginnings of it that
    there were, by their lengths."""


Key = tuple[UUID, str]
"""Which bucket: a trigger's id, and the labels as JSON."""


class Step(NamedTuple):
    """What becomes of an event, or of the time."""

    buckets: dict[Key, Bucket | None]
    """The buckets that changed; None: it is over."""
    firings: list[Firing]
    """How often the trigger as a whole fired."""
    resolutions: list[Firing]
    """How often what it had missed came after all."""


def keys_of(trigger: Trigger, event: ReceivedEvent) -> Iterator[Key]:
    """Give the keys of the buckets that a trigger may look at when it sees an event.

    Args:
        trigger: The trigger.
        event: The event.
    """
    if isinstance(trigger, EventTrigger):
        if covers(trigger, event):
            text = _text(labels_of(trigger, event))
            yield trigger.id, text
            if trigger.posture is Posture.PROACTIVE:
                yield trigger.id, _FIRED + text
        return
    yield trigger.id, ONLY
    for inner in trigger.triggers:
        yield from keys_of(inner, event)


def on_event(trigger: Trigger, event: ReceivedEvent, look: Callable[[Key], Bucket | None]) -> Step:
    """Have a trigger see an event.

    Args:
        trigger: The trigger.
        event: The event.
        look: Gives a bucket as it was; None where there is none.
    """
    memory = _Memory(look)
    firings = list(_see(memory, trigger, event))
    _note(memory, trigger, firings)
    return Step(memory.changes, firings, list(_resolve(memory, trigger, event)))


def on_time(
    trigger: Trigger, now: datetime, due: Mapping[Key, Bucket], look: Callable[[Key], Bucket | None]
) -> Step:
    """Have a trigger see what time it is.

    Args:
        trigger: The trigger.
        now: The time.
        due: Its buckets whose time is over by then.
        look: Gives a bucket as it was; None where there is none.
    """
    memory = _Memory(look)
    firings = list(_wait(memory, trigger, now, due))
    _note(memory, trigger, firings)
    return Step(memory.changes, firings, [])


class _Memory:
    """The buckets as they are meanwhile."""

    def __init__(self, look: Callable[[Key], Bucket | None]) -> None:
        self._look = look
        self.changes: dict[Key, Bucket | None] = {}

    def __getitem__(self, key: Key) -> Bucket | None:
        return self.changes[key] if key in self.changes else self._look(key)

    def __setitem__(self, key: Key, bucket: Bucket | None) -> None:
        self.changes[key] = bucket


# --- events -------------------------------------------------------------------------------------------------


def _see(memory: _Memory, trigger: Trigger, event: ReceivedEvent) -> Iterator[Firing]:
    if isinstance(trigger, EventTrigger):
        if covers(trigger, event):
            count = _react if trigger.posture is Posture.REACTIVE else _expect
            yield from count(memory, trigger, event)
        return
    for place, inner in enumerate(trigger.triggers):
        for firing in _see(memory, inner, event):
            yield from _combine(memory, trigger, place, firing)


def _react(memory: _Memory, trigger: EventTrigger, event: ReceivedEvent) -> Iterator[Firing]:
    labels = labels_of(trigger, event)
    key = trigger.id, _text(labels)
    at = aware(event.occurred)
    bucket = memory[key]
    if bucket is not None and bucket.end is not None and at >= bucket.end:
        bucket = memory[key] = None
    if bucket is None:
        if trigger.after:
            if begins(trigger, event):
                memory[key] = _begun(trigger, at, labels, event)
            return
        if not expects(trigger, event):
            return
        bucket = _begun(trigger, at, labels, event)
    elif bucket.is_silent or not expects(trigger, event) or (trigger.after and at < bucket.start):
        return
    bucket = _counted(bucket, event)
    if bucket.count < trigger.threshold:
        memory[key] = bucket
        return
    yield Firing(trigger_id=trigger.id, at=at, labels=labels, event=event)
    if trigger.after:
        memory[key] = _begun(trigger, at, labels, event) if begins(trigger, event) else None
    elif trigger.within:
        memory[key] = msgspec.structs.replace(bucket, is_silent=True)
    else:
        memory[key] = None


def _expect(memory: _Memory, trigger: EventTrigger, event: ReceivedEvent) -> Iterator[Firing]:
    labels = labels_of(trigger, event)
    key = trigger.id, _text(labels)
    at = aware(event.occurred)
    while (bucket := memory[key]) is not None and bucket.end is not None and at >= bucket.end:
        # It was over before, and nobody looked.
        yield from _close(memory, trigger, key, bucket)
    if bucket is None:
        if begins(trigger, event) if trigger.after else expects(trigger, event):
            begun = _begun(trigger, at, labels, event)
            memory[key] = begun if trigger.after else _counted(begun, event)
        return
    if at < bucket.start or not expects(trigger, event):
        return
    bucket = _counted(bucket, event)
    if not trigger.after or bucket.count < trigger.threshold:
        memory[key] = bucket
    else:
        # A sign of life is both: the one that was waited for, and what the next is waited for after.
        memory[key] = _begun(trigger, at, labels, event) if begins(trigger, event) else None


def _begun(
    trigger: EventTrigger, at: datetime, labels: dict[str, str], event: ReceivedEvent | None
) -> Bucket:
    end = _moved(at, timedelta(seconds=trigger.within)) if trigger.within else None
    return Bucket(start=at, end=end, labels=labels, event=event)


def _counted(bucket: Bucket, event: ReceivedEvent) -> Bucket:
    return msgspec.structs.replace(bucket, count=bucket.count + 1, event=event)


# --- time ---------------------------------------------------------------------------------------------------


def _wait(memory: _Memory, trigger: Trigger, now: datetime, due: Mapping[Key, Bucket]) -> Iterator[Firing]:
    mine = [(key, bucket) for key, bucket in due.items() if key[0] == trigger.id]
    if not isinstance(trigger, EventTrigger):
        for place, inner in enumerate(trigger.triggers):
            for firing in _wait(memory, inner, now, due):
                yield from _combine(memory, trigger, place, firing)
        for key, bucket in mine:
            # Older than what may still become something, and nothing came to it now.
            memory[key] = None if memory[key] is bucket else memory[key]
        return
    is_proactive = trigger.posture is Posture.PROACTIVE
    for key, bucket in mine:
        if key[1].startswith(_FIRED):
            memory[key] = None
            continue
        open_: Bucket | None = bucket
        while open_ is not None and open_.end is not None and open_.end <= now:
            if is_proactive:
                yield from _close(memory, trigger, key, open_)
                open_ = memory[key]
            else:
                open_ = memory[key] = None
    if is_proactive and not trigger.after and not trigger.for_each and memory[trigger.id, ONLY] is None:
        memory[trigger.id, ONLY] = _begun(trigger, now, {}, None)


def _close(memory: _Memory, trigger: EventTrigger, key: Key, bucket: Bucket) -> Iterator[Firing]:
    """End a bucket of a proactive trigger."""
    assert bucket.end is not None
    if bucket.count < trigger.threshold:
        yield Firing(trigger_id=trigger.id, at=bucket.end, labels=bucket.labels, event=bucket.event)
        memory[key] = None
    elif trigger.after or trigger.threshold < 1:
        # One that waits for nothing never fires, and need not be counted on from where its first event was.
        memory[key] = None
    else:
        memory[key] = _begun(trigger, bucket.end, bucket.labels, bucket.event)


# --- what was missed comes after all ------------------------------------------------------------------------


def _note(memory: _Memory, trigger: Trigger, firings: list[Firing]) -> None:
    """Remember that a trigger which waits for silence fired."""
    if not isinstance(trigger, EventTrigger) or trigger.posture is not Posture.PROACTIVE:
        return
    for firing in firings:
        memory[trigger.id, _FIRED + _text(firing.labels)] = Bucket(
            start=_moved(firing.at, timedelta(seconds=-trigger.within)),
            end=_moved(firing.at, KEPT_FIRED),
            labels=firing.labels,
        )


def _resolve(memory: _Memory, trigger: Trigger, event: ReceivedEvent) -> Iterator[Firing]:
    if not isinstance(trigger, EventTrigger) or trigger.posture is not Posture.PROACTIVE:
        return
    if not covers(trigger, event) or not expects(trigger, event):
        return
    labels = labels_of(trigger, event)
    key = trigger.id, _FIRED + _text(labels)
    fired, at = memory[key], aware(event.occurred)
    if fired is None or at < fired.start:
        return
    fired = _counted(fired, event)
    if fired.count < trigger.threshold:
        memory[key] = fired
        return
    memory[key] = None
    yield Firing(trigger_id=trigger.id, at=at, labels=labels, event=event)


# --- triggers of triggers -----------------------------------------------------------------------------------


def _combine(
    memory: _Memory, trigger: CompoundTrigger | SequenceTrigger, place: int, firing: Firing
) -> Iterator[Firing]:
    """Note that one of the triggers within a trigger fired."""
    key = trigger.id, ONLY
    bucket = memory[key]
    since = None if trigger.within is None else _moved(firing.at, timedelta(seconds=-trigger.within))
    kept = {} if bucket is None else bucket.firings
    # The oldest of what is kept together is the first.
    kept = {name: found for name, found in kept.items() if since is None or found[0].at >= since}
    if isinstance(trigger, SequenceTrigger):
        done = _in_sequence(kept, place, firing, len(trigger.triggers))
    else:
        kept[str(trigger.triggers[place].id)] = [firing]
        wanted = {"any": 1, "all": len(trigger.triggers)}
        required = trigger.require if isinstance(trigger.require, int) else wanted[trigger.require]
        done = [found[0] for found in kept.values()] if len(kept) >= required else []
    if done:
        labels = {name: value for one in done for name, value in one.labels.items()}
        memory[key] = None
        yield Firing(trigger_id=trigger.id, at=firing.at, labels=labels, event=firing.event)
        return
    end = (
        None
        if trigger.within is None
        else _moved(firing.at, timedelta(seconds=trigger.within, microseconds=1))
    )
    memory[key] = Bucket(start=firing.at, end=end, firings=kept) if kept else None


def _in_sequence(kept: dict[str, list[Firing]], place: int, firing: Firing, length: int) -> list[Firing]:
    """Go on with the beginning that is as long as it must be; return the sequence that is whole, if it is.

    Of beginnings of one length the one that began last is kept: what another would become, it becomes too.
    """
    before = kept.get(str(place), [])
    if place and not before:
        return []
    longer = [*before, firing]
    if len(longer) == length:
        return longer
    kept[str(place + 1)] = longer
    return []


def _moved(at: datetime, by: timedelta) -> datetime:
    # Who sends an event says when it was: it may be where the calendar begins or ends.
    try:
        return at + by
    except OverflowError:
        return _LAST if by > timedelta() else _FIRST


def _text(labels: Mapping[str, str]) -> str:
    return encode_json(labels).decode()
