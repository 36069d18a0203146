"""How a runner gets a flow run for itself, and what it says of it when its process has ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.base import Caller
from prefect.client.local import LocalClient
from prefect.exceptions import ObjectNotFound
from prefect.operations.flow_runs import read_flow_run, set_flow_run_state
from prefect.operations.leases import current_holder, hold_flow_run
from prefect.recorder.sink import LEASE
from prefect.rules.exits import state_of_exit
from prefect.schemas.objects import FlowRun
from prefect.schemas.responses import SetStateStatus
from prefect.schemas.states import State, StateType
from prefect.types import now

__all__ = ["claim", "end_left_run", "give_up"]


def claim(client: Caller, run: FlowRun) -> UUID | None:
    """Take a flow run that waits, so that no other runner starts it.

    On the store of this machine the run is leased to this process until its own begins: if this one dies
    before that, the run is given to another.

    Args:
        client: Where the run is kept.
        run: The run.

    Returns:
        The id of the state by which it was taken, for the process that carries it out; None: it is not ours.
    """
    try:
        answer = client.call(set_flow_run_state, run.id, State(type=StateType.PENDING))
        if answer.status is not SetStateStatus.ACCEPT:
            return None
        if isinstance(client, LocalClient):
            client.call(hold_flow_run, run.id, current_holder(), now() + LEASE)
        submitting: State[Any] = State(type=StateType.PENDING, name="Submitting")
        answer = client.call(set_flow_run_state, run.id, submitting)
    except ObjectNotFound:  # deleted since it was listed
        return None
    if answer.status is not SetStateStatus.ACCEPT or answer.state is None:
        return None
    return answer.state.id


def end_left_run(client: Caller, run_id: UUID, code: int) -> State[Any] | None:
    """Give a run whose process has ended its last state, if the process did not.

    Args:
        client: Where the run is kept.
        run_id: The run.
        code: The exit code of its process.

    Returns:
        The state that it was given; None where it needed none.
    """
    try:
        final = state_of_exit(code, client.call(read_flow_run, run_id).state)
        return None if final is None else client.call(set_flow_run_state, run_id, final, force=True).state
    except ObjectNotFound:
        return None


def give_up(client: Caller, run_id: UUID, reason: str) -> None:
    """Let a run crash that was taken, but cannot be started.

    Args:
        client: Where the run is kept.
        run_id: The run.
        reason: What went wrong.
    """
    message = f"The process of this run could not be started: {reason}"
    client.call(set_flow_run_state, run_id, State(type=StateType.CRASHED, message=message))
