"""The rules of a task run's states, in the order in which they are asked."""

from __future__ import annotations

from prefect.rules.decision import Decision, Rule, Transition, is_persisted
from prefect.rules.retries import jittered, nth_delay, retries_left, spread
from prefect.rules.schedule_rules import awaiting_retry, keep_scheduled_time, start_on_time
from prefect.schemas.objects import TaskRun
from prefect.schemas.states import TERMINAL_STATES, State, StateDetails, StateType

__all__ = ["FORCED_TASK_RUN_RULES", "TASK_RUN_RULES"]

Task = Transition[TaskRun]


def run_only_in_running_flows(t: Task) -> Decision | None:
    """A task does not start when its flow is not running: the flow may be over, or held."""
    if t.kind is not StateType.RUNNING or t.run.flow_run_id is None:
        return None
    flow = t.flow_run_state
    if flow is not None and flow.type is StateType.RUNNING:
        return None
    if flow is None or flow.type is not StateType.PAUSED:
        return t.abort("The enclosing flow must be running to begin task execution.")
    reason = f"The flow is paused, new tasks can execute after resuming flow run: {t.run.flow_run_id}."
    details = StateDetails(pause_reschedule=flow.state_details.pause_reschedule)
    held: State[None] = State(
        type=StateType.PAUSED, name="NotReady", message=reason, state_details=details, timestamp=t.now
    )
    return t.reject(reason, held)


def let_ended_tasks_rest(t: Task) -> Decision | None:
    """A task that ended may run again, unless its result is kept; its attempts are then counted anew."""
    if t.current is None or t.left not in TERMINAL_STATES:
        return None
    if t.kind in (StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED):
        return t.abort(f"Run is already {t.current.type.value}.")
    if t.left is StateType.COMPLETED and is_persisted(t.current):
        return t.reject("This run is already completed.")
    if t.kind not in TERMINAL_STATES:
        t.run_count = 0
    return None


def retry_failed_tasks(t: Task) -> Decision | None:
    """A task that fails while it has retries left waits for its next attempt."""
    if t.kind is not StateType.FAILED or t.left is not StateType.RUNNING:
        return None
    policy = t.run.empirical_policy
    retries = policy.retries if policy.retries is not None else policy.max_retries
    if t.proposed.state_details.retriable is False or not retries_left(retries, t.run.run_count):
        return None
    delays = policy.retry_delay if policy.retry_delay is not None else policy.retry_delay_seconds
    delay = nth_delay(delays, t.run.run_count)
    delay = jittered(delay, policy.retry_jitter_factor, spread(t.run.id.int, t.run.run_count))
    return t.reject("Retrying", awaiting_retry(t, delay))


def name_further_attempts(t: Task) -> Decision | None:
    """A second attempt shows as one: Retrying after a failure, Rerunning when started over."""
    attempts = t.run.run_count if t.run_count is None else t.run_count
    if t.kind is StateType.RUNNING and t.current is not None and attempts:
        t.propose(name="Retrying" if t.current.name == "AwaitingRetry" else "Rerunning")
    return None


FORCED_TASK_RUN_RULES: tuple[Rule[TaskRun], ...] = (keep_scheduled_time,)
"""What holds even where a state is forced."""

TASK_RUN_RULES: tuple[Rule[TaskRun], ...] = (
    run_only_in_running_flows,
    let_ended_tasks_rest,
    keep_scheduled_time,
    start_on_time,
    retry_failed_tasks,
    name_further_attempts,
)
