"""Hooks: the user's functions that run when a run enters a state, inside the run's context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prefect.engine.steps import RunHook, Steps
from prefect.exceptions import Abort
from prefect.schemas.states import State, StateType

__all__ = ["HOOK_OF_STATE", "run_hooks"]

HOOK_OF_STATE = {
    StateType.RUNNING: "on_running_hooks",
    StateType.COMPLETED: "on_completion_hooks",
    StateType.FAILED: "on_failure_hooks",
    StateType.CRASHED: "on_crashed_hooks",
    StateType.CANCELLED: "on_cancellation_hooks",
    StateType.CANCELLING: "on_cancellation_hooks",
}
"""Which list of a flow's or task's hooks a state calls for."""


def run_hooks(
    hooks: Sequence[Callable[..., Any]], subject: Any, run: Any, state: State[Any], logger: Any
) -> Steps[None]:
    """Run hooks one after another. What one raises is logged, and ends neither the run nor the other hooks.

    Args:
        hooks: The hooks.
        subject: The flow or task.
        run: Its run.
        state: The state that the run has entered.
        logger: The run's logger.
    """
    for hook in hooks:
        name = getattr(hook, "__name__", None) or repr(hook)
        try:
            logger.debug("Running hook %r in response to entering state %r", name, state.name)
            yield RunHook(hook, (subject, run, state))
        except (Exception, Abort):
            logger.error("An error was encountered while running hook %r", name, exc_info=True)  # noqa: G201
