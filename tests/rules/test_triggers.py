"""When triggers fire: what is laid down for each kind, and what a plain search through all that came says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.triggers import Bucket, Firing, Key, Step, on_event, on_time
from prefect.schemas.automations import CompoundTrigger, EventTrigger, Posture, SequenceTrigger, Trigger
from prefect.schemas.events import ReceivedEvent

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def event(name: str, seconds: float = 0, resource: str = "r", **values: Any) -> ReceivedEvent:
    resources = {"prefect.resource.id": resource, **values.pop("labels", {})}
    return ReceivedEvent(
        id=UUID(int=0), occurred=at(seconds), received=at(seconds), event=name, resource=resources, **values
    )


def reactive(*expect: str, **values: Any) -> EventTrigger:
    return EventTrigger(posture=Posture.REACTIVE, expect=list(expect), **values)


def proactive(*expect: str, **values: Any) -> EventTrigger:
    return EventTrigger(posture=Posture.PROACTIVE, expect=list(expect), **values)


class Watch:
    """A trigger and what it remembers."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.buckets: dict[Key, Bucket] = {}

    def see(self, *events: ReceivedEvent) -> list[Firing]:
        return [firing for each in events for firing in self._take(on_event(self.trigger, each, self._look))]

    def wait(self, seconds: float) -> list[Firing]:
        over = {
            key: bucket for key, bucket in self.buckets.items() if bucket.end and bucket.end <= at(seconds)
        }
        return self._take(on_time(self.trigger, at(seconds), over, self._look))

    def resolve(self, *events: ReceivedEvent) -> list[Firing]:
        """Give what the last of some events resolves."""
        self.see(*events[:-1])
        step = on_event(self.trigger, events[-1], self._look)
        self._take(step)
        return step.resolutions

    def _look(self, key: Key) -> Bucket | None:
        found = self.buckets.get(key)
        # As they are kept: what does not survive that would be missed here.
        return None if found is None else msgspec.json.decode(msgspec.json.encode(found), type=Bucket)

    def _take(self, step: Step) -> list[Firing]:
        for key, bucket in step.buckets.items():
            if bucket is None:
                self.buckets.pop(key, None)
            else:
                self.buckets[key] = bucket
        return step.firings


def times(firings: Sequence[Firing]) -> list[float]:
    return [(firing.at - BEGIN).total_seconds() for firing in firings]


def stream(text: str) -> list[ReceivedEvent]:
    """Give an event for each letter, a second apart."""
    return [event(name, second) for second, name in enumerate(text)]


# --- which events -------------------------------------------------------------------------------------------

FLOW = {"prefect.resource.id": "prefect.flow.1", "prefect.resource.role": "flow", "name": "etl"}
TAG = {"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag"}


@pytest.mark.parametrize(
    ("values", "is_about"),
    [
        ({}, True),
        ({"match": {"prefect.resource.id": "r"}}, True),
        ({"match": {"prefect.resource.id": "r*"}}, True),
        ({"match": {"prefect.resource.id": ["x", "r"]}}, True),
        ({"match": {"prefect.resource.id": "!r"}}, False),
        ({"match": {"prefect.resource.id": "!x"}}, True),
        ({"match": {"prefect.resource.id": "r", "missing": "*"}}, False),
        ({"match_related": {"prefect.resource.role": "flow", "name": "e*"}}, True),
        ({"match_related": {"prefect.resource.role": "tag", "name": "e*"}}, False),
        ({"match_related": [{"name": "etl"}, {"prefect.resource.id": "prefect.tag.x"}]}, True),
        ({"match_related": [{"name": "etl"}, {"prefect.resource.id": "prefect.tag.y"}]}, False),
        ({"expect": ["a*"]}, True),
        ({"expect": ["a"]}, False),
    ],
)
def test_a_trigger_is_about_events_by_names_and_labels(values: dict[str, Any], is_about: bool) -> None:
    watch = Watch(EventTrigger(posture=Posture.REACTIVE, **values))

    assert bool(watch.see(event("a.b", related=[FLOW, TAG]))) is is_about


# --- what the interface does --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "text", "fires"),
    [
        (reactive("a"), "abaa", [0, 2, 3]),
        (reactive("a", threshold=3), "aaaaaaa", [2, 5]),
        (reactive("a", threshold=3, within=60), "aaaaaaa", [2]),
        (reactive("a", within=3), "aaaaaaa", [0, 3, 6]),
        (reactive("a", threshold=2, within=2), "a.a.aa", [5]),
        (reactive("b", after=["a"], within=60), "babbaab", [2, 6]),
        (reactive("b", after=["a"], within=60, threshold=2), "babbbabab", [3, 8]),
        (reactive("b", after=["a"], within=2), "a..b", []),
        (reactive(after=["a"], within=60), "axy", [1]),
    ],
)
def test_a_reactive_trigger_fires(trigger: EventTrigger, text: str, fires: list[float]) -> None:
    assert times(Watch(trigger).see(*stream(text))) == fires


