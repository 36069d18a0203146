"""A task run, from its arguments to its end, as the steps of a driver."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar, Token
from datetime import timedelta
from logging import DEBUG
from types import ModuleType
from typing import TYPE_CHECKING, Any

from prefect.context.runs import (
    _FLOW_RUN,
    _TASK_RUN,
    _TRANSACTION,
    FlowRunContext,
    TaskRunContext,
    carried_flow_run,
)
from prefect.engine.caching import cached_state, kept, kept_failure, prepare_results
from prefect.engine.deadlines import DeadlineExceeded
from prefect.engine.ending import Ending
from prefect.engine.hooks import HOOK_OF_STATE, run_hooks
from prefect.engine.inputs import pending, resolve
from prefect.engine.journal import Journal, enter
from prefect.engine.lifecycle import (
    Interrupted,
    Outcome,
    Raised,
    Retry,
    Returned,
    RunOutOfTime,
    after_attempt,
    state_of,
)
from prefect.engine.notes import FlowRunNotes, notes_of
from prefect.engine.steps import Block, Call, ForkedChild, RunHook, Sleep, Steps, Wait
from prefect.engine.stopping import check, is_check_due
from prefect.exceptions import (
    Abort,
    Cancellation,
    ConfigurationError,
    Pause,
    TaskRunTimeoutError,
    UnfinishedRun,
    UpstreamTaskError,
)
from prefect.logging.loggers import get_logger, task_run_logger
from prefect.logging.prints import install_print
from prefect.logging.tracebacks import drop_own_frames
from prefect.schemas.objects import TaskRunRecord
from prefect.schemas.states import (
    TERMINAL_STATES,
    State,
    StateType,
    get_state_exception,
    result_of,
)
from prefect.settings import get_current_settings
from prefect.states import exception_to_crashed_state
from prefect.types import now

if TYPE_CHECKING:
    from prefect.recorder.slot_leases import SlotLease
    from prefect.tasks import Task

_log = get_logger("task_runs")

__all__ = ["task_run_steps"]


def task_run_steps(
    task: Task[Any, Any],
    parameters: dict[str, Any],
    record: TaskRunRecord,
    journal: Journal,
    wait_for: Iterable[Any] | None = None,
) -> Steps[Ending]:
    """Run a task.

    Args:
        task: The task.
        parameters: Its arguments as given, futures included.
        record: The run, in a Pending state.
        journal: Where it is written down.
        wait_for: Runs to wait for.

    Returns:
        How it ended.
    """
    flow = _FLOW_RUN.get()
    waiting = pending(parameters, wait_for)
    try:
        if waiting:
            yield Wait(waiting)
        parameters = resolve(parameters, wait_for)
        if flow is not None and is_check_due(notes_of(flow)):
            yield Block(lambda: check(flow))
    except UpstreamTaskError as error:
        return _not_ready(task, record, str(error), journal)
    except BaseException as error:
        _crash(record, error, journal)
        raise
    under_way = notes_of(flow).under_way if flow is not None else {}
    under_way[id(record)] = record
    context = TaskRunContext.of(task, record.run, parameters, _log_prints(task, flow))
    if context.log_prints:
        install_print()
    token = _TASK_RUN.set(context)
    try:
        return (yield from _TaskRun(task, parameters, record, journal, context, flow).steps())
    except BaseException as error:
        _crash(record, error, journal)
        raise
    finally:
        leave(_TASK_RUN, token)
        if context.transaction is not None:
            _transactions().close(context.transaction)
        if record.run.state_type in TERMINAL_STATES:  # else a second Ctrl-C came in between: its flow ends it
            under_way.pop(id(record), None)


def _transactions() -> ModuleType:
    from prefect.engine import task_transaction  # noqa: PLC0415 - import budget; few runs need one

    return task_transaction


def give_up(notes: FlowRunNotes) -> None:
    """End the task runs of a flow run that ends before them: in a thread that cannot be stopped, say."""
    for record in list(notes.under_way.values()):
        if record.run.state_type not in TERMINAL_STATES:
            message = "The flow run ended before this task did."
            details = record.states[0].state_details
            enter(record, State(type=StateType.CRASHED, message=message, state_details=details))
            notes.journal.note(record)


def leave(var: ContextVar[Any], token: Token[Any]) -> None:
    """Undo setting a ContextVar, also where the run ends in another context than it began in."""
    try:
        var.reset(token)
    except ValueError:
        var.set(None if token.old_value is Token.MISSING else token.old_value)


def _log_prints(task: Task[Any, Any], flow: FlowRunContext | None) -> bool | None:
    if task.log_prints is not None:
        return task.log_prints
    around = flow or carried_flow_run()
    return around.log_prints if around is not None else get_current_settings().logging.log_prints


def _crash(record: TaskRunRecord, error: BaseException, journal: Journal) -> None:
    """End a run that was interrupted outside of the function: while it waited, or between two steps."""
    if isinstance(error, ForkedChild):
        return  # the run goes on in the parent
    details = record.states[0].state_details
    if isinstance(error, Cancellation | Pause):
        enter(record, State(type=StateType.CANCELLED, message=str(error), state_details=details))
    elif record.run.state_type not in TERMINAL_STATES:
        enter(record, exception_to_crashed_state(error, state_details=details))
    journal.note(record)  # again, where the interruption came before it was noted


def _not_ready(task: Task[Any, Any], record: TaskRunRecord, message: str, journal: Journal) -> Ending:
    details = record.states[-1].state_details
    state: State[Any] = State(type=StateType.PENDING, name="NotReady", message=message, state_details=details)
    enter(record, state)
    journal.note(record)
    task_run_logger(record.run, task=task).warning("This task was not run: %s", message)
    return Ending(
        state, error=UnfinishedRun(f"Run is in PENDING state, its result is not available: {message}")
    )


class _TaskRun:
    """A task run that has its arguments."""

    __slots__ = (
        "context",
        "details",
        "flow",
        "is_deferred",
        "journal",
        "parameters",
        "record",
        "run",
        "task",
    )

    def __init__(
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        record: TaskRunRecord,
        journal: Journal,
        context: TaskRunContext,
        flow: FlowRunContext | None,
    ) -> None:
        self.task = task
        self.parameters = parameters
        self.record = record
        self.run = record.run
        self.journal = journal
        self.context = context
        self.flow = flow
        self.details = record.states[-1].state_details
        self.is_deferred = bool(record.states[0].state_details.deferred)

    def steps(self) -> Steps[Ending]:
        """Make attempts until the run ends."""
        task, run = self.task, self.run
        if task.task_run_name is not None:
            run.name = yield from self._custom_name()
        is_kept = prepare_results(self.context, task, self.flow, is_deferred=self.is_deferred)
        if (
            task.on_rollback_hooks
            or task.on_commit_hooks
            or _TRANSACTION.get() is not None
            or (is_kept and self._is_within())
        ):
            try:
                yield from _transactions().begin_run(self.context)
            except ConfigurationError as error:
                refusal = Raised(error)
                return (
                    yield from self._finish(state_of(refusal, kind="Task", details=self.details), refusal)
                )
        if is_kept:
            cached = yield Block(lambda: cached_state(self.context, self.details))
            if cached is not None:
                if self.context.transaction is not None:
                    yield from _transactions().reuse(self.context)
                self._enter(cached)
                return (yield from self._end(cached, result_of(cached, raise_on_failure=False)))
        args, kwargs = task.signature.to_call(self.parameters)
        attempt, retries = 1, task.retries
        while True:
            outcome = yield from self._attempt(args, kwargs, None if attempt == 1 else "Retrying")
            decision = after_attempt(
                outcome,
                kind="Task",
                details=self.details,
                retries_left=retries - attempt + 1,
                delay=lambda index=attempt: task.retry_delay(index),  # type: ignore[misc]
                may_retry=(yield from self._may_retry(outcome)) if attempt <= retries else False,
            )
            if not isinstance(decision, Retry):
                return (yield from self._finish(decision.state, outcome))
            if self.context.transaction is not None:
                yield from _transactions().again(self.context.transaction)
            yield from self._wait_for_retry(decision, outcome, attempt)
            attempt += 1

    def _is_within(self) -> bool:
        """Whether a run around this one shares its outcome, or runs of its key wait for each other."""
        return self.context.around is not None or self.task.cache_policy.isolation_level is not None

    def _attempt(self, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None) -> Steps[Outcome]:
        task, slots = self.task, None
        try:
            if self.run.tags:
                slots = yield from self._slots()
            self._enter(State(type=StateType.RUNNING, name=name, state_details=self.details))
            if task.on_running_hooks:
                yield from self._hooks(self.run.state)
            outcome: Outcome = Returned((yield Call(task.fn, args, kwargs, task.timeout_seconds)))
        except DeadlineExceeded as error:
            timeout = TaskRunTimeoutError(f"Scope timed out after {float(error.seconds)} second(s).")
            outcome = RunOutOfTime(timeout, error.seconds)
        except (Exception, Abort) as error:  # noqa: BLE001 - whatever user code raises is an outcome
            outcome = Raised(drop_own_frames(error))
        except ForkedChild:
            raise  # with the slots, which are the parent's
        except BaseException as error:  # noqa: BLE001 - raised again when the run has been written down
            outcome = Interrupted(drop_own_frames(error))
        if slots is not None:
            yield from self._give_back(slots)
        return outcome

    def _slots(self) -> Steps[SlotLease | None]:
        from prefect.engine.tag_limits import take_slots  # noqa: PLC0415 - only with tags

        return (yield from take_slots(self.journal.client, self.run))

    def _give_back(self, slots: SlotLease) -> Steps[None]:
        from prefect.engine.tag_limits import give_slots_back  # noqa: PLC0415 - only with a limit

        yield Block(lambda: give_slots_back(slots))

    def _enter(self, state: State[Any]) -> None:
        if self.run.state_type in TERMINAL_STATES:
            return  # given up meanwhile, by a flow run that ended: what comes late changes nothing
        enter(self.record, state)
        self.context.refresh()
        self.journal.note(self.record)

    def _custom_name(self) -> Steps[str]:
        try:
            return (yield RunHook(self.task.name_of_run, (self.parameters,)))  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises
            # The interface fails the run; a name is not worth a result.
            self._logger().warning(
                "task_run_name failed (%r): the run keeps the name %r", error, self.run.name
            )
            return self.run.name

    def _may_retry(self, outcome: Outcome) -> Steps[bool]:
        condition = self.task.retry_condition_fn
        if condition is None or not isinstance(outcome, Raised | RunOutOfTime):
            return True
        state = after_attempt(
            outcome, kind="Task", details=self.details, retries_left=0, delay=lambda: 0.0
        ).state
        try:
            return bool((yield RunHook(condition, (self.task, self.run, state))))
        except Exception:  # noqa: BLE001 - whatever the user's function raises
            self._logger().error(
                "An error was encountered while running `retry_condition_fn`: the run is not retried",
                exc_info=True,
            )
            return False

    def _wait_for_retry(self, decision: Retry, outcome: Outcome, attempt: int) -> Steps[None]:
        delay = decision.delay
        self._logger().info(
            "Task run failed with exception: %r - Retry %s/%s will start %s",
            getattr(outcome, "error", None),
            attempt,
            self.task.retries,
            decision.when,
        )
        if delay > 0:
            due = now() + timedelta(seconds=delay)
            details = self.details.model_copy(update={"scheduled_time": due})
            self._enter(
                State(
                    type=StateType.SCHEDULED,
                    name="AwaitingRetry",
                    message=decision.state.message,
                    state_details=details,
                )
            )
            yield Sleep(delay)

    def _finish(self, state: State[Any], outcome: Outcome) -> Steps[Ending]:
        if isinstance(outcome, Returned):
            transaction = self.context.transaction
            if transaction is not None:
                state = yield from _transactions().settle(self.context, self.record, self.journal, state)
            elif self.context.persist_result and state.type is StateType.COMPLETED:
                state = yield Block(lambda: kept(self.context, state))
            value = outcome.value
            if self.flow is not None:
                notes_of(self.flow).tracker.note(value, self.run.id)
            self._enter(state)
            if transaction is not None and transaction.is_rolled_back() and transaction.when_rolled_back:
                transaction.when_rolled_back()
            return (yield from self._end(state, value))
        if self.context.transaction is not None or self.context.around is not None:
            yield from _transactions().fail(self.context)
        logger = self._logger()
        error = get_state_exception(state)
        if self.is_deferred and self.context.persist_result:
            state = yield Block(lambda: kept_failure(self.context, state))
        logger.error(
            "Task run failed with exception: %r%s", error, self._why_not_retried(state), exc_info=error
        )
        self._enter(state)
        ending = yield from self._end(state, None, error)
        if isinstance(outcome, Interrupted):
            raise outcome.error
        return ending

    def _why_not_retried(self, state: State[Any]) -> str:
        if not self.task.retries or state.type is not StateType.FAILED:
            return ""
        if self.run.run_count > self.task.retries:
            return " - Retries are exhausted"
        return " - It is not retried: `retry_condition_fn` says no"

    def _end(self, state: State[Any], value: Any, error: BaseException | None = None) -> Steps[Ending]:
        if state.type is not StateType.COMPLETED:
            self._logger().error("Finished in state %s", state)
        elif _log.isEnabledFor(DEBUG):
            self._logger().debug("Finished in state %s", state)
        if getattr(self.task, HOOK_OF_STATE.get(state.type, "on_running_hooks")) and state.is_final():
            yield from self._hooks(state)
        return Ending(state, value, error)

    def _hooks(self, state: State[Any] | None) -> Steps[None]:
        if state is not None:
            hooks = getattr(self.task, HOOK_OF_STATE[state.type])
            yield from run_hooks(hooks, self.task, self.run, state, self._logger())

    def _logger(self) -> Any:
        return task_run_logger(self.run, task=self.task)
