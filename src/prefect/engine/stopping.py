"""How a run learns that it is to stop, and holds the slot of its deployment's limit until it does.

Somebody else may cancel or suspend a run. It is not told: it asks before a task begins, after one second at
first and then seldom, so that short runs ask nothing. What it finds out it raises as a signal, which passes
through users' code to the flow run's engine.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from prefect.client.local import LocalClient
from prefect.engine.ending import Ending
from prefect.engine.notes import CHECK_AFTER, FlowRunNotes, notes_of
from prefect.exceptions import Cancellation, Pause, PausedRun, PrefectException
from prefect.operations.flow_runs import read_flow_run
from prefect.schemas.states import State, StateDetails, StateType

if TYPE_CHECKING:
    from prefect.context.runs import FlowRunContext

__all__ = [
    "cancelled",
    "check",
    "is_check_due",
    "keep_slot",
    "let_slot_go",
    "stored_state",
    "suspended",
    "unless_cancelled",
]

CHECK_SERVER_AFTER = 10.0
"""Seconds from one question to the next, where a server is asked."""
CHECK_AWAY_AFTER = 60.0
"""Seconds to the next question where none answered: even to ask may take seconds, which are the user's."""


def is_check_due(notes: FlowRunNotes) -> bool:
    """Whether it is time to ask whether a run is to go on."""
    return monotonic() >= notes.check_at


def check(context: FlowRunContext) -> None:
    """Raise a signal if a flow run is to stop; a store or server that does not answer stops nothing.

    Args:
        context: The run's context.

    Raises:
        prefect.exceptions.Cancellation: It was cancelled.
        prefect.exceptions.Pause: It was suspended.
    """
    notes, run = notes_of(context), context.flow_run
    is_local = isinstance(notes.journal.client, LocalClient)
    notes.check_at = monotonic() + (CHECK_AFTER if is_local else CHECK_SERVER_AFTER)
    if notes.enter is None:
        return
    state = stored_state(context)
    if state is None or run is None:
        notes.check_at = monotonic() + CHECK_AWAY_AFTER
        return
    if state.type in (StateType.CANCELLING, StateType.CANCELLED):
        raise Cancellation(f"Flow run {run.name!r} was cancelled.")
    if state.is_paused() and state.state_details.pause_reschedule:
        raise Pause(f"Flow run {run.name!r} was suspended.", state=state)


def unless_cancelled(context: FlowRunContext, state: State[Any]) -> State[Any]:
    """Return the last state of a run whose process is told to end: Cancelled, if that was why.

    Args:
        context: The run's context.
        state: Its state if it was not cancelled.
    """
    stored = stored_state(context, is_patient=True)
    return state if stored is None or not stored.is_cancelling() else cancelled(state.state_details)


def stored_state(context: FlowRunContext, *, is_patient: bool = False) -> State[Any] | None:
    """Return the state that others see a run in; None where nobody answers.

    Args:
        context: The run's context.
        is_patient: Whether a server that does not answer is asked again.
    """
    journal, run = notes_of(context).journal, context.flow_run
    client = journal.client if is_patient else journal.asking
    if client is None or run is None or not journal.is_recording:
        return None
    try:
        return client.call(read_flow_run, run.id).state
    except PrefectException:
        return None


def cancelled(details: StateDetails) -> State[Any]:
    """Make the state of a run that has ended because it was cancelled.

    Args:
        details: The run's.
    """
    return State(type=StateType.CANCELLED, message="The flow run was cancelled.", state_details=details)


def suspended(signal: Pause) -> Ending:
    """Say how a run ends in this process that begins again in another."""
    message = "The flow run is suspended, and has no result yet."
    return Ending(signal.state, error=PausedRun(message, state=signal.state))


def keep_slot(context: FlowRunContext, state: State[Any]) -> None:
    """Renew the lease on the slot of a deployment's limit that a run was given with a state.

    Args:
        context: The run's context.
        state: The state that it is in now.
    """
    lease_id = state.state_details.deployment_concurrency_lease_id
    notes = notes_of(context)
    client = notes.journal.client
    if lease_id is None or client is None or notes.lease is not None or not state.is_running():
        return
    from prefect.recorder.slot_leases import SlotLease, slot_leases  # noqa: PLC0415 - only with a limit
    from prefect.settings import get_current_settings  # noqa: PLC0415 - goes with it

    seconds = get_current_settings().server.concurrency.initial_deployment_lease_duration
    notes.lease = SlotLease(client, lease_id, max(60.0, seconds), ["this deployment"])
    slot_leases.keep(notes.lease)


def let_slot_go(context: FlowRunContext) -> None:
    """Renew a run's lease no more: with its last state the slot was given back."""
    notes = notes_of(context)
    if notes.lease is not None:
        from prefect.recorder.slot_leases import slot_leases  # noqa: PLC0415 - only with a limit

        slot_leases.drop(notes.lease)
        notes.lease = None