def test_each_combination_of_labels_is_counted_apart() -> None:
    watch = Watch(
        reactive("a", threshold=2, within=60, for_each=["prefect.resource.id", "related:flow:name"])
    )
    seen = [event("a", second, one, related=[FLOW]) for second, one in enumerate("xyxy")]

    fired = watch.see(*seen, event("a", 9, "x"))

    assert [firing.labels for firing in fired] == [
        {"prefect.resource.id": "x", "related:flow:name": "etl"},
        {"prefect.resource.id": "y", "related:flow:name": "etl"},
    ]
    assert fired[0].event == seen[2]


def test_silence_after_an_event_fires_when_the_time_is_over() -> None:
    watch = Watch(proactive("done", after=["start"], within=10, for_each=["prefect.resource.id"]))
    watch.see(event("start", 0, "x"), event("start", 0, "y"), event("done", 9, "y"))

    assert watch.wait(9) == []
    (fired,) = watch.wait(10)
    assert (times([fired]), fired.labels) == ([10], {"prefect.resource.id": "x"})
    # What is left waits for it to come after all.
    assert [key for _, key in watch.buckets] == ['fired {"prefect.resource.id":"x"}']
    assert watch.wait(100) == []


def test_what_comes_too_late_finds_that_the_trigger_has_fired() -> None:
    watch = Watch(proactive("done", after=["start"], within=10))

    assert times(watch.see(event("start", 0), event("done", 10))) == [10]


def test_a_sign_of_life_is_waited_for_after_each() -> None:
    watch = Watch(proactive("beat", after=["beat"], within=10))
    assert watch.see(*(event("beat", second) for second in range(0, 50, 9))) == []

    assert watch.wait(54) == []
    assert times(watch.wait(60)) == [55]
    assert watch.wait(1000) == []


def test_silence_from_the_beginning_fires_for_each_stretch_of_time() -> None:
    watch = Watch(proactive("a", within=10))
    assert watch.wait(0) == []

    assert times(watch.wait(10)) == [10]
    assert watch.see(event("a", 15)) == []
    assert watch.wait(20) == []
    assert times(watch.wait(30)) == [30]


def test_what_was_missed_and_comes_after_all_resolves() -> None:
    watch = Watch(proactive("done", after=["start"], within=10, for_each=["prefect.resource.id"]))
    watch.see(event("start", 0), event("start", 0, "other"))
    assert watch.resolve(event("done", 5)) == []
    assert times(watch.wait(10)) == [10]

    assert watch.resolve(event("done", 20)) == []
    (found,) = watch.resolve(event("done", 25, "other"))
    assert (times([found]), found.labels) == ([25], {"prefect.resource.id": "other"})
    assert watch.resolve(event("done", 26, "other")) == []
    assert not watch.buckets


def test_what_comes_too_late_resolves_at_once() -> None:
    watch = Watch(proactive("done", after=["start"], within=10))
    watch.see(event("start", 0))
    assert times(watch.resolve(event("done", 11))) == [11]


def test_so_many_resolve_as_were_expected() -> None:
    watch = Watch(proactive("beat", within=10, threshold=2))
    watch.wait(0)
    watch.see(event("beat", 1))
    assert times(watch.wait(10)) == [10]
    assert watch.resolve(event("beat", 12)) == []
    assert times(watch.resolve(event("beat", 13))) == [13]


def test_what_is_never_resolved_is_forgotten() -> None:
    watch = Watch(proactive("done", after=["start"], within=10))
    watch.see(event("start", 0))
    assert times(watch.wait(10)) == [10]
    assert watch.wait(31 * 86400) == []
    assert not watch.buckets


def test_what_was_heard_of_once_is_missed_once() -> None:
    watch = Watch(proactive("a", within=10, for_each=["prefect.resource.id"]))
    watch.see(event("a", 0, "x"))

    assert times(watch.wait(500)) == [20]
    assert watch.wait(1000) == []


@pytest.mark.parametrize(
    ("require", "within", "text", "fires"),
    [
        ("any", None, "xyxx", [0, 1, 2, 3]),
        ("all", None, "xyyxxy", [1, 3, 5]),
        (2, None, "xz.y", [1]),
        ("all", 3, "x....y.x", [7]),
    ],
)
def test_a_compound_trigger_fires(require: Any, within: float | None, text: str, fires: list[float]) -> None:
    inner = [reactive(name) for name in ("xyz" if require == 2 else "xy")]
    watch = Watch(CompoundTrigger(triggers=list(inner), require=require, within=within))

    assert times(watch.see(*stream(text))) == fires


def test_triggers_may_be_within_triggers() -> None:
    either = CompoundTrigger(triggers=[reactive("a"), reactive("b")], require="any", within=None)
    watch = Watch(SequenceTrigger(triggers=[either, reactive("c", threshold=2)], within=None))

    assert times(watch.see(*stream("cbcacc"))) == [2, 5]


def test_a_trigger_of_triggers_may_wait_for_silence() -> None:
    silence = proactive("done", after=["start"], within=10)
    watch = Watch(CompoundTrigger(triggers=[silence, reactive("x")], require="all", within=20))
    watch.see(event("start", 0), event("x", 1))

    assert times(watch.wait(11)) == [10]


