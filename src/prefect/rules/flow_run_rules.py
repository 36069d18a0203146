"""The rules of a flow run's states, in the order in which they are asked."""

from __future__ import annotations

from prefect.rules.decision import Decision, Rule, Transition, is_persisted
from prefect.rules.retries import nth_delay, retries_left
from prefect.rules.schedule_rules import awaiting_retry, keep_scheduled_time, start_on_time
from prefect.schemas.objects import FlowRun, FlowRunPolicy
from prefect.schemas.states import TERMINAL_STATES, State, StateType
from prefect.types import aware

__all__ = ["FLOW_RUN_RULES", "FORCED_FLOW_RUN_RULES"]

Flow = Transition[FlowRun]


def make_each_transition_once(t: Flow) -> Decision | None:
    """A request that is sent again after a lost answer changes nothing."""
    mark = t.proposed.state_details.transition_id
    if mark is not None and t.current is not None and t.current.state_details.transition_id == mark:
        return t.reject("This run has already made this state transition.")
    return None


def keep_persisted_results(t: Flow) -> Decision | None:
    """A result that is kept is not replaced by one that is not."""
    if t.left is not StateType.COMPLETED or t.kind is not StateType.COMPLETED or t.current is None:
        return None
    if is_persisted(t.current) and not is_persisted(t.proposed):
        return t.reject(
            "Cannot overwrite a COMPLETED state that carries persisted result data with one that does not."
        )
    return None


def let_ended_runs_rest(t: Flow) -> Decision | None:
    """A run that ended starts again only where it can do so, and then with a clean slate."""
    if t.current is None or t.left not in TERMINAL_STATES:
        return None
    if t.kind in (StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED):
        return t.abort(f"Run is already in terminal state {t.current.type.value}.")
    if t.kind in TERMINAL_STATES:
        return None
    if t.left is StateType.COMPLETED and is_persisted(t.current):
        return t.reject("Run is already COMPLETED.")
    if t.kind is StateType.SCHEDULED:
        if t.run.deployment_id is None:
            return t.abort("Cannot reschedule a run without an associated deployment.")
        t.change_policy(t.run.empirical_policy, retry_type="reschedule")
    t.change_policy(t.run.empirical_policy, pause_keys=[], resuming=False)
    return None


def let_cancelling_end_in_cancelled(t: Flow) -> Decision | None:
    """A run that is being cancelled does not come back to life."""
    if t.left is StateType.CANCELLING and t.kind is not StateType.CANCELLED:
        return t.reject("Cannot transition flows that are cancelling to a state other than Cancelled.")
    return None


def cancel_at_once_what_runs_nowhere(t: Flow) -> Decision | None:
    """Where there is no process to end, a run is Cancelled at once: nobody else would ever say so."""
    if t.kind is not StateType.CANCELLING or t.current is None:
        return None
    if t.left is StateType.SCHEDULED and not t.run.infrastructure_pid:
        what = "Scheduled"
    elif t.left is StateType.PAUSED and t.current.state_details.pause_reschedule:
        what = "Suspended"
    else:
        return None
    cancelled: State[None] = State(type=StateType.CANCELLED, message=t.proposed.message, timestamp=t.now)
    return t.reject(f"{what} flow run has no infrastructure to terminate.", cancelled)


def give_a_run_to_one_worker(t: Flow) -> Decision | None:
    """Only one worker gets a run: a second one that proposes Pending for it is refused."""
    if t.kind is not StateType.PENDING or t.current is None:
        return None
    if t.left is StateType.PENDING:
        # The steps of one worker's preparation (Submitting, InfrastructurePending) have names of their own.
        repeated = t.proposed.name in ("Pending", t.current.name)
    else:
        repeated = t.left in (StateType.RUNNING, StateType.CANCELLING, StateType.CANCELLED)
    if not repeated:
        return None
    return t.abort(f"This run is in a {t.current.type.value} state and cannot transition to a PENDING state.")


