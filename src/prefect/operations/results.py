"""What is answered to a proposed state."""

from __future__ import annotations

from typing import Any

from prefect.rules.decision import Decision
from prefect.schemas.responses import (
    OrchestrationResult,
    SetStateStatus,
    StateAbortDetails,
    StateAcceptDetails,
    StateRejectDetails,
    StateWaitDetails,
)
from prefect.schemas.states import State

__all__ = ["orchestration_result"]


def orchestration_result(decision: Decision, state: State[Any] | None) -> OrchestrationResult:
    """Return the answer that a decision makes.

    Args:
        decision: What became of the proposed state.
        state: The state that the run has now.
    """
    return OrchestrationResult(state=state, status=decision.status, details=_details(decision))


def _details(
    decision: Decision,
) -> StateAcceptDetails | StateWaitDetails | StateRejectDetails | StateAbortDetails:
    if decision.status is SetStateStatus.ACCEPT:
        return StateAcceptDetails()
    if decision.status is SetStateStatus.WAIT:
        return StateWaitDetails(delay_seconds=decision.delay_seconds or 0, reason=decision.reason)
    if decision.status is SetStateStatus.REJECT:
        return StateRejectDetails(reason=decision.reason)
    return StateAbortDetails(reason=decision.reason)
