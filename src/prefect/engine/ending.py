"""How a run ended, and what its caller gets."""

from __future__ import annotations

from typing import Any

from prefect.engine.future import PrefectFuture
from prefect.engine.lifecycle import Interrupted, Outcome, Raised, RunOutOfTime
from prefect.engine.steps import Steps, Wait
from prefect.exceptions import PausedRun, UnfinishedRun
from prefect.rules.inputs import find, replace
from prefect.schemas.states import State, get_state_exception, result_of

__all__ = ["Ending", "ending_of", "log_failure", "states_for_futures"]


class Ending:
    """How a run ended.

    Args:
        state: Its final state (NotReady, for a run that never began).
        value: What the user's function returned.
        error: What to raise to a caller who asked for the value.
    """

    __slots__ = ("error", "state", "value")

    def __init__(self, state: State[Any], value: Any = None, error: BaseException | None = None) -> None:
        self.state = state
        self.value = value
        self.error = error

    def unwrap(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # or its traceback would keep this object, and this object the traceback
        return self.value


def states_for_futures(value: Any) -> Steps[Any]:
    """Put final states in the place of the futures that a flow returns."""
    futures = [value] if isinstance(value, PrefectFuture) else find(value, (PrefectFuture,))
    if not futures:
        return value
    yield Wait(futures)
    if isinstance(value, PrefectFuture):
        return value.state
    if isinstance(value, list):
        value = list(value)  # a list of futures with methods of its own becomes a plain one
    return replace(value, (PrefectFuture,), lambda future: future.state)


def ending_of(state: State[Any], value: Any) -> Ending:
    """Say what the caller gets of a flow that returned.

    Of a state that the flow made itself the caller gets the result; of what else it returned, that itself,
    even if the run failed because of a state among several.
    """
    if isinstance(value, State):
        if state.is_paused():
            return Ending(state, error=PausedRun("Run is paused, its result is not available.", state=state))
        if not state.is_final():
            return Ending(
                state,
                error=UnfinishedRun(f"Run is in {state.type.value} state, its result is not available."),
            )
        if not state.is_completed():
            return Ending(state, error=get_state_exception(state))
        own = value.state_details
        if own.flow_run_id is None and own.task_run_id is None:
            return Ending(state, result_of(state))
    return Ending(state, value)


def log_failure(outcome: Outcome, logger: Any) -> None:
    """Say in the log of a flow run why an attempt failed, if it did.

    Args:
        outcome: How the attempt ended.
        logger: The run's logger.
    """
    match outcome:
        case Raised(error) | RunOutOfTime(error, _):
            logger.error("Encountered exception during execution: %r", error, exc_info=error)
        case Interrupted(interruption):
            logger.error("Execution was ended from outside: %r", interruption)
