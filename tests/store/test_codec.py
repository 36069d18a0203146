"""Whatever a run holds, its row gives back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.schemas.objects import FlowRun, Log, TaskRun, TaskRunRecord
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store import codec

# However slow the machine is.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS)
UTC_TIMES = TIMES.map(lambda moment: moment.astimezone(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
IDS = st.uuids()
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
OPTIONAL_BOOLS = st.none() | st.booleans()
DETAILS = st.builds(
    StateDetails,
    child_flow_run_id=st.none() | IDS,
    scheduled_time=st.none() | TIMES,
    cache_key=st.none() | TEXTS,
    deferred=st.booleans(),
    untrackable_result=st.booleans(),
    pause_reschedule=st.booleans(),
    run_input_keyset=st.none() | st.dictionaries(TEXTS, TEXTS, max_size=2),
    refresh_cache=OPTIONAL_BOOLS,
    retriable=OPTIONAL_BOOLS,
    transition_id=st.none() | IDS,
)
STATES: st.SearchStrategy[State[Any]] = st.builds(
    State,
    type=st.sampled_from(StateType),
    name=st.none() | TEXTS,
    message=st.none() | TEXTS,
    data=st.none() | st.dictionaries(TEXTS, JSON, max_size=2) | TEXTS,
    state_details=DETAILS,
    timestamp=TIMES,
)


def in_utc(state: State[Any], **details: UUID) -> State[Any]:
    """Return a state as it is read: told which run it belongs to, with all times in UTC."""
    due = state.state_details.scheduled_time
    return msgspec.structs.replace(
        state,
        timestamp=state.timestamp.astimezone(UTC),
        state_details=msgspec.structs.replace(
            state.state_details, scheduled_time=due and due.astimezone(UTC), **details
        ),
    )


@patient
@given(st.lists(STATES, max_size=4))
def test_the_history_of_a_task_run(states: list[State[Any]]) -> None:
    run = TaskRun(
        task_key="t", dynamic_key="0", flow_run_id=UUID(int=7), expected_start_time=datetime.now(UTC)
    )
    read = codec.task_run_record_from_row(codec.task_run_row(TaskRunRecord(run=run, states=states)))
    assert read.states == [in_utc(state, task_run_id=run.id, flow_run_id=UUID(int=7)) for state in states]
    assert read.run.state == (read.states[-1] if states else None)


@patient
@given(STATES)
def test_a_state_of_a_flow_run(state: State[Any]) -> None:
    run_id = UUID(int=7)
    row = codec.flow_run_state_row(run_id, state)
    assert codec.flow_run_state_from_row(row) == in_utc(state, flow_run_id=run_id)


@patient
@given(st.dictionaries(TEXTS, JSON, max_size=3), st.lists(TEXTS), UTC_TIMES, st.none() | STATES)
def test_a_flow_run(
    parameters: dict[str, Any], tags: list[str], at: datetime, state: State[Any] | None
) -> None:
    run = FlowRun(
        flow_id=UUID(int=7), name="n", created=at, updated=at, end_time=at, parameters=parameters, tags=tags
    )
    said: tuple[Any, ...] = (None, None, None)
    if state is not None:
        run.state = in_utc(state, flow_run_id=run.id)
        run.state_id, run.state_type, run.state_name = state.id, state.type, state.name
        *_, message, _, data, details = codec.flow_run_state_row(run.id, state)
        said = (message, data, details)
    assert codec.flow_run_from_row((*codec.flow_run_row(run), *said)) == run


@patient
@given(st.text(), TIMES, st.integers(0, 100))
def test_a_log_record_is_kept_whatever_it_says(message: str, at: datetime, level: int) -> None:
    log = Log(name="l", level=level, message=message, timestamp=at)
    row = codec.log_row(log)
    assert all(isinstance(value, str | int | None) for value in row)
    row[4].encode()
    read = codec.log_from_row(row)
    assert (read.id, read.timestamp, read.level) == (log.id, at, level)
    assert len(read.message) == len(message)
