"""Pauses of a flow run, as steps: the run waits here, or leaves its process, until somebody resumes it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from prefect.client.local import LocalClient
from prefect.engine.notes import notes_of
from prefect.engine.steps import Block, Sleep, Steps
from prefect.exceptions import Abort, Cancellation, FlowPauseTimeout, Pause
from prefect.operations.flow_runs import read_flow_run
from prefect.rules.bookkeeping import enter_state
from prefect.schemas.states import State

if TYPE_CHECKING:
    from prefect.context.runs import FlowRunContext

__all__ = ["pause", "pause_key", "suspend"]

_LOCAL_POLL = 0.25
"""Seconds. To look into the store of this machine costs little."""


def pause_key(context: FlowRunContext, key: str | None) -> str:
    """Return what names a pause: what is given, or else how many there were before.

    Args:
        context: The run's context.
        key: What is given.
    """
    return key or str(notes_of(context).next_position(" pause") + 1)


def pause(context: FlowRunContext, state: State[Any], timeout: float, poll_interval: float) -> Steps[None]:
    """Wait here until the run is resumed; not at all, where it was before, at this pause.

    Args:
        context: The run's context.
        state: The paused state.
        timeout: Seconds to wait.
        poll_interval: Seconds from one look to the next.

    Raises:
        prefect.exceptions.FlowPauseTimeout: Nobody resumed it.
        prefect.exceptions.Cancellation: It was cancelled instead.
    """
    entered = yield Block(lambda: _enter(context, state, "paused"))
    if not entered.is_paused():
        return
    notes, run = notes_of(context), context.flow_run
    client = notes.journal.client
    if client is None or run is None:
        raise RuntimeError("Flow run cannot be paused: it is not recorded, so nobody could resume it.")
    interval = min(poll_interval, _LOCAL_POLL) if isinstance(client, LocalClient) else poll_interval
    deadline = monotonic() + timeout
    while True:
        left = deadline - monotonic()
        yield Sleep(max(0.0, min(interval, left)))
        found = (yield Block(lambda: client.call(read_flow_run, run.id))).state
        if found is None or found.is_paused():
            if monotonic() >= deadline:
                raise FlowPauseTimeout("Flow run was paused and never resumed.")
            continue
        if found.is_running():
            enter_state(run, found)
            context.refresh()
            return
        raise _ended(found)


def suspend(context: FlowRunContext, state: State[Any]) -> Steps[None]:
    """End the run in this process until it is resumed; not at all, where it was before, at this pause.

    Args:
        context: The run's context.
        state: The paused state.

    Raises:
        prefect.exceptions.Pause: It is suspended now: the signal that ends it here.
    """
    entered = yield Block(lambda: _enter(context, state, "suspended"))
    if entered.is_paused():
        raise Pause("The flow run is suspended.", state=entered)


def _enter(context: FlowRunContext, state: State[Any], verb: str) -> State[Any]:
    enter = notes_of(context).enter
    if enter is None:
        raise RuntimeError(f"Flow run cannot be {verb}: its context was made by hand.")
    try:
        entered = enter(state, False)
    except Abort as error:
        raise RuntimeError(f"Flow run cannot be {verb}: {error}") from error
    if not entered.is_paused() and not entered.is_running():
        raise _ended(entered)
    return entered


def _ended(state: State[Any]) -> BaseException:
    if state.is_cancelling() or state.is_cancelled():
        return Cancellation("The flow run was cancelled while it was paused.")
    if state.is_failed():
        return FlowPauseTimeout("Flow run was paused and never resumed.")
    return RuntimeError(f"Flow run cannot be paused: it is in state {state}.")
