"""`Decision`, what becomes of a proposed state, and `Transition`, what the rules see on the way there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from prefect.schemas.objects import FlowRun, FlowRunPolicy, TaskRun
from prefect.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from prefect.schemas.results import ResultRecord, ResultRecordMetadata
from prefect.schemas.states import State, StateType

__all__ = ["Decision", "Rule", "Transition", "is_persisted"]

R = TypeVar("R", FlowRun, TaskRun)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a proposed state."""

    status: SetStateStatus
    state: State[Any] | None = None
    """The state to store: what was proposed, or on REJECT another; None: the run keeps its own."""
    reason: str | None = None
    delay_seconds: int | None = None
    """On WAIT: when to propose it again."""
    policy: FlowRunPolicy | None = None
    """The flow run's policy to store together with `state`, where the rules changed it."""
    run_count: int | None = None
    """The attempts to count from, to be set before the run enters `state`, where the rules changed them."""

    def answer(self, state: State[Any] | None) -> OrchestrationResult:
        """Return what whoever proposed is told.

        Args:
            state: The state that the run has now.
        """
        return OrchestrationResult(state=state, status=self.status, details=self._details())

    def _details(
        self,
    ) -> StateAcceptDetails | StateWaitDetails | StateRejectDetails | StateAbortDetails:
        if self.status is SetStateStatus.ACCEPT:
            return StateAcceptDetails()
        if self.status is SetStateStatus.WAIT:
            return StateWaitDetails(delay_seconds=self.delay_seconds or 0, reason=self.reason)
        if self.status is SetStateStatus.REJECT:
            return StateRejectDetails(reason=self.reason)
        return StateAbortDetails(reason=self.reason)


class Transition(Generic[R]):
    """A run on its way to a proposed state. Rules may replace what is proposed; the run itself is left alone.

    Args:
        current: The run's state; None where it has none yet.
        proposed: The state it is to enter.
        run: The run, as it is before.
        now: The current time.
        flow_run_state: Of a task run: the state of its flow run.
    """

    __slots__ = ("current", "flow_run_state", "now", "policy", "proposed", "run", "run_count")

    def __init__(
        self,
        current: State[Any] | None,
        proposed: State[Any],
        run: R,
        now: datetime,
        flow_run_state: State[Any] | None = None,
    ) -> None:
        self.current = current
        self.proposed = proposed
        self.run: R = run
        self.now = now
        self.flow_run_state = flow_run_state
        self.policy: FlowRunPolicy | None = None
        self.run_count: int | None = None

    @property
    def left(self) -> StateType | None:
        """The kind of the state that the run leaves."""
        return self.current.type if self.current is not None else None

    @property
    def kind(self) -> StateType:
        """The kind of the proposed state."""
        return self.proposed.type

    def propose(self, *, name: str | None = None, scheduled_time: datetime | None = None) -> None:
        """Go on with the proposed state under another name, or with a time to start at."""
        if name is not None:
            self.proposed = msgspec.structs.replace(self.proposed, name=name)
        if scheduled_time is not None:
            details = msgspec.structs.replace(self.proposed.state_details, scheduled_time=scheduled_time)
            self.proposed = msgspec.structs.replace(self.proposed, state_details=details)

    def change_policy(self, policy: FlowRunPolicy, **changes: Any) -> None:
        """Remember a change of the flow run's policy that goes with the state.

        Args:
            policy: The run's policy, which stays as it is.
            changes: Its fields to change.
        """
        self.policy = msgspec.structs.replace(self.policy or policy, **changes)

    def accept(self) -> Decision:
        """Store what is proposed."""
        return self._decide(SetStateStatus.ACCEPT, self.proposed)

    def reject(self, reason: str, instead: State[Any] | None = None) -> Decision:
        """Store another state instead, or none; whoever proposed goes on from there."""
        return self._decide(SetStateStatus.REJECT, instead, reason)

    def abort(self, reason: str) -> Decision:
        """Store nothing; whoever proposed must stop."""
        return Decision(status=SetStateStatus.ABORT, reason=reason)

    def wait(self, reason: str, seconds: int) -> Decision:
        """Store nothing; whoever proposed may try again later."""
        return Decision(status=SetStateStatus.WAIT, reason=reason, delay_seconds=seconds)

    def _decide(
        self, status: SetStateStatus, state: State[Any] | None, reason: str | None = None
    ) -> Decision:
        policy, run_count = (self.policy, self.run_count) if state is not None else (None, None)
        return Decision(status=status, state=state, reason=reason, policy=policy, run_count=run_count)


Rule = Callable[[Transition[R]], Decision | None]
"""Decides, or leaves the decision to the next rule: None."""


def is_persisted(state: State[Any]) -> bool:
    """Whether a state's result can be read by another process.

    Args:
        state: A state from memory, the store or the wire.
    """
    data = state.data
    if isinstance(data, ResultRecord):
        data = data.metadata
    if isinstance(data, ResultRecordMetadata):
        return data.storage_key is not None
    return isinstance(data, dict) and data.get("type") != "unpersisted"
