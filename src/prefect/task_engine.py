"""Run a task as a function call, under the path that existing code imports it from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from prefect.engine.entry import call_task
from prefect.exceptions import TaskRunTimeoutError
from prefect.tasks import Task

__all__ = ["TaskRunTimeoutError", "run_task", "run_task_async", "run_task_sync"]


def run_task(
    task: Task[Any, Any],
    *,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: Literal["state", "result"] = "result",
) -> Any:
    """Run a task with arguments given by name.

    Args:
        task: The task.
        parameters: Its arguments by name.
        wait_for: Runs that must have completed before.
        return_type: Whether to return the final state or the result.

    Returns:
        The state or result; a coroutine of it for async tasks; a generator for generator functions.

    Raises:
        prefect.exceptions.ParameterBindError: The arguments do not fit the function.
        Exception: What the task raised, where the result is asked for.
    """
    bound = task.signature.complete(parameters or {})
    return call_task(task, bound, wait_for, return_type == "state")


run_task_sync = run_task


async def run_task_async(task: Task[Any, Any], **options: Any) -> Any:
    """Run an async task; arguments as for `run_task`."""
    return await run_task(task, **options)
