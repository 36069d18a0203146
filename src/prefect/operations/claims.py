"""Claims: a runner or worker takes a flow run that waits, so that nobody else starts it.

These are no operations of the interface's own. A server of Prefect has none of them: there a run is taken by
two states that are proposed for it, and one whose taker dies before it starts it stays Pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from prefect.operations.flow_runs import lock_flow_run, propose_state
from prefect.operations.leases import CLAIM, Holder, renew_leases
from prefect.operations.registry import operation
from prefect.schemas.responses import OrchestrationResult, SetStateStatus, StateAcceptDetails
from prefect.schemas.states import State, StateDetails, StateType
from prefect.store import statements
from prefect.store.base import Store
from prefect.store.codec import flow_run_from_row
from prefect.store.values import time_text
from prefect.types import now

__all__ = ["CLAIM_SECONDS", "claim_flow_run", "keep_claims"]

CLAIM_SECONDS = 60.0
"""How long a claim holds, on the clock of the store's machine, unless it is kept up."""


@operation("POST", "/flow_runs/{flow_run_id}/claim")
def claim_flow_run(
    store: Store, flow_run_id: UUID, holder: Holder, transition_id: UUID
) -> OrchestrationResult:
    """Take a flow run that waits: it enters Pending, and then Submitting.

    Until it begins the claim is to be kept up. If it is not, or the process is known to be gone, the run is
    scheduled again, for somebody else to take.

    Args:
        store: The store.
        flow_run_id: The run.
        holder: The process that is to start it.
        transition_id: What tells this claim from others: where it was granted before, and the answer was
            lost, it is granted again.

    Returns:
        ACCEPT, with the state by which it was taken; anything else: it was not taken.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
    """
    with store.transaction() as connection:
        if rows := lock_flow_run(connection, flow_run_id.hex):
            current = flow_run_from_row(rows[0]).state
            if current is not None and current.state_details.transition_id == transition_id:
                return OrchestrationResult(current, SetStateStatus.ACCEPT, StateAcceptDetails())
        answer = propose_state(connection, flow_run_id, State(type=StateType.PENDING))
        if answer.status is not SetStateStatus.ACCEPT:
            return answer
        expires = time_text(now() + timedelta(seconds=CLAIM_SECONDS))
        host = f"{CLAIM}{holder.host}"
        row = (flow_run_id.hex, host, holder.pid, holder.process_started, expires)
        connection.run(statements.HOLD_LEASE, row)
        details = StateDetails(transition_id=transition_id)
        taken: State[None] = State(type=StateType.PENDING, name="Submitting", state_details=details)
        return propose_state(connection, flow_run_id, taken)


@operation("POST", "/flow_runs/claims/keep")
def keep_claims(store: Store, flow_run_ids: Sequence[UUID]) -> None:
    """Keep claims up for as long again.

    Args:
        store: The store.
        flow_run_ids: The runs that were taken; those that are not held any more are passed over.
    """
    renew_leases(store, flow_run_ids, now() + timedelta(seconds=CLAIM_SECONDS))