def mark_only_waiting_runs_late(t: Flow) -> Decision | None:
    """Lateness is said once, of runs that wait: the check may race with the run's start."""
    if t.kind is not StateType.SCHEDULED or t.proposed.name != "Late" or t.current is None:
        return None
    if t.left is not StateType.SCHEDULED:
        return t.reject("Only scheduled flows can be marked late.")
    if t.current.name == "Late":
        return t.reject("This flow run is already marked late.")
    return None


def pause_only_running_flows(t: Flow) -> Decision | None:
    """A pause holds what runs, fires once for its key, and suspends only what can be started again."""
    if t.kind is not StateType.PAUSED or t.current is None:
        return None
    if t.left is not StateType.RUNNING:
        verb = "suspend" if t.proposed.name == "Suspended" else "pause"
        return t.reject(f"Cannot {verb} flows that are not currently running.")
    keys, details = t.run.empirical_policy.pause_keys or [], t.proposed.state_details
    if details.pause_key is not None and details.pause_key in keys:
        return t.reject("This pause has already fired.")
    if details.pause_reschedule:
        if t.run.parent_task_run_id is not None:
            return t.abort("Cannot suspend subflows.")
        if t.run.deployment_id is None:
            return t.abort("Cannot suspend flows without a deployment.")
    if details.pause_key is not None:
        t.change_policy(t.run.empirical_policy, pause_keys=[*keys, details.pause_key])
    return None


def resume_paused_flows_in_time(t: Flow) -> Decision | None:
    """A paused run is resumed or ended; one that nobody resumed in time has failed."""
    if t.left is not StateType.PAUSED or t.current is None or t.kind is StateType.CANCELLING:
        return None
    if t.kind is StateType.PENDING:
        return t.reject(
            "This run cannot transition to the StateType.PENDING state from the StateType.PAUSED state."
        )
    timeout = t.current.state_details.pause_timeout
    if timeout is not None and aware(timeout) < t.now:
        expired: State[None] = State(
            type=StateType.FAILED, message="The flow was paused and never resumed.", timestamp=t.now
        )
        return t.reject("The flow run pause has timed out and can no longer resume.", expired)
    if t.kind in (StateType.RUNNING, StateType.SCHEDULED):
        t.change_policy(t.run.empirical_policy, resuming=True)
    return None


def retry_failed_flows(t: Flow) -> Decision | None:
    """A flow that fails while it has retries left waits for its next attempt."""
    if t.kind is not StateType.FAILED or t.left is not StateType.RUNNING:
        return None
    policy = t.run.empirical_policy
    if not retries_left(_retries(policy), t.run.run_count):
        t.change_policy(policy, retry_type=None)
        return None
    delay = policy.retry_delay if policy.retry_delay is not None else policy.retry_delay_seconds
    t.change_policy(policy, retry_type="in_process", resuming=False, pause_keys=[])
    return t.reject("Retrying", awaiting_retry(t, nth_delay(delay, t.run.run_count)))


def count_a_resumed_attempt_once(t: Flow) -> Decision | None:
    """A run that resumes goes on with its attempt, so it does not use up a retry."""
    if t.kind is not StateType.RUNNING or t.left is StateType.PAUSED or not t.run.empirical_policy.resuming:
        return None
    if t.left not in TERMINAL_STATES:
        t.run_count = max(0, t.run.run_count - 1)
        t.change_policy(t.run.empirical_policy, resuming=False)
    return None


def _retries(policy: FlowRunPolicy) -> int:
    return policy.retries if policy.retries is not None else policy.max_retries


FORCED_FLOW_RUN_RULES: tuple[Rule[FlowRun], ...] = (
    keep_persisted_results,
    cancel_at_once_what_runs_nowhere,
    keep_scheduled_time,
)
"""What holds even where a state is forced."""

FLOW_RUN_RULES: tuple[Rule[FlowRun], ...] = (
    make_each_transition_once,
    keep_persisted_results,
    let_ended_runs_rest,
    let_cancelling_end_in_cancelled,
    cancel_at_once_what_runs_nowhere,
    give_a_run_to_one_worker,
    mark_only_waiting_runs_late,
    pause_only_running_flows,
    resume_paused_flows_in_time,
    keep_scheduled_time,
    start_on_time,
    retry_failed_flows,
    count_a_resumed_attempt_once,
)
