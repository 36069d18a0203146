"""The rules of flow runs, cell by cell as other implementations of the interface were seen to decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect.rules.bookkeeping import enter_state
from prefect.rules.transitions import Decision, decide_flow_run
from prefect.schemas.objects import FlowRun, FlowRunPolicy
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLOW_ID, DEPLOYMENT_ID = UUID(int=1), UUID(int=2)
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

# A: accepted. x: aborted. R>X: rejected with state X. The number is that of the reason below.
MATRIX = """
PENDING    | A            | x1           | A            | R>Pending 2    | A              | A | A | A | A
SCHEDULED  | A            | A            | A            | R>Scheduled 2  | R>Cancelled 3  | A | A | A | A
RUNNING    | A            | x1           | A            | A              | A              | A | A | A | A
PAUSED     | A            | R>Paused 4   | A            | R>Paused 2     | A              | A | A | A | A
CANCELLING | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | R>Cancelling 5 | A
COMPLETED  | x6           | A            | A            | x7             | x7             | A | A | x7 | A
FAILED     | x6           | A            | A            | x7             | x7             | A | A | x7 | A
CRASHED    | x6           | A            | A            | x7             | x7             | A | A | x7 | A
CANCELLED  | x6           | x1           | A            | x7             | x7             | A | A | x7 | A
"""  # noqa: E501
REASONS = {
    "1": "This run is in a {left} state and cannot transition to a PENDING state.",
    "2": "Cannot pause flows that are not currently running.",
    "3": "Scheduled flow run has no infrastructure to terminate.",
    "4": "This run cannot transition to the StateType.PENDING state from the StateType.{left} state.",
    "5": "Cannot transition flows that are cancelling to a state other than Cancelled.",
    "6": "Cannot reschedule a run without an associated deployment.",
    "7": "Run is already in terminal state {left}.",
}


def state(
    kind: str, name: str | None = None, *, data: Any = None, message: str | None = None, **details: Any
) -> State:
    return State(
        type=StateType(kind),
        name=name,
        data=data,
        message=message,
        state_details=StateDetails(**details),
        timestamp=NOW,
    )


def run_in(current: State[Any] | None, **fields: Any) -> FlowRun:
    fields.setdefault("run_count", 1)
    made = FlowRun(flow_id=FLOW_ID, name="r", **fields)
    if current is not None:
        made.state, made.state_type, made.state_name = current, current.type, current.name
    return made


def decide(
    current: State[Any] | None, proposed: State[Any], *, force: bool = False, **fields: Any
) -> Decision:
    return decide_flow_run(current, proposed, run_in(current, **fields), now=NOW, force=force)


def cells(matrix: str) -> list[tuple[str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in matrix.strip().splitlines()]
    return [(row[0], kind, cell) for row in rows for kind, cell in zip(KINDS, row[1:], strict=True)]


@pytest.mark.parametrize(("left", "kind", "expected"), cells(MATRIX))
def test_each_cell_of_the_matrix(left: str, kind: str, expected: str) -> None:
    decision = decide(state(left), state(kind))

    if expected == "A":
        assert (decision.status, decision.reason) == (SetStateStatus.ACCEPT, None)
        assert decision.state is not None and decision.state.type == kind
        return
    assert decision.reason == REASONS[expected[-1]].format(left=left)
    if expected.startswith("x"):
        assert (decision.status, decision.state) == (SetStateStatus.ABORT, None)
        return
    assert decision.status is SetStateStatus.REJECT
    replacement = expected.removeprefix("R>").split()[0]
    # Where the answer shows the state that the run has anyway, there is nothing to store.
    assert (decision.state.name if decision.state else state(left).name) == replacement


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_state_is_the_creators_choice(kind: str) -> None:
    assert decide(None, state(kind)).status is SetStateStatus.ACCEPT


def test_no_rule_changes_the_run_or_what_was_proposed() -> None:
    run = run_in(state("RUNNING"), empirical_policy=FlowRunPolicy(retries=1, retry_delay=7))
    proposed = state("FAILED", message="boom")
    before = (run.model_dump(), proposed.model_dump())

    decision = decide_flow_run(run.state, proposed, run, now=NOW)

    assert decision.status is SetStateStatus.REJECT
    assert (run.model_dump(), proposed.model_dump()) == before


class TestSchedule:
    def test_a_run_waits_for_its_time(self) -> None:
        decision = decide(state("SCHEDULED", scheduled_time=NOW + timedelta(seconds=90)), state("RUNNING"))
        assert (decision.status, decision.delay_seconds) == (SetStateStatus.WAIT, 90)
        assert (decision.state, decision.reason) == (None, "Scheduled time is in the future")

    def test_preparing_keeps_the_time_and_still_waits(self) -> None:
        due = NOW + timedelta(seconds=90)
        pending = decide(state("SCHEDULED", scheduled_time=due), state("PENDING")).state
        assert pending is not None and pending.state_details.scheduled_time == due
        submitting = decide(pending, state("PENDING", "Submitting")).state
        assert submitting is not None and submitting.state_details.scheduled_time == due
        assert decide(submitting, state("RUNNING")).delay_seconds == 90

    def test_a_time_of_its_own_is_kept(self) -> None:
        later = NOW + timedelta(seconds=200)
        pending = decide(state("SCHEDULED", scheduled_time=NOW), state("PENDING", scheduled_time=later)).state
        assert pending is not None and pending.state_details.scheduled_time == later

    @pytest.mark.parametrize(("ahead", "delay"), [(-5.0, None), (0.4, None), (1.4, 1), (89.9, 90)])
    def test_delays_are_whole_seconds(self, ahead: float, delay: int | None) -> None:
        due = NOW + timedelta(seconds=ahead)
        assert decide(state("SCHEDULED", scheduled_time=due), state("RUNNING")).delay_seconds == delay

    def test_scheduled_without_a_time_is_due_now(self) -> None:
        decided = decide(state("RUNNING"), state("SCHEDULED")).state
        assert decided is not None and decided.state_details.scheduled_time == NOW

    def test_a_late_run_keeps_its_time(self) -> None:
        due = NOW - timedelta(seconds=20)
        decided = decide(state("SCHEDULED", scheduled_time=due), state("SCHEDULED", "Late")).state
        assert decided is not None and decided.state_details.scheduled_time == due


class TestPending:
    @pytest.mark.parametrize(
        ("left", "name", "status"),
        [
            ("Pending", "Submitting", SetStateStatus.ACCEPT),
            ("Pending", "Foo", SetStateStatus.ACCEPT),
            ("Submitting", "Submitting", SetStateStatus.ABORT),
            ("Submitting", "InfrastructurePending", SetStateStatus.ACCEPT),
            ("InfrastructurePending", "Submitting", SetStateStatus.ACCEPT),
            ("InfrastructurePending", "InfrastructurePending", SetStateStatus.ABORT),
            ("InfrastructurePending", "Pending", SetStateStatus.ABORT),
        ],
    )
    def test_only_named_steps_follow_pending(self, left: str, name: str, status: SetStateStatus) -> None:
        assert decide(state("PENDING", left), state("PENDING", name)).status is status

    @pytest.mark.parametrize("left", ["RUNNING", "CANCELLED"])
    def test_no_named_step_follows_what_was_started(self, left: str) -> None:
        assert decide(state(left), state("PENDING", "Submitting")).status is SetStateStatus.ABORT


class TestLate:
    @pytest.mark.parametrize(
        ("kind", "name", "reason"),
        [
            ("SCHEDULED", "Scheduled", None),
            ("SCHEDULED", "AwaitingRetry", None),
            ("SCHEDULED", "Late", "This flow run is already marked late."),
            ("PENDING", "Pending", "Only scheduled flows can be marked late."),
            ("RUNNING", "Running", "Only scheduled flows can be marked late."),
        ],
    )
    def test_only_waiting_runs_are_late_and_once(self, kind: str, name: str, reason: str | None) -> None:
        decision = decide(state(kind, name), state("SCHEDULED", "Late"))
        assert decision.reason == reason
        assert decision.status is (SetStateStatus.REJECT if reason else SetStateStatus.ACCEPT)

    def test_an_ended_run_is_not_late(self) -> None:
        assert decide(state("COMPLETED"), state("SCHEDULED", "Late")).status is SetStateStatus.ABORT


class TestRetries:
    def test_a_failure_with_retries_left_awaits_the_next_attempt(self) -> None:
        policy = FlowRunPolicy(retries=1, retry_delay=7, pause_keys=["a"], resuming=True)
        decision = decide(state("RUNNING"), state("FAILED", message="boom"), empirical_policy=policy)

        assert (decision.status, decision.reason) == (SetStateStatus.REJECT, "Retrying")
        waiting = decision.state
        assert waiting is not None
        assert (waiting.type, waiting.name, waiting.message) == (StateType.SCHEDULED, "AwaitingRetry", "boom")
        assert waiting.state_details.scheduled_time == NOW + timedelta(seconds=7)
        assert decision.policy == FlowRunPolicy(retries=1, retry_delay=7, retry_type="in_process")
        assert decide(waiting, state("RUNNING")).delay_seconds == 7
        assert decide(waiting, state("RUNNING"), force=True).status is SetStateStatus.ACCEPT

    def test_a_timeout_is_retried_too(self) -> None:
        decision = decide(
            state("RUNNING"), state("FAILED", "TimedOut"), empirical_policy=FlowRunPolicy(retries=1)
        )
        assert decision.reason == "Retrying"

    def test_the_last_failure_is_final(self) -> None:
        policy = FlowRunPolicy(retries=1, retry_type="in_process")
        decision = decide(state("RUNNING"), state("FAILED"), run_count=2, empirical_policy=policy)
        assert decision.status is SetStateStatus.ACCEPT
        assert decision.policy is not None and decision.policy.retry_type is None

    def test_the_older_spelling_of_the_policy_counts(self) -> None:
        policy = FlowRunPolicy(max_retries=1, retry_delay_seconds=5)
        waiting = decide(state("RUNNING"), state("FAILED"), empirical_policy=policy).state
        assert waiting is not None and waiting.state_details.scheduled_time == NOW + timedelta(seconds=5)

    @pytest.mark.parametrize(
        ("left", "kind"), [("RUNNING", "CRASHED"), ("PENDING", "FAILED"), ("CRASHED", "FAILED")]
    )
    def test_only_failures_of_running_flows_are_retried(self, left: str, kind: str) -> None:
        decision = decide(state(left), state(kind), empirical_policy=FlowRunPolicy(retries=3))
        assert decision.status is SetStateStatus.ACCEPT

    def test_a_failure_reported_twice_is_retried_once(self) -> None:
        mark, policy = UUID(int=9), FlowRunPolicy(retries=1, retry_delay=7)
        waiting = decide(state("RUNNING"), state("FAILED", transition_id=mark), empirical_policy=policy).state
        again = decide(waiting, state("FAILED", transition_id=mark), empirical_policy=policy)
        assert (again.status, again.state) == (SetStateStatus.REJECT, None)


class TestEnded:
    @pytest.mark.parametrize(
        ("data", "kind", "expected", "reason"),
        [
            (None, "RUNNING", SetStateStatus.ACCEPT, None),
            ({"type": "unpersisted"}, "RUNNING", SetStateStatus.ACCEPT, None),
            ({"type": "unpersisted"}, "COMPLETED", SetStateStatus.ACCEPT, None),
            (PERSISTED, "RUNNING", SetStateStatus.REJECT, "Run is already COMPLETED."),
            (PERSISTED, "PENDING", SetStateStatus.REJECT, "Run is already COMPLETED."),
            (PERSISTED, "SCHEDULED", SetStateStatus.REJECT, "Run is already COMPLETED."),
            (PERSISTED, "CRASHED", SetStateStatus.ABORT, "Run is already in terminal state COMPLETED."),
            (PERSISTED, "FAILED", SetStateStatus.ACCEPT, None),
            (PERSISTED, "CANCELLED", SetStateStatus.ACCEPT, None),
            (
                PERSISTED,
                "COMPLETED",
                SetStateStatus.REJECT,
                "Cannot overwrite a COMPLETED state that carries persisted result data "
                "with one that does not.",
            ),
        ],
    )
    def test_a_kept_result_is_not_run_over(
        self, data: Any, kind: str, expected: SetStateStatus, reason: str | None
    ) -> None:
        decision = decide(state("COMPLETED", data=data), state(kind))
        assert (decision.status, decision.reason) == (expected, reason)

    @pytest.mark.parametrize(
        ("data", "kept"),
        [
            (ResultRecord(result=1), False),
            (ResultRecord(result=1, metadata=ResultRecordMetadata()), False),
            (ResultRecord(result=1, metadata=ResultRecordMetadata(storage_key="k")), True),
            (ResultRecordMetadata(storage_key="k"), True),
            (5, False),
        ],
    )
    def test_results_in_memory_are_told_apart(self, data: Any, kept: bool) -> None:
        decision = decide(state("COMPLETED", data=data), state("RUNNING"))
        assert decision.status is (SetStateStatus.REJECT if kept else SetStateStatus.ACCEPT)

    def test_force_does_not_lose_a_kept_result(self) -> None:
        done = state("COMPLETED", data=PERSISTED)
        assert decide(done, state("COMPLETED"), force=True).status is SetStateStatus.REJECT
        assert decide(done, state("COMPLETED", data=PERSISTED), force=True).status is SetStateStatus.ACCEPT
        assert decide(done, state("RUNNING"), force=True).status is SetStateStatus.ACCEPT

    def test_a_deployed_run_is_scheduled_again_with_a_clean_slate(self) -> None:
        policy = FlowRunPolicy(retries=1, pause_keys=["a"], resuming=True)
        decision = decide(
            state("FAILED"),
            state("SCHEDULED", "AwaitingRetry"),
            deployment_id=DEPLOYMENT_ID,
            empirical_policy=policy,
        )
        assert decision.status is SetStateStatus.ACCEPT
        assert decision.policy == FlowRunPolicy(retries=1, retry_type="reschedule")
        assert decision.run_count is None


def test_the_same_transition_is_made_once() -> None:
    mark = UUID(int=7)
    running = state("RUNNING", transition_id=mark)
    for kind in ("RUNNING", "FAILED"):
        decision = decide(running, state(kind, transition_id=mark))
        assert (decision.status, decision.state) == (SetStateStatus.REJECT, None)
        assert decision.reason == "This run has already made this state transition."
    assert decide(running, state("RUNNING", transition_id=UUID(int=8))).status is SetStateStatus.ACCEPT
    assert decide(running, state("FAILED", transition_id=mark), force=True).status is SetStateStatus.ACCEPT


class TestPause:
    def test_a_pause_fires_once_for_its_key(self) -> None:
        first = decide(state("RUNNING"), state("PAUSED", pause_key="a"))
        assert first.policy is not None and first.policy.pause_keys == ["a"]
        second = decide(state("RUNNING"), state("PAUSED", pause_key="a"), empirical_policy=first.policy)
        assert (second.status, second.reason) == (SetStateStatus.REJECT, "This pause has already fired.")
        assert second.policy is None

    def test_resuming_goes_on_with_the_same_attempt(self) -> None:
        run = run_in(state("PENDING"), run_count=0)
        for proposed in [
            state("RUNNING"),
            state("PAUSED", pause_key="a"),
            state("RUNNING"),
            state("RUNNING"),
            state("PAUSED", "Suspended", pause_key="b"),
            state("SCHEDULED", "Resuming"),
            state("PENDING"),
            state("RUNNING"),
        ]:
            step(run, proposed)
        assert run.run_count == 1
        assert run.empirical_policy.pause_keys == ["a", "b"]
        assert run.empirical_policy.resuming is False

    def test_resuming_is_remembered(self) -> None:
        decision = decide(state("PAUSED"), state("RUNNING"))
        assert decision.policy is not None and decision.policy.resuming is True

    @pytest.mark.parametrize("kind", ["RUNNING", "SCHEDULED", "COMPLETED", "CANCELLED", "CRASHED"])
    def test_a_pause_that_timed_out_failed(self, kind: str) -> None:
        decision = decide(state("PAUSED", pause_timeout=NOW - timedelta(seconds=1)), state(kind))
        assert decision.status is SetStateStatus.REJECT
        assert decision.reason == "The flow run pause has timed out and can no longer resume."
        assert decision.state is not None and decision.state.type is StateType.FAILED

    def test_a_pause_that_timed_out_can_be_cancelled(self) -> None:
        decision = decide(state("PAUSED", pause_timeout=NOW - timedelta(seconds=1)), state("CANCELLING"))
        assert decision.status is SetStateStatus.ACCEPT

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({}, "Cannot suspend flows without a deployment."),
            ({"parent_task_run_id": UUID(int=5)}, "Cannot suspend subflows."),
            ({"deployment_id": DEPLOYMENT_ID}, None),
        ],
    )
    def test_only_what_can_start_again_is_suspended(self, fields: dict[str, Any], reason: str | None) -> None:
        decision = decide(state("RUNNING"), state("PAUSED", "Suspended", pause_reschedule=True), **fields)
        assert decision.reason == reason
        assert decision.status is (SetStateStatus.ABORT if reason else SetStateStatus.ACCEPT)

    def test_suspending_what_does_not_run_says_so(self) -> None:
        decision = decide(state("SCHEDULED"), state("PAUSED", "Suspended", pause_reschedule=True))
        assert decision.reason == "Cannot suspend flows that are not currently running."


class TestCancel:
    def test_what_has_no_process_is_cancelled_at_once(self) -> None:
        decision = decide(state("SCHEDULED"), state("CANCELLING", message="why"))
        assert decision.state is not None
        assert (decision.state.type, decision.state.message) == (StateType.CANCELLED, "why")

    def test_what_has_a_process_is_cancelled_by_it(self) -> None:
        decision = decide(state("SCHEDULED"), state("CANCELLING"), infrastructure_pid="host:1")
        assert decision.status is SetStateStatus.ACCEPT

    def test_a_suspended_run_is_cancelled_at_once(self) -> None:
        decision = decide(state("PAUSED", "Suspended", pause_reschedule=True), state("CANCELLING"))
        assert decision.reason == "Suspended flow run has no infrastructure to terminate."
        assert decision.state is not None and decision.state.type is StateType.CANCELLED

    @pytest.mark.parametrize(
        "current", [state("SCHEDULED"), state("PAUSED", "Suspended", pause_reschedule=True)], ids=str
    )
    def test_force_leaves_no_run_cancelling_that_nobody_would_end(self, current: State[Any]) -> None:
        decision = decide(current, state("CANCELLING"), force=True)
        assert decision.status is SetStateStatus.REJECT
        assert decision.state is not None and decision.state.type is StateType.CANCELLED

    def test_force_brings_a_cancelling_run_back(self) -> None:
        assert decide(state("CANCELLING"), state("RUNNING"), force=True).status is SetStateStatus.ACCEPT


def step(run: FlowRun, proposed: State[Any]) -> Decision:
    """Do what a store does with a decision."""
    decision = decide_flow_run(run.state, proposed, run, now=NOW)
    if decision.state is not None:
        run.empirical_policy = decision.policy or run.empirical_policy
        run.run_count = run.run_count if decision.run_count is None else decision.run_count
        enter_state(run, decision.state)
    return decision


PROPOSALS = st.builds(
    state,
    st.sampled_from(KINDS),
    st.sampled_from([None, "Late", "Submitting", "Suspended", "AwaitingRetry"]),
    data=st.sampled_from([None, {"type": "unpersisted"}, PERSISTED]),
    pause_key=st.sampled_from([None, "a", "b"]),
    pause_reschedule=st.booleans(),
    pause_timeout=st.sampled_from([None, NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
    scheduled_time=st.sampled_from([None, NOW - timedelta(hours=1), NOW + timedelta(hours=1)]),
)


@given(
    proposals=st.lists(PROPOSALS, max_size=12),
    retries=st.integers(0, 2),
    deployment=st.sampled_from([None, DEPLOYMENT_ID]),
)
def test_no_sequence_of_proposals_reaches_what_must_not_be(
    proposals: Sequence[State[Any]], retries: int, deployment: UUID | None
) -> None:
    run = FlowRun(flow_id=FLOW_ID, deployment_id=deployment, empirical_policy=FlowRunPolicy(retries=retries))
    for proposed in proposals:
        left, attempts = run.state, run.run_count
        decision = step(run, proposed)
        now_in = run.state
        if decision.status in (SetStateStatus.WAIT, SetStateStatus.ABORT):
            assert now_in is left and decision.state is None and decision.reason
        if decision.status is SetStateStatus.WAIT:
            assert decision.delay_seconds is not None and decision.delay_seconds > 0
        if left is None or now_in is None or now_in is left:
            continue
        if left.type is StateType.CANCELLING:
            assert now_in.type is StateType.CANCELLED
        if left.type in TERMINAL_STATES:
            assert now_in.type not in (StateType.CRASHED, StateType.CANCELLING, StateType.PAUSED)
            assert now_in.type is not StateType.SCHEDULED or deployment
        if left.type is StateType.COMPLETED and left.data == PERSISTED and now_in.type is StateType.COMPLETED:
            assert now_in.data == PERSISTED
        if now_in.type is StateType.PAUSED:
            assert left.type is StateType.RUNNING
        if now_in.type is StateType.SCHEDULED:
            assert now_in.state_details.scheduled_time is not None
        assert attempts <= run.run_count <= attempts + 1
        assert decision.reason != "Retrying" or attempts <= retries
