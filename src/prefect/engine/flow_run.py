"""A flow run, from its parameters to its end, as the steps of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.context.runs import (
    _FLOW_RUN,
    _TASK_RUN,
    FlowRunContext,
    add_live_root,
    carried_flow_run,
    remove_live_root,
)
from prefect.engine.beginning import inherited_log_prints, is_programs_own, new_flow_run
from prefect.engine.caching import is_persisting, kept, store_around
from prefect.engine.deadlines import DeadlineExceeded
from prefect.engine.ending import Ending, ending_of, log_failure, states_for_futures
from prefect.engine.hooks import HOOK_OF_STATE, run_hooks
from prefect.engine.inputs import pending, resolve, task_inputs
from prefect.engine.journal import Journal
from prefect.engine.lifecycle import (
    Interrupted,
    Outcome,
    Raised,
    Retry,
    Returned,
    RunOutOfTime,
    after_attempt,
    awaiting_retry,
    state_of,
)
from prefect.engine.nesting import kept_ending, mirror, stand_in
from prefect.engine.notes import FlowRunNotes, notes_of, open_journal
from prefect.engine.signals import cancellation_as_exception, meant_by, termination_as_exception
from prefect.engine.steps import Block, Call, ForkedChild, Join, RunHook, Sleep, Steps, Wait
from prefect.engine.stopping import cancelled, keep_slot, let_slot_go, suspended, unless_cancelled
from prefect.engine.task_run import give_up, leave
from prefect.exceptions import (
    Abort,
    Cancellation,
    CancelledRun,
    FlowRunTimeoutError,
    ObjectNotFound,
    ParameterTypeError,
    Pause,
    TerminationSignal,
    UnfinishedRun,
    UpstreamTaskError,
)
from prefect.logging.loggers import flow_run_logger
from prefect.logging.prints import install_print
from prefect.logging.tracebacks import drop_own_frames
from prefect.schemas.objects import FlowRun, TaskRunRecord
from prefect.schemas.snapshots import FlowRunSnapshot
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prefect.flows import Flow

__all__ = ["FlowRunSteps", "flow_run_steps", "in_context"]


def flow_run_steps(
    flow: Flow[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
) -> Steps[Ending]:
    """Run a flow.

    Args:
        flow: The flow.
        parameters: Its arguments as given, futures included.
        wait_for: Runs to wait for.

    Returns:
        How it ended.
    """
    parent = _FLOW_RUN.get()
    waiting = pending(parameters, wait_for)
    given = parameters
    if waiting:
        yield Wait(waiting)
    try:
        parameters = resolve(parameters, wait_for)
    except UpstreamTaskError as error:
        message = f"{error} The flow {flow.name!r} was not run."
        state: State[Any] = State(type=StateType.PENDING, name="NotReady", message=message)
        return Ending(state, error=UnfinishedRun(message))
    journal = notes_of(parent).journal if parent is not None else open_journal()
    run = FlowRunSteps(flow, parameters, journal, parent)
    run.link(task_inputs(given, notes_of(parent).tracker, wait_for) if parent is not None else {})
    earlier = None if run.is_new else kept_ending(run.run, run.logger)
    if earlier is not None:
        return earlier
    return (yield from in_context(run, is_root=parent is None and is_programs_own(run.parent_snapshot)))


def in_context(run: FlowRunSteps, *, is_root: bool) -> Steps[Ending]:
    """Take the steps of a flow run with its context around them.

    Args:
        run: The flow run.
        is_root: Whether it is the program's own, and no part of a run that goes on around it.
    """
    flow_token, task_token = _FLOW_RUN.set(run.context), _TASK_RUN.set(None)
    try:
        if not is_root:
            return (yield from run.steps())
        add_live_root(run.context)
        try:
            with termination_as_exception(), cancellation_as_exception(run.context, is_new=run.is_new):
                return (yield from run.steps())
        finally:
            remove_live_root(run.context)
    finally:
        leave(_TASK_RUN, task_token)
        leave(_FLOW_RUN, flow_token)


class FlowRunSteps:
    """A flow run that has its arguments."""

    __slots__ = (
        "context",
        "details",
        "flow",
        "is_new",
        "journal",
        "link_record",
        "parameters",
        "parent",
        "parent_snapshot",
        "run",
    )

    def __init__(
        self,
        flow: Flow[Any, Any],
        parameters: dict[str, Any],
        journal: Journal,
        parent: FlowRunContext | None,
        run: FlowRun | None = None,
    ) -> None:
        self.flow = flow
        self.parameters = parameters
        self.journal = journal
        self.parent = parent
        self.parent_snapshot: FlowRunSnapshot | None = (
            parent.snapshot if parent is not None else carried_flow_run()
        )
        self.link_record: TaskRunRecord | None = None
        self.is_new = True
        self.run = run or new_flow_run(flow, parameters)
        self.context = FlowRunContext(
            flow=flow,
            flow_run=self.run,
            parameters=parameters,
            task_runner=flow.task_runner.duplicate(),
            client=journal.client,
            log_prints=flow.log_prints if flow.log_prints is not None else inherited_log_prints(parent),
            start_time=now(),
            parent=self.parent_snapshot,
            state=FlowRunNotes(journal, self._enter),
            persist_result=is_persisting(flow, parent, is_task=False),
        )
        if self.context.persist_result:
            self.context.result_store = store_around(parent).update_for_flow(flow)
        self.details = StateDetails(flow_run_id=self.run.id)

    def link(self, inputs: Any) -> None:
        """Tie a nested run to its parent by a task run that stands for it there, as the interface has it.

        When the parent is retried, the nested run is found again by its position and runs under its old id.
        """
        if self.parent is None or self.parent.flow_run is None:
            return
        notes, key = notes_of(self.parent), self.flow.task_key
        position = notes.next_position(key)
        known = notes.children.get((key, position))
        if known is not None:
            self.run, self.link_record = known
            self.run.parameters = self.parameters
            self.context.flow_run = self.run
            self.details = StateDetails(flow_run_id=self.run.id)
            self.is_new = False
            return
        self.link_record = stand_in(self.run, self.flow, self.parent.flow_run, position, inputs)
        if self.parent.flow is not None and self.parent.flow.retries:
            # Only a retry looks for them: a loop over many nested flows keeps none of them alive.
            notes.children[key, position] = (self.run, self.link_record)

    def steps(self) -> Steps[Ending]:
        """Begin the run, make attempts, and end it."""
        try:
            problem = yield from self._prepare()
            if problem is not None:
                return (yield from self._finish(self._invalid(problem), Raised(problem)))
            if self.context.log_prints:
                install_print()
            return (yield from self._attempts())
        except (Abort, ForkedChild):
            raise  # the run is somebody else's now
        except Pause as signal:
            self.logger.info("Suspended: the run begins again when it is resumed")
            return suspended(signal)
        except Cancellation as signal:
            return (yield from self._finish(cancelled(self.details), Raised(CancelledRun(str(signal)))))
        except BaseException as error:
            # Interrupted outside of the user's function: while it waited, or between two steps.
            if self.run.state is None or self.run.state.is_final():
                raise
            self._give_up_tasks()
            interruption = Interrupted(error)
            state = state_of(interruption, kind="Flow", details=self.details)
            try:
                return (yield from self._finish(state, interruption))
            except ObjectNotFound:
                raise error from None  # it came before the run was written down
        finally:
            let_slot_go(self.context)
            is_root = self.parent is None
            yield Block(lambda: self.journal.close(self.run, is_root=is_root))

    def _prepare(self) -> Steps[Exception | None]:
        """Validate, name and write down the run, in this order: its name is right from the first record."""
        flow, problem = self.flow, None
        if flow.should_validate_parameters:
            try:
                self.parameters = flow.validate(self.parameters)
                self.run.parameters = self.context.parameters = self.parameters
            except ParameterTypeError as error:
                problem = error
                self.run.parameters = flow.signature.fitting(self.parameters)
        if self.is_new:
            # A function that makes names may ask for the run's id, which a server gives.
            is_named_later = self.journal.gives_ids and callable(flow.flow_run_name)
            if problem is None and not is_named_later:
                self.run.name = yield from self._name()
            yield Block(self._create, self.journal.hurry)
            if problem is None and is_named_later:
                given, self.run.name = self.run.name, (yield from self._name())
                if self.run.name != given:
                    yield Block(lambda: self.journal.rename(self.run))
                self.context.refresh()
        return problem

    def _create(self) -> None:
        run, flow = self.run, self.flow
        pending_state: State[Any] = State(type=StateType.PENDING, state_details=self.details)
        run.state, run.state_type, run.state_name = pending_state, StateType.PENDING, "Pending"
        run.expected_start_time = pending_state.timestamp
        try:
            self.journal.create_flow_run(flow.name, sorted(flow.tags), run, self.link_record)
        except Exception:
            run.state = None  # there is no run that could end
            raise
        if self.details.flow_run_id != run.id:
            self.details = StateDetails(flow_run_id=run.id)
        self._mirror(pending_state)
        self.context.refresh()

    def _name(self) -> Steps[str]:
        flow = self.flow
        if flow.flow_run_name is None:
            return self.run.name
        try:
            return (yield RunHook(flow.name_of_run, (self.parameters,)))  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises
            self.logger.warning("flow_run_name failed (%r): the run keeps the name %r", error, self.run.name)
            return self.run.name

    def _attempts(self) -> Steps[Ending]:
        flow, logger = self.flow, self.logger
        args, kwargs = flow.signature.to_call(self.parameters)
        kind = "flow run" if self.parent_snapshot is None else "subflow run"
        logger.info("Beginning %s %r for flow %r", kind, self.run.name, flow.name)
        attempt = 1
        while True:
            name = None if attempt == 1 else "Retrying"
            yield from self._start(State(type=StateType.RUNNING, name=name, state_details=self.details))
            notes_of(self.context).begin_attempt()
            yield from self._hooks(flow.on_running_hooks)
            outcome = yield from self._call(args, kwargs)
            decision = after_attempt(
                outcome,
                kind="Flow",
                details=self.details,
                retries_left=flow.retries - attempt + 1,
                delay=lambda index=attempt: flow.retry_delay(index),  # type: ignore[misc]
            )
            log_failure(outcome, logger)
            if isinstance(decision, Retry):
                yield from self._wait_for_retry(decision, attempt)
            else:
                ending = yield from self._finish(decision.state, outcome)
                if ending.state.name != "AwaitingRetry" or not decision.state.is_final():
                    return ending
                yield from self._wait_until_due(ending.state)
            attempt += 1

    def _start(self, state: State[Any]) -> Steps[None]:
        yield from self._propose(state)

    def _wait_until_due(self, state: State[Any]) -> Steps[None]:
        """Wait to be run again, because a server counts more retries than there are here."""
        due = state.state_details.scheduled_time or now()
        yield Sleep(max(0.0, (due - now()).total_seconds()))

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps[Outcome]:
        """Call the user's function, then wait for the task runs it has left behind."""
        runner = self.context.task_runner
        try:
            value = yield Call(self.flow.fn, args, kwargs, self.flow.timeout_seconds)
            if runner.is_started:
                yield Join(runner.finish)
            return Returned((yield from states_for_futures(value)))
        except DeadlineExceeded as error:
            self._give_up_tasks()
            timeout = FlowRunTimeoutError(f"Scope timed out after {float(error.seconds)} second(s).")
            return RunOutOfTime(timeout, error.seconds)
        except (Exception, Abort) as error:  # noqa: BLE001 - whatever user code raises is an outcome
            if runner.is_started:
                runner.cancel_queued()
                yield Join(runner.finish)
            return Raised(drop_own_frames(error))
        except ForkedChild:
            raise
        except BaseException as error:  # noqa: BLE001 - an outcome, or what it means is raised
            self._give_up_tasks()
            if isinstance(meant := meant_by(self.context, error), Pause | Cancellation):
                raise meant from None
            return Interrupted(drop_own_frames(error))

    def _give_up_tasks(self) -> None:
        self.context.task_runner.cancel_all()
        give_up(notes_of(self.context))

    def _wait_for_retry(self, decision: Retry, attempt: int) -> Steps[None]:
        self.logger.info("Retry %s/%s will start %s", attempt, self.flow.retries, decision.when)
        state = awaiting_retry(decision, self.details, now())
        yield from self._propose(state)
        if decision.delay > 0:
            yield Sleep(decision.delay)

    def _propose(self, state: State[Any], *, force: bool = False) -> Steps[State[Any]]:
        # In one step, which an interruption does not part: what stands for the run follows it.
        return (yield Block(lambda: self._enter(state, force), self.journal.hurry))  # type: ignore[no-any-return]

    def _enter(self, state: State[Any], force: bool) -> State[Any]:
        accepted = self.journal.propose(self.run, state, force=force)
        if accepted.is_cancelling() and state.is_final():
            # It has ended, so there is nothing left to cancel.
            accepted = self.journal.propose(self.run, cancelled(self.details), force=force)
        keep_slot(self.context, accepted)
        self._mirror(accepted)
        self.context.refresh()
        return accepted

    def _mirror(self, state: State[Any]) -> None:
        if self.link_record is not None:
            mirror(state, self.run, self.link_record)
            self.journal.note_stand_in(self.link_record)

    def _invalid(self, problem: Exception) -> State[Any]:
        self.logger.error("Validation of flow parameters failed with error: %s", problem)
        message = f"Validation of flow parameters failed with error: {type(problem).__name__}: {problem}"
        state = state_of(Raised(problem), kind="Flow", details=self.details)
        return state.model_copy(update={"message": message})

    def _finish(self, state: State[Any], outcome: Outcome) -> Steps[Ending]:
        if isinstance(outcome, Returned) and self.context.persist_result and state.is_completed():
            state = yield Block(lambda: kept(self.context, state))
        if isinstance(outcome, Interrupted) and isinstance(outcome.error, TerminationSignal):
            state = yield Block(lambda: unless_cancelled(self.context, state))
        # An interrupted run is over, whatever state it was in.
        final = yield from self._propose(state, force=isinstance(outcome, Interrupted))
        logger = self.logger
        if final.is_completed():
            logger.info("Finished in state %s", final)
        else:
            logger.error("Finished in state %s", final)
        if final.type in HOOK_OF_STATE:
            yield from self._hooks(getattr(self.flow, HOOK_OF_STATE[final.type]))
        if isinstance(outcome, Interrupted):
            raise outcome.error
        if isinstance(outcome, Raised | RunOutOfTime):
            return Ending(final, error=outcome.error)
        return ending_of(final, outcome.value)

    def _hooks(self, hooks: list[Any]) -> Steps[None]:
        if hooks and self.run.state is not None:
            yield from run_hooks(hooks, self.flow, self.run, self.run.state, self.logger)

    @property
    def logger(self) -> Any:
        """The run's logger."""
        return flow_run_logger(self.run, self.flow)
