"""How a runner gets a flow run for itself, and what it says of it when its process has ended."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any
from uuid import UUID

from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.client.local import LocalClient
from prefect.client.patience import patiently
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.operations.claims import CLAIM_SECONDS, claim_flow_run, keep_claims
from prefect.operations.flow_runs import read_flow_run, set_flow_run_state
from prefect.operations.leases import current_holder
from prefect.rules.beginning import BEGINS_ONCE
from prefect.rules.exits import LEFT_EXIT, state_of_exit
from prefect.schemas.objects import FlowRun
from prefect.schemas.responses import OrchestrationResult, SetStateStatus
from prefect.schemas.states import State, StateDetails, StateType
from prefect.types import uuid7

__all__ = ["KEEP_SECONDS", "caller_of_runners", "claim", "end_left_run", "give_up", "keep", "knows_claims"]

KEEP_SECONDS = CLAIM_SECONDS / 3
"""Seconds from one time that claims are kept up to the next."""
_RETRIES = 1
"""How often a request is sent again: who looks for runs looks again, and has processes to watch meanwhile."""

_log = logging.getLogger("prefect.runner")
_without_claims: set[str] = set()
"""Servers that know no claims."""
_with_claims: set[str] = set()
"""Servers that do."""


def caller_of_runners() -> Caller:
    """Return what runners and workers call operations by: it tells soon that a server is away."""
    caller = get_caller()
    if isinstance(caller, LocalClient):
        return caller
    from prefect.client.http import HttpClient  # noqa: PLC0415 - only with a server
    from prefect.client.options import client_options  # noqa: PLC0415 - the same

    options = client_options()
    return HttpClient(options._replace(max_retries=min(_RETRIES, options.max_retries)))


def claim(client: Caller, run: FlowRun) -> UUID | None:
    """Take a flow run that waits, so that no other runner starts it.

    The claim is to be kept up (`keep`) until the run has begun: if this process dies before that, the run is
    given to another. A server of Prefect knows no claims, and keeps such a run Pending.

    Args:
        client: Where the run is kept.
        run: The run.

    Returns:
        The id of the state by which it was taken, for the process that carries it out; None: it is not ours.
    """
    if client.name not in _without_claims:
        try:
            return _taken(client.call(claim_flow_run, run.id, current_holder(), mark := uuid7()), mark)
        except ObjectNotFound:
            # There is no such run any more, or no such operation.
            if isinstance(client, LocalClient):
                return None
    try:
        taken = _taken(client.call(set_flow_run_state, run.id, _pending(mark := uuid7())), mark)
        _without_claims.add(client.name)
        if taken is None:
            return None
        state = _pending(mark := uuid7(), "Submitting")
        # The run is ours now, and nobody else would go on with it.
        return _taken(patiently(lambda: client.call(set_flow_run_state, run.id, state), _tell), mark)
    except ObjectNotFound:
        return None


def knows_claims(client: Caller) -> bool:
    """Return whether a run whose taker dies is given to another one by the store or server itself.

    Args:
        client: Where the runs are kept.
    """
    if isinstance(client, LocalClient):
        return True
    if client.name not in _without_claims | _with_claims:
        try:
            client.call(keep_claims, [])
        except ObjectNotFound:
            _without_claims.add(client.name)
        else:
            _with_claims.add(client.name)
    return client.name not in _without_claims


def _pending(mark: UUID, name: str | None = None) -> State[Any]:
    return State(type=StateType.PENDING, name=name, state_details=StateDetails(transition_id=mark))


def _taken(answer: OrchestrationResult, mark: UUID) -> UUID | None:
    state = answer.state
    if state is None:
        return None
    # A state that was entered already, though the answer was lost, is refused the second time.
    is_ours = answer.status is SetStateStatus.ACCEPT or state.state_details.transition_id == mark
    return state.id if is_ours else None


def _tell(error: PrefectException) -> None:
    _log.warning("A flow run that was taken waits to be started: %s", error)


def keep(client: Caller, run_ids: Collection[UUID]) -> None:
    """Keep up the claims on flow runs; on those that have begun it does nothing.

    Args:
        client: Where the runs are kept.
        run_ids: The runs.
    """
    if run_ids and client.name not in _without_claims:
        client.call(keep_claims, list(run_ids))


def end_left_run(
    client: Caller, run_id: UUID, code: int, claim: UUID | None = None, ran_out: str | None = None
) -> State[Any] | None:
    """Give a run whose process has ended its last state, if the process did not.

    Args:
        client: Where the run is kept.
        run_id: The run.
        code: The exit code of its process.
        claim: What `claim` returned for it, where that is known.
        ran_out: What is known of it, where the system has ended it for want of memory.

    Returns:
        The state that it was given; None where it needed none.
    """
    try:
        run = client.call(read_flow_run, run_id)
        if code == LEFT_EXIT and BEGINS_ONCE in run.labels:
            return None
        final = state_of_exit(code, run.state, claim, ran_out)
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
