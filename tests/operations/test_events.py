"""What events make of task runs, and which events filters find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.operations import read_task_run, read_task_run_states, read_task_runs
from prefect.operations.event_listings import Countable, count_events, read_events, read_next_events
from prefect.operations.events import record_events
from prefect.rules.event_filters import matches
from prefect.schemas.events import Event, EventQuery
from prefect.schemas.filters.events import EventFilter, EventOccurredFilter, EventResourceFilter
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.states import StateType
from prefect.settings import PREFECT_SERVER_EVENTS_KEEP_TASK_RUN_EVENTS as KEEP
from prefect.settings import temporary_settings
from prefect.types import uuid7

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
on_both = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None
)


@st.composite
def histories(draw, circles):
    """States of one run: each may follow any other, or one that never comes, and clocks do as they like.

    Circles only where events are kept: where one closes, the last state may be one
    whose event was let go because it could not have been the last.
    """
    entered = draw(
        st.lists(
            st.tuples(st.sampled_from(StateType), st.integers(0, 3), st.integers(-1, 8)),
            min_size=1,
            max_size=7,
        )
    )
    ids = [UUID(int=draw(st.integers(0, 2**100)) << 8 | number) for number in range(9)]

    def before(number, follows):
        return ids[follows] if follows >= 0 and (circles or not number <= follows < 8) else None

    return [
        (ids[number], kind, second, before(number, follows))
        for number, (kind, second, follows) in enumerate(entered)
    ]


def event(run, event_id, kind, second, follows, number=0):
    return Event(
        id=event_id,
        occurred=NOON + timedelta(seconds=second),
        event=f"prefect.task-run.{kind.value}",
        resource={"prefect.resource.id": f"prefect.task-run.{run}", "prefect.orchestration": "client"},
        payload={
            "task_run": {"name": "t-0", "task_key": "t", "dynamic_key": str(run), "run_count": number},
            "validated_state": {"type": kind.value},
        },
        follows=follows,
    )


def told(store, batches):
    """Tell the events under new ids, and return what was made of them under the old."""
    run = uuid7()
    fresh: dict[UUID, UUID] = {}
    salt = uuid7().int >> 64 << 64

    def renewed(old):
        return None if old is None else fresh.setdefault(old, UUID(int=salt ^ (old.int & (2**64 - 1))))

    for batch in batches:
        record_events(
            store,
            [
                event(run, renewed(one), kind, second, renewed(follows), one.int % 101)
                for one, kind, second, follows in batch
            ],
        )
    old = {new: one for one, new in fresh.items()}
    final = read_task_run(store, run)
    states = [old[state.id] for state in read_task_run_states(store, run)]
    return states, old[final.state_id], final.state_type, final.run_count


@pytest.mark.parametrize("keeps", [True, False])
@on_both
@given(data=st.data())
def test_order_repetition_and_batches_do_not_matter(store, keeps, data):
    history = data.draw(histories(circles=keeps))
    shuffled = data.draw(st.permutations(history + history[::2]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

    with temporary_settings({KEEP: keeps}):
        assert told(store, batches) == told(store, [history])


def test_a_clock_that_is_set_back_does_not_undo_the_end(store):
    run, first, last = uuid7(), uuid7(), uuid7()
    running = event(run, first, StateType.RUNNING, 5, None, 1)
    completed = event(run, last, StateType.COMPLETED, 2, first, 2)

    record_events(store, [completed])
    record_events(store, [running])

    read = read_task_run(store, run)
    assert (read.state_type, read.state_id, read.run_count) == (StateType.COMPLETED, last, 2)


def test_a_run_that_is_there_under_another_id_is_the_same(store):
    from prefect.operations import count_task_runs
    from prefect.schemas.queries import TaskRunQuery

    flow_run = uuid7()
    related = [{"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"}]
    mine, theirs = uuid7(), uuid7()
    for number, (run, kind) in enumerate([(mine, StateType.RUNNING), (theirs, StateType.COMPLETED)]):
        one = event(run, uuid7(), kind, number, None)
        one.related, one.payload["task_run"]["dynamic_key"] = related, "0"
        record_events(store, [one])

    assert count_task_runs(store, TaskRunQuery()) == 1
    assert read_task_run(store, mine).state_type is StateType.COMPLETED


def test_runs_of_one_batch_may_be_known_new_or_there_under_another_id(store):
    kinds = (StateType.PENDING, StateType.RUNNING, StateType.COMPLETED)
    flow_run = uuid7()
    known, new, counted, again = (uuid7() for _ in range(4))

    def told(run, second, key):
        told = event(run, uuid7(), kinds[second], second, None, second)
        told.payload["task_run"]["dynamic_key"] = key
        told.related.append(
            {
                "prefect.resource.id": f"prefect.flow-run.{flow_run}",
                "prefect.resource.role": "flow-run",
            }
        )
        return told

    record_events(store, [told(known, 0, str(known))])
    record_events(
        store,
        [
            *(told(new, second, str(new)) for second in range(3)),
            told(counted, 0, "0"),
            told(again, 2, "0"),
            *(told(known, second, str(known)) for second in (1, 2)),
        ],
    )

    for run in (known, new):
        assert [state.type for state in read_task_run_states(store, run)] == list(kinds)
        assert read_task_run(store, run).state_type is StateType.COMPLETED
    # Whichever id came first, both are one run.
    ids = {one.id for one in read_task_runs(store, TaskRunQuery())}
    assert len(ids) == 3
    one = (ids - {known, new}).pop()
    assert [state.type for state in read_task_run_states(store, one)] == [kinds[0], kinds[2]]


def test_task_run_events_need_not_be_kept(store):
    run = uuid7()
    with temporary_settings({KEEP: False}):
        record_events(store, [event(run, uuid7(), StateType.RUNNING, 1, None)])

    assert read_task_run(store, run).state_type is StateType.RUNNING
    assert read_events(store, EventQuery()).total == 0


def test_what_is_too_large_is_refused(store):
    large = event(uuid7(), uuid7(), StateType.RUNNING, 1, None)
    large.resource |= {f"label-{number}": "x" for number in range(500)}
    long = event(uuid7(), uuid7(), StateType.RUNNING, 1, None)
    long.event = "x" * 1025

    for each in (large, long):
        with pytest.raises(msgspec.ValidationError):
            record_events(store, [each])
    assert read_events(store, EventQuery()).total == 0


texts = st.sampled_from(["a", "ab", "b", "B", "r.1", "r.2", "x%", "a_b", 'q"'])
labels = st.dictionaries(st.sampled_from(["colour", "odd.name", 'quo"te']), texts, max_size=2)
resources = st.builds(lambda one, more: {"prefect.resource.id": one, **more}, texts, labels)
related = st.builds(lambda one, role: {**one, "prefect.resource.role": role}, resources, texts)
some_events = st.lists(
    st.builds(
        lambda name, resource, others, second, word: Event(
            id=uuid7(),
            occurred=NOON + timedelta(seconds=second),
            event=name,
            resource=resource,
            related=others,
            payload={"word": word},
        ),
        texts,
        resources,
        st.lists(related, max_size=2),
        st.integers(0, 9),
        texts,
    ),
    min_size=1,
    max_size=6,
)
lists = st.none() | st.lists(texts, max_size=2)
wanted_values = texts | st.sampled_from(["a*", "!a", "!r*", "*"]) | st.lists(texts, max_size=2)
wanted_labels = st.none() | st.dictionaries(
    st.sampled_from(["colour", "odd.name", 'quo"te']), wanted_values, max_size=2
)
optional = {"id": lists, "labels": wanted_labels}
any_resources = st.fixed_dictionaries({}, optional={**optional, "id_prefix": lists})
relations = st.fixed_dictionaries(
    {},
    optional={**optional, "role": lists, "resources_in_roles": st.lists(st.tuples(texts, texts), max_size=2)},
)
filters = st.fixed_dictionaries(
    {
        "occurred": st.builds(
            lambda since, span: {
                "since": NOON + timedelta(seconds=since),
                "until": NOON + timedelta(seconds=since + span),
            },
            st.integers(0, 5),
            st.integers(0, 9),
        )
    },
    optional={
        "event": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("prefix", "exclude_prefix", "name", "exclude_name"), lists)
        ),
        "resource": any_resources,
        "related": relations | st.lists(relations, max_size=2),
        "any_resource": any_resources | st.lists(any_resources, max_size=2),
        "text": st.builds(
            lambda words: {"query": " ".join(words)}, st.lists(texts | st.sampled_from(["-ab", "+b"]))
        ),
        "order": st.sampled_from(["ASC", "DESC"]),
    },
)


@on_both
@given(some_events, filters)
def test_a_filter_finds_in_the_database_what_it_is_about(store, given_events, asked):
    filter = msgspec.convert(asked, EventFilter, strict=False)
    ids = {each.id for each in given_events}
    record_events(store, given_events)

    page = read_events(store, EventQuery(filter=filter))
    found = list(page.events)
    while page.next_page is not None:
        page = read_next_events(store, page.next_page.partition("=")[2])
        found += page.events

    assert {each.id for each in found} & ids == {each.id for each in given_events if matches(filter, each)}
    occurred = [each.occurred for each in found]
    assert occurred == sorted(occurred, reverse=asked.get("order") != "ASC")


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("distinct", [False, True])
def test_pages_have_each_event_once(store, order, distinct):
    some = [
        Event(
            id=uuid7(),
            occurred=NOON + timedelta(seconds=number // 4),
            event="x",
            resource={"prefect.resource.id": f"r.{number % 7}"},
        )
        for number in range(20)
    ]
    record_events(store, some)
    occurred = EventOccurredFilter(since=NOON, until=NOON + timedelta(hours=1))
    filter = EventFilter(occurred=occurred, order=order)
    if distinct:
        filter.resource = EventResourceFilter(distinct=True)

    page = read_events(store, EventQuery(filter=filter, limit=3))
    found = list(page.events)
    record_events(store, [msgspec.structs.replace(some[0], id=uuid7(), occurred=NOON - timedelta(seconds=1))])
    while page.next_page is not None:
        page = read_next_events(store, page.next_page.partition("=")[2])
        found += page.events

    assert page.total == len(found) == (7 if distinct else 20)
    assert len({each.id for each in found}) == len(found)


def test_events_are_counted_by_day(store):
    run = uuid7()
    kinds = [StateType.RUNNING, StateType.COMPLETED]
    record_events(store, [event(run, uuid7(), kind, second, None) for second, kind in enumerate(kinds)])
    window = EventOccurredFilter(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))

    counts = count_events(store, Countable.day, EventFilter(occurred=window))

    assert [one.count for one in counts if one.count] == [2]


def test_events_are_found_by_dates():
    wanted = msgspec.convert({"since": "2026-03-01", "until": "2026-03-02T08:15:00"}, EventOccurredFilter)

    assert wanted.since == datetime(2026, 3, 1, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"'yesterday' is no time: it should be as"):
        msgspec.convert({"since": "yesterday"}, EventOccurredFilter)
