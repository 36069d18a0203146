from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.bookkeeping import enter_state, estimate
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def went_through(*states: tuple[str, float]) -> FlowRun:
    run = FlowRun(flow_id=UUID(int=1))
    for kind, seconds in states:
        enter_state(run, State(type=StateType(kind), timestamp=at(seconds)))
    return run


def test_each_attempt_counts_and_its_time_adds_up() -> None:
    run = went_through(("PENDING", 0), ("RUNNING", 1), ("SCHEDULED", 3), ("RUNNING", 10), ("COMPLETED", 15))
    assert (run.run_count, run.total_run_time) == (2, 7.0)
    assert (run.start_time, run.end_time) == (at(1), at(15))


def test_a_resumed_run_goes_on_with_its_attempt() -> None:
    run = went_through(("RUNNING", 0), ("PAUSED", 2), ("RUNNING", 60), ("COMPLETED", 61))
    assert (run.run_count, run.total_run_time) == (1, 3.0)


def test_a_run_that_starts_again_has_no_end() -> None:
    run = went_through(("RUNNING", 0), ("FAILED", 2), ("RUNNING", 5))
    assert (run.end_time, run.start_time, run.run_count) == (None, at(0), 2)


def test_a_scheduled_run_knows_when_it_is_due() -> None:
    run = TaskRun(task_key="t", dynamic_key="0")
    due = at(100)
    scheduled: State[None] = State(
        type=StateType.SCHEDULED, timestamp=at(0), state_details=StateDetails(scheduled_time=due)
    )
    enter_state(run, scheduled)
    assert run.expected_start_time == run.next_scheduled_start_time == due
    enter_state(run, State(type=StateType.RUNNING, timestamp=at(103)))
    assert (run.expected_start_time, run.next_scheduled_start_time) == (due, None)
    estimate(run, at(110))
    assert (run.estimated_run_time, run.estimated_start_time_delta) == (7.0, 3.0)


def test_a_run_that_ended_before_it_started_starts_and_ends_at_once() -> None:
    run = went_through(("PENDING", 0), ("CANCELLED", 5))
    estimate(run, at(100))
    assert (run.start_time, run.end_time, run.run_count) == (at(5), at(5), 0)
    assert (run.estimated_run_time, run.estimated_start_time_delta) == (0.0, 5.0)


def test_a_run_that_waits_is_late_from_the_time_it_was_due() -> None:
    run = went_through(("PENDING", 0))
    estimate(run, at(7))
    assert run.estimated_start_time_delta == 7.0


@given(
    st.lists(st.tuples(st.sampled_from([kind.value for kind in StateType]), st.floats(-10, 10)), min_size=1)
)
def test_whatever_the_states_the_books_agree(states: list[tuple[str, float]]) -> None:
    run = went_through(*states)
    last = StateType(states[-1][0])
    assert run.state_type is last
    assert (run.end_time is not None) == (last in TERMINAL_STATES)
    assert run.total_run_time >= 0
    assert run.run_count <= sum(kind == "RUNNING" for kind, _ in states)
    begins = {"RUNNING", *(kind.value for kind in TERMINAL_STATES)}
    assert (run.start_time is not None) == any(kind in begins for kind, _ in states)
