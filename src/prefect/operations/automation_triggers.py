"""Following the events: which automations they trigger, and what is to be done therefore.

One row says up to which event all servers together have come. Whoever goes on locks it, and in one
transaction reads what comes next, has the triggers see it, keeps what they remember, tells of those that
fired, notes what is to be done, and moves the row on. So each event is seen once, by whichever process, and
what fired is neither lost nor done twice when a process ends in between.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Text, delete, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from prefect.rules.triggers import Bucket, Firing, Key, Step, keys_of, on_event, on_time
from prefect.schemas.automations import Action, Automation, CallWebhook, SendNotification
from prefect.schemas.base import encode_json, jsonable, whole
from prefect.schemas.events import Event, ReceivedEvent
from prefect.schemas.triggered import TriggeredAction, labels_of_automation
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.events import insert_events
from prefect.store.records import Records
from prefect.store.tables import (
    automation_actions,
    automation_buckets,
    automations,
    event_followers,
    events,
)
from prefect.store.tails import EventTail, Mark
from prefect.store.values import read_id, time_or_none
from prefect.types import aware, format_utc, uuid7

__all__ = ["begin_following", "follow_events", "forget_buckets", "has_automations", "sends_message"]

logger = logging.getLogger("prefect.server.automations")
_held: set[UUID] = set()
"""The automations of which was said that they are held back."""

FOLLOWER = "automations"
ON_THEIR_WAY = timedelta(seconds=2)
"""How long after its time is over a trigger that waits for silence is asked: events may be on their way."""
MOST_WAITING = 1000
"""While so many actions wait to be done, no further events are looked at: they are not lost."""
_MESSAGES = tuple(str(kind.__struct_config__.tag) for kind in (SendNotification, CallWebhook))
DEEPEST = 3
"""How many automations may be set off one by what is told of another. Each step multiplies the events."""

_automations = Records(automations, Automation)
_bucket_json = msgspec.json.Decoder(whole(Bucket))
_mark_json = msgspec.json.Decoder(whole(Mark))


def follow_events(store: Store, at: datetime) -> int:
    """Have the triggers of all automations see the events that came, and the time.

    Args:
        store: The store.
        at: The current time.

    Returns:
        How many triggers fired.
    """
    fired = 0
    while _is_due(store, at):
        with store.transaction() as connection:
            some, is_all = _go_on(connection, at)
        fired += some
        if is_all:
            break
    return fired


def has_automations(store: Store) -> bool:
    """Return whether there is anything to follow the events for, or anything left to do.

    Args:
        store: The store.
    """
    enabled = exists().where(automations.c.enabled)
    others = (exists().select_from(table) for table in (event_followers, automation_actions))
    return bool(store.select(select(or_(enabled, *others)))[0][0])


def begin_following(connection: Connection, at: datetime) -> None:
    """Follow the events from now on, if nobody does: there was no automation that needed it.

    Args:
        connection: A connection that may write.
        at: The current time.
    """
    tail = EventTail(connection, at.timestamp)
    tail.start()
    values = {"name": FOLLOWER, "mark": encode_json(tail.mark).decode()}
    connection.execute(insert(event_followers).values(values).on_conflict_do_nothing())


def forget_buckets(connection: Connection, automation_id: UUID) -> None:
    """Have an automation remember nothing of what came until now.

    Args:
        connection: A connection that may write.
        automation_id: Which.
    """
    buckets = automation_buckets
    connection.execute(delete(buckets).where(buckets.c.automation_id == automation_id.hex))


def sends_message() -> ColumnElement[bool]:
    """Return the condition that an action in the store sends a message.

    Where it is true of another action too, because what made the trigger fire looks alike, no harm is done:
    who takes an action can do all.
    """
    action = automation_actions.c.action.cast(Text)
    return or_(*(action.contains(f'"action":{{"type":"{tag}"', autoescape=True) for tag in _MESSAGES))


def _is_due(store: Store, at: datetime) -> bool:
    """Look, at little cost, whether there may be anything to do."""
    rows = store.select(
        select(
            select(event_followers.c.mark).where(event_followers.c.name == FOLLOWER).scalar_subquery(),
            select(func.max(events.c.position)).scalar_subquery(),
            select(func.min(automation_buckets.c.due)).scalar_subquery(),
            exists().where(automations.c.enabled),
        )
    )
    written, newest, due, is_any = rows[0]
    if written is None:
        return bool(is_any)
    mark = _mark_json.decode(written)
    first = time_or_none(due)
    is_over = first is not None and first <= at - ON_THEIR_WAY
    return not is_any or is_over or bool(mark.gaps) or mark.position < (newest or 0)


def _go_on(connection: Connection, at: datetime) -> tuple[int, bool]:
    """Deal with some of the events; return how many triggers fired, and whether there is no more to do."""
    followers = event_followers
    mine = followers.c.name == FOLLOWER
    # Another process that is at it is not waited for.
    rows = connection.select(select(followers.c.mark).where(mine).with_for_update(skip_locked=True))
    enabled = _automations.all(
        connection,
        _automations.select(automations.c.enabled).order_by(automations.c.created, automations.c.id),
    )
    if not rows:
        if enabled:
            begin_following(connection, at)
        return 0, True
    if not enabled:
        connection.execute(delete(followers).where(mine))
        return 0, True
    # Messages are not waited for: services of others may not answer, which is no reason to do nothing else.
    wait = select(func.count()).select_from(automation_actions).where(not_(sends_message()))
    waiting = connection.select(wait)[0][0]
    if waiting >= MOST_WAITING:
        logger.warning("%d actions of automations wait to be done; events wait for them.", waiting)
        return 0, True
    tail = EventTail(connection, at.timestamp, _mark_json.decode(rows[0][0]))
    before = tail.mark
    come = tail.read()
    evaluation = _Evaluation(connection, at)
    seen = [(each, event) for event in come for each in enabled if _may_trigger(event, each)]
    evaluation.read(seen)
    for automation, event in seen:
        evaluation.see(automation, event)
    if not come:
        evaluation.wait(enabled)
    evaluation.keep()
    if tail.mark != before:
        mark = encode_json(tail.mark).decode()
        connection.execute(followers.update().where(mine).values(mark=mark))
    return evaluation.fired, not come


def _may_trigger(event: ReceivedEvent, automation: Automation) -> bool:
    about = event.resource["prefect.resource.id"]
    if about == f"prefect.automation.{automation.id}":
        # It would set itself off, again and again.
        return False
    if automation.created is not None and event.received < automation.created:
        return False
    if _depth(event) < DEEPEST:
        return True
    if automation.id not in _held:
        # Once: where any event triggers an automation, there are hundreds a second.
        _held.add(automation.id)
        logger.warning(
            "%s was not let trigger %s: automations set each other off. Further events like it are left out "
            "without a word.",
            about,
            automation.name,
        )
    return False


def _depth(event: ReceivedEvent | None) -> int:
    """Return how many automations had one set off the next until this event."""
    if event is None or not event.event.startswith("prefect.automation."):
        return 0
    depth = event.payload.get("depth", 0)
    return depth + 1 if isinstance(depth, int) else 0


class _Evaluation:
    """What becomes of some events.

    Args:
        connection: A connection that may write.
        at: The current time.
    """

    def __init__(self, connection: Connection, at: datetime) -> None:
        self._connection = connection
        self._at = at
        self._buckets: dict[tuple[UUID, Key], Bucket | None] = {}
        self._kept: set[tuple[UUID, Key]] = set()
        """The buckets that are in the store."""
        self._changed: set[tuple[UUID, Key]] = set()
        self._told: list[Event] = []
        self._actions: list[TriggeredAction] = []
        self.fired = 0

    def read(self, seen: Iterable[tuple[Automation, ReceivedEvent]]) -> None:
        """Read all that automations remember of what they are to see: there may be much, but few triggers."""
        wanted: dict[tuple[UUID, UUID], dict[str, None]] = {}
        for automation, event in seen:
            for trigger_id, key in keys_of(automation.trigger, event):
                wanted.setdefault((automation.id, trigger_id), {})[key] = None
        for (owner, trigger_id), keys in wanted.items():
            rows = self._connection.fetch(statements.BUCKETS, _some(owner, trigger_id, keys))
            found = {key: _bucket_json.decode(written) for key, written in rows}
            for key in keys:
                self._found(owner, (trigger_id, key), found.get(key))

    def see(self, automation: Automation, event: ReceivedEvent) -> None:
        """Have an automation see an event."""
        step = on_event(automation.trigger, event, lambda key: self._look(automation.id, key))
        self._take(automation, step)

    def wait(self, enabled: list[Automation]) -> None:
        """Have automations see what time it is."""
        until = self._at - ON_THEIR_WAY
        columns = automation_buckets.c
        rows = self._connection.select(
            select(columns.automation_id, columns.trigger_id, columns.key, columns.bucket)
            .where(columns.due <= format_utc(until))
            .order_by(columns.due)
        )
        due: dict[UUID, dict[Key, Bucket]] = {}
        for automation_id, trigger_id, key, written in rows:
            bucket = _bucket_json.decode(written)
            which: Key = read_id(trigger_id), key
            owner = read_id(automation_id)
            due.setdefault(owner, {})[which] = bucket
            self._found(owner, which, bucket)
        for automation in enabled:
            mine = due.get(automation.id, {})

            def look(key: Key, owner: UUID = automation.id) -> Bucket | None:
                return self._look(owner, key)

            self._take(automation, on_time(automation.trigger, until, mine, look))
        for owner, mine in due.items():
            for which, bucket in mine.items():
                # Of a trigger that is no longer.
                if self._buckets[owner, which] is bucket:
                    self._put(owner, which, None)

    def keep(self) -> None:
        """Write down what the triggers remember, what they fired and what is to be done."""
        old: dict[tuple[UUID, UUID], list[str]] = {}
        for owner, (trigger_id, key) in self._changed & self._kept:
            old.setdefault((owner, trigger_id), []).append(key)
        for (owner, trigger_id), keys in old.items():
            self._connection.write(statements.DROP_BUCKETS, _some(owner, trigger_id, keys))
        rows = []
        for owner, which in self._changed:
            bucket = self._buckets[owner, which]
            if bucket is not None:
                end = None if bucket.end is None else format_utc(bucket.end)
                rows.append((owner.hex, which[0].hex, which[1], end, encode_json(bucket).decode()))
        self._connection.write_many(statements.INSERT_BUCKET, rows)
        insert_events(self._connection, self._told, self._at)
        due = format_utc(self._at)
        actions = [(each.id.hex, due, encode_json(each).decode()) for each in self._actions]
        self._connection.write_many(statements.INSERT_ACTION, actions)

    def _look(self, owner: UUID, which: Key) -> Bucket | None:
        if (owner, which) not in self._buckets:
            trigger_id, key = which
            rows = self._connection.fetch(statements.BUCKETS, _some(owner, trigger_id, [key]))
            self._found(owner, which, _bucket_json.decode(rows[0][1]) if rows else None)
        return self._buckets[owner, which]

    def _found(self, owner: UUID, which: Key, bucket: Bucket | None) -> None:
        self._buckets[owner, which] = bucket
        if bucket is not None:
            self._kept.add((owner, which))

    def _put(self, owner: UUID, which: Key, bucket: Bucket | None) -> None:
        self._buckets[owner, which] = bucket
        self._changed.add((owner, which))

    def _take(self, automation: Automation, step: Step) -> None:
        for which, bucket in step.buckets.items():
            self._put(automation.id, which, bucket)
        for firing in step.firings:
            self.fired += 1
            told = self._tell("triggered", automation, firing)
            self._do(automation, firing, told, automation.actions, firing.event)
            received = ReceivedEvent(**_fields(told), received=self._at)
            after = len(automation.actions)
            self._do(automation, firing, told, automation.actions_on_trigger, received, after)
        for firing in step.resolutions:
            told = self._tell("resolved", automation, firing)
            self._do(automation, firing, told, automation.actions_on_resolve, firing.event)

    def _tell(self, happened: str, automation: Automation, firing: Firing) -> Event:
        told = _event_of(happened, automation, firing, _depth(firing.event), self._at)
        self._told.append(told)
        return told

    def _do(
        self,
        automation: Automation,
        firing: Firing,
        told: Event,
        actions: list[Action],
        event: ReceivedEvent | None,
        first: int = 0,
    ) -> None:
        self._actions += [
            TriggeredAction(
                automation_id=automation.id,
                automation_name=automation.name,
                trigger=automation.trigger,
                action=action,
                action_index=index,
                told=told.id,
                event=event,
                labels=firing.labels,
                depth=_depth(firing.event),
            )
            for index, action in enumerate(actions, first)
        ]


def _some(owner: UUID, trigger_id: UUID, keys: Iterable[str]) -> tuple[str, str, str]:
    """Return the parameters that name some of a trigger's buckets."""
    return owner.hex, trigger_id.hex, encode_json(list(keys)).decode()


def _fields(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Event.__struct_fields__}


def _event_of(happened: str, automation: Automation, firing: Firing, depth: int, at: datetime) -> Event:
    """Return the event which tells that an automation was triggered, or is no longer."""
    related = []
    if firing.event is not None:
        related.append(
            {
                "prefect.resource.id": f"prefect.event.{firing.event.id}",
                "prefect.resource.role": "triggering-event",
            }
        )
    payload = {"triggering_labels": firing.labels, "triggering_event": jsonable(firing.event)}
    return Event(
        id=uuid7(),
        # Not when the trigger fired: what is told now occurs now, and servers may be behind.
        occurred=aware(at),
        event=f"prefect.automation.{happened}",
        resource=labels_of_automation(automation.id, automation.name, automation.trigger),
        related=related,
        payload={**payload, "depth": depth} if depth else payload,
    )
