"""The rules of task runs, cell by cell as other implementations of the interface were seen to decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.bookkeeping import enter_state
from prefect.rules.transitions import Decision, decide_task_run
from prefect.schemas.objects import TaskRun, TaskRunPolicy
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLOW_RUN_ID = UUID(int=1)
PERSISTED = {"storage_key": "k", "serializer": {"type": "json"}}
KINDS = [
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "PAUSED",
    "CANCELLING",
    "COMPLETED",
    "FAILED",
    "CRASHED",
    "CANCELLED",
]

# A: accepted. x: aborted with "Run is already <left>."
MATRIX = """
(none)     | A | A | A | A | A | A | A | A | A
SCHEDULED  | A | A | A | A | A | A | A | A | A
PENDING    | A | A | A | A | A | A | A | A | A
RUNNING    | A | A | A | A | A | A | A | A | A
PAUSED     | A | A | A | A | A | A | A | A | A
CANCELLING | A | A | A | A | A | A | A | A | A
COMPLETED  | A | A | A | x | x | A | A | x | A
FAILED     | A | A | A | x | x | A | A | x | A
CRASHED    | A | A | A | x | x | A | A | x | A
CANCELLED  | A | A | A | x | x | A | A | x | A
"""


def state(kind: str, name: str | None = None, *, data: Any = None, **details: Any) -> State[Any]:
    return State(
        type=StateType(kind), name=name, data=data, state_details=StateDetails(**details), timestamp=NOW
    )


RUNNING_FLOW = state("RUNNING")


def decide(
    current: State[Any] | None,
    proposed: State[Any],
    *,
    flow: State[Any] | None = RUNNING_FLOW,
    force: bool = False,
    **fields: Any,
) -> Decision:
    fields = {"flow_run_id": FLOW_RUN_ID, "run_count": 1, **fields}
    run = TaskRun(task_key="t", dynamic_key="0", state=current, **fields)
    return decide_task_run(current, proposed, run, flow_run_state=flow, now=NOW, force=force)


def cells() -> list[tuple[str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in MATRIX.strip().splitlines()]
    return [(row[0], kind, cell) for row in rows for kind, cell in zip(KINDS, row[1:], strict=True)]


@pytest.mark.parametrize(("left", "kind", "expected"), cells())
def test_each_cell_of_the_matrix(left: str, kind: str, expected: str) -> None:
    decision = decide(None if left == "(none)" else state(left), state(kind))

    if expected == "A":
        assert (decision.status, decision.reason) == (SetStateStatus.ACCEPT, None)
        assert decision.state is not None and decision.state.type == kind
    else:
        assert (decision.status, decision.state) == (SetStateStatus.ABORT, None)
        assert decision.reason == f"Run is already {left}."


class TestFlow:
    @pytest.mark.parametrize("kind", [None, "PENDING", "CANCELLING", "COMPLETED", "FAILED", "SCHEDULED"])
    def test_no_task_starts_in_a_flow_that_does_not_run(self, kind: str | None) -> None:
        decision = decide(state("PENDING"), state("RUNNING"), flow=state(kind) if kind else None)
        assert decision.status is SetStateStatus.ABORT
        assert decision.reason == "The enclosing flow must be running to begin task execution."

    def test_a_task_in_a_paused_flow_is_not_ready(self) -> None:
        decision = decide(state("PENDING"), state("RUNNING"), flow=state("PAUSED"))
        assert decision.status is SetStateStatus.REJECT
        assert decision.reason == (
            f"The flow is paused, new tasks can execute after resuming flow run: {FLOW_RUN_ID}."
        )
        assert decision.state is not None
        assert (decision.state.type, decision.state.name) == (StateType.PAUSED, "NotReady")

    def test_a_task_that_runs_may_end_whatever_its_flow_does(self) -> None:
        assert (
            decide(state("RUNNING"), state("COMPLETED"), flow=state("FAILED")).status is SetStateStatus.ACCEPT
        )

    def test_a_task_without_a_flow_asks_none(self) -> None:
        decision = decide(state("PENDING"), state("RUNNING"), flow=None, flow_run_id=None)
        assert decision.status is SetStateStatus.ACCEPT


class TestRetries:
    def test_the_next_attempt_is_named_for_what_it_is(self) -> None:
        run = TaskRun(task_key="t", dynamic_key="0", empirical_policy=TaskRunPolicy(retries=1))
        step(run, state("RUNNING"))
        assert step(run, state("FAILED")).reason == "Retrying"
        assert run.state_name == "AwaitingRetry"
        step(run, state("RUNNING"))
        assert (run.state_name, run.run_count) == ("Retrying", 2)
        assert step(run, state("FAILED")).status is SetStateStatus.ACCEPT

    def test_an_attempt_that_was_prepared_anew_is_a_rerun(self) -> None:
        assert decided(decide(state("PENDING"), state("RUNNING"))).name == "Rerunning"
        assert decided(decide(state("PENDING"), state("RUNNING"), run_count=0)).name == "Running"

    @pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 20)])
    def test_each_retry_has_its_delay(self, attempt: int, seconds: int) -> None:
        policy = TaskRunPolicy(retries=3, retry_delay=[10, 20])
        decision = decide(state("RUNNING"), state("FAILED"), run_count=attempt, empirical_policy=policy)
        assert decided(decision).state_details.scheduled_time == NOW + timedelta(seconds=seconds)

    def test_jitter_differs_between_runs_and_is_repeatable(self) -> None:
        policy = TaskRunPolicy(retries=3, retry_delay=100, retry_jitter_factor=0.5)

        def delay(number: int) -> float:
            decision = decide(state("RUNNING"), state("FAILED"), id=UUID(int=number), empirical_policy=policy)
            due = decided(decision).state_details.scheduled_time
            assert due is not None
            return (due - NOW).total_seconds()

        delays = [delay(number) for number in range(20)]
        assert delays == [delay(number) for number in range(20)]
        assert len(set(delays)) == 20
        assert all(60 <= seconds <= 150 for seconds in delays)

    @pytest.mark.parametrize(
        ("left", "proposed"),
        [
            ("RUNNING", state("FAILED", retriable=False)),
            ("RUNNING", state("CRASHED")),
            ("PENDING", state("FAILED")),
        ],
    )
    def test_what_is_not_retried(self, left: str, proposed: State[Any]) -> None:
        decision = decide(state(left), proposed, empirical_policy=TaskRunPolicy(retries=3))
        assert decision.status is SetStateStatus.ACCEPT

    def test_a_retry_waits_for_its_time(self) -> None:
        waiting = state("SCHEDULED", "AwaitingRetry", scheduled_time=NOW + timedelta(seconds=10))
        assert decide(waiting, state("RUNNING")).delay_seconds == 10
        assert decided(decide(waiting, state("RUNNING"), force=True)).name == "Running"


class TestEnded:
    @pytest.mark.parametrize("kind", ["PENDING", "SCHEDULED", "RUNNING", "CANCELLED", "COMPLETED", "FAILED"])
    def test_a_kept_result_is_not_run_over(self, kind: str) -> None:
        decision = decide(state("COMPLETED", data=PERSISTED), state(kind))
        assert (decision.status, decision.state) == (SetStateStatus.REJECT, None)
        assert decision.reason == "This run is already completed."

    @pytest.mark.parametrize("ended", ["FAILED", "CRASHED", "COMPLETED", "CANCELLED"])
    @pytest.mark.parametrize(
        "way", [["RUNNING"], ["PENDING", "RUNNING"], ["SCHEDULED", "PENDING", "RUNNING"]]
    )
    def test_attempts_after_an_end_are_counted_anew(self, ended: str, way: list[str]) -> None:
        run = TaskRun(task_key="t", dynamic_key="0", run_count=2)
        for kind in [ended, *way]:
            step(run, state(kind))
        assert (run.run_count, run.state_name) == (1, "Running")


def decided(decision: Decision) -> State[Any]:
    assert decision.state is not None
    return decision.state


def step(run: TaskRun, proposed: State[Any]) -> Decision:
    """Do what a store does with a decision."""
    decision = decide_task_run(run.state, proposed, run, flow_run_state=RUNNING_FLOW, now=NOW)
    if decision.state is not None:
        run.run_count = run.run_count if decision.run_count is None else decision.run_count
        enter_state(run, decision.state)
    return decision


PROPOSALS = st.builds(
    state,
    st.sampled_from(KINDS),
    data=st.sampled_from([None, {"type": "unpersisted"}, PERSISTED]),
    retriable=st.sampled_from([None, True, False]),
    scheduled_time=st.sampled_from([None, NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
)


@given(proposals=st.lists(PROPOSALS, max_size=12), retries=st.integers(0, 2))
def test_no_sequence_of_proposals_reaches_what_must_not_be(
    proposals: Sequence[State[Any]], retries: int
) -> None:
    run = TaskRun(task_key="t", dynamic_key="0", empirical_policy=TaskRunPolicy(retries=retries))
    for proposed in proposals:
        left, attempts = run.state, run.run_count
        decision = step(run, proposed)
        assert decision.reason != "Retrying" or (attempts <= retries and proposed.type is StateType.FAILED)
        if decision.status in (SetStateStatus.WAIT, SetStateStatus.ABORT):
            assert run.state is left
        if left is not None and left.type in TERMINAL_STATES and run.state is not left:
            assert run.state is not None
            assert run.state.type not in (StateType.CRASHED, StateType.CANCELLING, StateType.PAUSED)
            assert left.type is not StateType.COMPLETED or left.data != PERSISTED
