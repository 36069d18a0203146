"""The same events make the same task run, however they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.task_run_events import change_of, merge
from prefect.schemas.events import Event
from prefect.schemas.states import StateType

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = UUID(int=7)


def event(number: int, kind: StateType, second: int) -> Event:
    return Event(
        id=UUID(int=number + 1),
        occurred=NOON + timedelta(seconds=second),
        event="prefect.task-run.x",
        resource={"prefect.resource.id": f"prefect.task-run.{RUN}", "prefect.orchestration": "client"},
        payload={
            "task_run": {"task_key": "t", "dynamic_key": "0", "run_count": number},
            "validated_state": {"type": kind.value},
        },
    )


histories = st.lists(st.tuples(st.sampled_from(StateType), st.integers(0, 3)), min_size=1, max_size=7).map(
    lambda entered: [event(number, kind, second) for number, (kind, second) in enumerate(entered)]
)


def told(events):
    return reduce(lambda known, event: merge(known, [change_of(event)]), events, None)


@given(histories.flatmap(lambda events: st.tuples(st.just(events), st.permutations(events + events[::2]))))
def test_neither_order_nor_repetition_matters(events_and_shuffled):
    events, shuffled = events_and_shuffled

    assert told(shuffled) == told(events)


@given(histories)
def test_the_run_is_as_its_last_event_says(events):
    record = told(events)

    assert record.run.state is record.states[-1]
    assert record.run.state_id == record.states[-1].id
    assert record.run.run_count == record.states[-1].id.int - 1
    assert [state.timestamp for state in record.states] == sorted(each.occurred for each in events)


def test_at_the_same_instant_the_end_comes_last():
    record = told([event(1, StateType.COMPLETED, 0), event(2, StateType.RUNNING, 0)])

    assert record.run.state_type is StateType.COMPLETED


def test_times_without_a_zone_are_utc():
    naive = event(0, StateType.RUNNING, 0)
    naive.occurred = naive.occurred.replace(tzinfo=None)

    assert change_of(naive).state.timestamp == NOON


def test_other_events_say_nothing_of_task_runs():
    other = event(0, StateType.RUNNING, 0)
    other.resource["prefect.resource.id"] = "prefect.flow-run.x"

    assert change_of(other) is None