# --- against a search through all that came -----------------------------------------------------------------

STREAMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.sampled_from("xy")), max_size=25)


def spaced(given: list[tuple[str, int, str]]) -> list[ReceivedEvent]:
    found, second = [], 0
    for name, pause, resource in given:
        second += pause
        found.append(event(name, second, resource))
    return found


def counted(events: list[ReceivedEvent], threshold: int, within: float) -> list[int]:
    """Where a trigger without `after` fires: windows one after the other, each read from its begin."""
    fires: list[int] = []
    index = 0
    places = [place for place, each in enumerate(events) if each.event == "a"]
    while index < len(places):
        until = events[places[index]].occurred + timedelta(seconds=within)
        window = [place for place in places[index:] if not within or events[place].occurred < until]
        if len(window) >= threshold:
            fires.append(window[threshold - 1])
            index += threshold if not within else len(window)
        else:
            index += len(window)
    return fires


@given(STREAMS, st.integers(1, 4), st.sampled_from([0, 1, 3, 7]))
def test_a_reactive_trigger_fires_where_a_search_says(
    drawn: list[tuple[str, int, str]], threshold: int, within: float
) -> None:
    events = spaced(drawn)
    watch = Watch(reactive("a", threshold=threshold, within=within, for_each=["prefect.resource.id"]))
    fired = [place for place, each in enumerate(events) if watch.see(each)]

    expected: list[int] = []
    for resource in "xy":
        places = [
            place for place, one in enumerate(events) if one.resource["prefect.resource.id"] == resource
        ]
        expected += [places[hit] for hit in counted([events[place] for place in places], threshold, within)]
    assert fired == sorted(expected)


@given(STREAMS, st.sampled_from([10, 13]), st.booleans())
def test_silence_fires_where_a_search_says_however_often_one_looks(
    drawn: list[tuple[str, int, str]], within: float, looks: bool
) -> None:
    events = [msgspec.structs.replace(each, resource={"prefect.resource.id": "r"}) for each in spaced(drawn)]
    watch = Watch(proactive("b", after=["a"], within=within))
    fired: list[Firing] = []
    for each in events:
        if looks:
            fired += watch.wait((each.occurred - BEGIN).total_seconds())
        fired += watch.see(each)
    fired += watch.wait(10_000)

    expected, index = [], 0
    while index < len(events):
        if events[index].event != "a":
            index += 1
            continue
        until = events[index].occurred + timedelta(seconds=within)
        ends = next(
            (
                place
                for place in range(index + 1, len(events))
                if events[place].event == "b" or events[place].occurred >= until
            ),
            len(events),
        )
        if ends == len(events) or events[ends].occurred >= until:
            expected.append(until)
            index = ends
        else:
            index = ends + 1
    assert [firing.at for firing in fired] == expected


@given(STREAMS, st.integers(1, 3), st.sampled_from([None, 0, 2, 6]))
def test_a_compound_trigger_fires_where_a_search_says(
    drawn: list[tuple[str, int, str]], require: int, within: float | None
) -> None:
    events = spaced(drawn)
    inner: list[Any] = [reactive(name) for name in "abc"]
    watch = Watch(CompoundTrigger(triggers=inner, require=require, within=within))
    fired = [place for place, each in enumerate(events) if watch.see(each)]

    expected: list[int] = []
    used = 0
    for place, last in enumerate(events):
        near = {
            each.event
            for each in events[used : place + 1]
            if within is None or last.occurred - each.occurred <= timedelta(seconds=within)
        }
        if len(near) >= require:
            expected.append(place)
            used = place + 1
    assert fired == expected


@given(STREAMS, st.permutations("abc"), st.sampled_from([None, 0, 2, 6]))
def test_a_sequence_fires_where_a_search_says(
    drawn: list[tuple[str, int, str]], order: list[str], within: float | None
) -> None:
    events = spaced(drawn)
    watch = Watch(SequenceTrigger(triggers=[reactive(name) for name in order], within=within))
    fired = [place for place, each in enumerate(events) if watch.see(each)]

    def is_whole(part: list[ReceivedEvent]) -> bool:
        last = part[-1]
        near = [
            each.event
            for each in part
            if within is None or last.occurred - each.occurred <= timedelta(seconds=within)
        ]
        return any(
            (near[first], near[second], near[-1]) == tuple(order)
            for first in range(len(near))
            for second in range(first + 1, len(near) - 1)
        )

    expected: list[int] = []
    used = 0
    for place in range(len(events)):
        if is_whole(events[used : place + 1]):
            expected.append(place)
            used = place + 1
    assert fired == expected


@given(STREAMS)
def test_a_trigger_that_counts_nothing_remembers_nothing(drawn: list[tuple[str, int, str]]) -> None:
    watch = Watch(reactive("a", for_each=["prefect.resource.id"]))
    watch.see(*spaced(drawn))

    assert not watch.buckets
