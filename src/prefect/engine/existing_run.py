"""A flow run that somebody else made: a deployment's, say, which this process was started to carry out.

It differs from a run that a call makes in how it begins. It has its id, name and tags already; it may not be
due yet; and it may have been cancelled, or taken up by another process, before this one came to it.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from prefect.engine.ending import Ending
from prefect.engine.flow_run import FlowRunSteps, in_context
from prefect.engine.journal import Journal
from prefect.engine.notes import open_journal
from prefect.engine.steps import Block, Sleep, Steps
from prefect.engine.stopping import keep_slot
from prefect.exceptions import (
    Abort,
    Cancellation,
    ParameterBindError,
    ParameterTypeError,
    SignatureMismatchError,
)
from prefect.operations.flow_runs import read_flow_run, read_flow_run_states
from prefect.rules.beginning import starting
from prefect.schemas.actions import FlowRunUpdate
from prefect.schemas.objects import FlowRun, FlowRunPolicy
from prefect.schemas.snapshots import DeploymentSnapshot, FlowRunSnapshot
from prefect.schemas.states import State
from prefect.types import now, uuid7

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["existing_run_steps"]


def existing_run_steps(flow: Flow[Any, Any], run: FlowRun, facts: FlowRunSnapshot) -> Steps[Ending]:
    """Carry out a flow run that is there.

    Args:
        flow: The flow.
        run: The run, with the parameters that it was given.
        facts: What is known of it: its deployment, and the run that it is nested in.

    Returns:
        How it ended.

    Raises:
        prefect.exceptions.Abort: It is not to be carried out here, or not any more.
    """
    return (yield from in_context(_ExistingRun(flow, run, open_journal(), facts), is_root=True))


class _ExistingRun(FlowRunSteps):
    """A flow run that is there, and begins here."""

    __slots__ = ()

    def __init__(self, flow: Flow[Any, Any], run: FlowRun, journal: Journal, facts: FlowRunSnapshot) -> None:
        super().__init__(flow, run.parameters, journal, None, run)
        self.parent_snapshot = self.context.parent = _parent_of(facts)
        self.context.deployment = facts.deployment
        self.is_new = False

    def _prepare(self) -> Steps[Exception | None]:
        """Take up the run, unless it is over; complete and check its parameters, and name it."""
        run, flow, state = self.run, self.flow, self.run.state
        if state is not None and (state.is_final() or state.is_running()):
            raise Abort(f"Flow run {run.name!r} is {state.name} already: it is not run here.")
        problem = self._fit_parameters()
        self.context.refresh()
        changes = FlowRunUpdate(flow_version=flow.version, empirical_policy=_policy_of(flow, run))
        if problem is None and flow.flow_run_name is not None:
            run.name = changes.name = yield from self._name()
        run.flow_version = flow.version
        yield Block(lambda: self.journal.adopt(run, flow.name, changes), self.journal.hurry)
        self.context.refresh()
        return problem

    def _fit_parameters(self) -> Exception | None:
        try:
            parameters = self.flow.signature.complete(self.parameters)
            if self.flow.should_validate_parameters:
                parameters = self.flow.validate(parameters)
        except (ParameterTypeError, ParameterBindError, SignatureMismatchError) as error:
            return error
        self.parameters = self.context.parameters = parameters
        return None

    def _start(self, state: State[Any]) -> Steps[None]:
        """Enter Running when the run is due; one that may not, ends or is left alone."""
        while True:
            yield from self._wait_until_due(self.run.state or state)
            entered = yield Block(partial(self._begin, state), self.journal.hurry)
            if entered.is_running():
                return
            if entered.is_cancelling():
                raise Cancellation(f"Flow run {self.run.name!r} was cancelled before it began.")
            if not entered.is_scheduled():
                raise Abort(f"Flow run {self.run.name!r} is {entered.name} now: it is not run here.")

    def _begin(self, state: State[Any]) -> State[Any]:
        """Enter Running, unless another process was given the run that this one was started for."""
        if (first := starting(self.run, uuid7())) is not None:
            self._begin_alone(first)
        # It begins now, and not when this was first thought of.
        state = state.model_copy(update={"id": uuid7(), "timestamp": now()})
        before = self.run.state
        only_from = before.id if before is not None and before.is_pending() else None
        accepted = self.journal.propose(self.run, state, only_from=only_from)
        keep_slot(self.context, accepted)
        self.context.refresh()
        return accepted

    def _begin_alone(self, first: State[Any]) -> None:
        """Enter Starting, unless another process has begun the run: see `prefect.rules.beginning`."""
        client = self.journal.client
        assert client is not None  # who has marked the run has asked a server
        given = self.run.state
        begun, now_in = self.run.run_count, client.call(read_flow_run, self.run.id).state
        if given is not None and now_in is not None and now_in.id != given.id:
            raise Abort(f"Flow run {self.run.name!r} is {now_in.name} now: it is not run here.")
        entered = self.journal.propose(self.run, first)
        if entered.state_details.transition_id != first.state_details.transition_id:
            raise Abort(f"Flow run {self.run.name!r} is {entered.name} now: it is not run here.")
        if client.call(read_flow_run, self.run.id).run_count > begun:
            # Another one began it after it was read, and has ended it: a server lets such a run begin again.
            states = client.call(read_flow_run_states, self.run.id)
            left = next(state for state in reversed(states) if state.id != entered.id)
            self.journal.propose(self.run, left.model_copy(update={"id": uuid7()}), force=True)
            raise Abort(f"Flow run {self.run.name!r} was run by another process meanwhile.")

    def _wait_until_due(self, state: State[Any]) -> Steps[None]:
        due = state.state_details.scheduled_time
        if due is not None and due > now():
            self.logger.info("Waiting until %s, when the run is due", due.isoformat(timespec="seconds"))
            yield Sleep((due - now()).total_seconds())


def _policy_of(flow: Flow[Any, Any], run: FlowRun) -> FlowRunPolicy:
    """Return how the run is retried, as its flow has it; what it remembers of pauses stays."""
    delay = flow.retry_delay_seconds
    # Servers take whole seconds; how long is waited, the run itself knows.
    seconds = math.ceil(delay) if isinstance(delay, int | float) else None
    return msgspec.structs.replace(run.empirical_policy, retries=flow.retries, retry_delay=seconds)


def _parent_of(facts: FlowRunSnapshot) -> FlowRunSnapshot | None:
    if facts.parent_flow_run_id is None:
        return None
    deployment, parents = facts.deployment, facts.parent_deployment_id
    if parents is None:
        deployment = None
    elif deployment is None or deployment.id != parents:
        deployment = DeploymentSnapshot(id=parents)
    return FlowRunSnapshot(
        id=facts.parent_flow_run_id, root_flow_run_id=facts.root_flow_run_id, deployment=deployment
    )
