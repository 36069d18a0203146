"""Runs the steps of a deployment."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from prefect.exceptions import PrefectException
from prefect.logging.loggers import get_logger

__all__ = ["StepExecutionError", "run_step", "run_steps"]

_OF_STEP = frozenset({"id", "requires"})
"""What is said of a step itself, and not to its function."""


class StepExecutionError(PrefectException):
    """A step of a deployment failed."""


def run_step(step: Mapping[str, Any]) -> dict[str, Any]:
    """Run one step.

    Args:
        step: The import path of its function, with the arguments.

    Returns:
        What the function returns.

    Raises:
        StepExecutionError: There is no such function, or it raised.
    """
    if len(step) != 1:
        raise StepExecutionError(f"A step has one function with its arguments, unlike {dict(step)!r}.")
    ((path, given),) = step.items()
    arguments = {name: value for name, value in (given or {}).items() if name not in _OF_STEP}
    module, _, name = path.rpartition(".")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise StepExecutionError(f"There is no step {path!r} here: {error}") from error
    try:
        outcome = function(**arguments)
        if inspect.isawaitable(outcome):
            from prefect.engine.loops import run_awaitable  # noqa: PLC0415 - 40 ms of every start

            outcome = run_awaitable(outcome)
    except Exception as error:
        raise StepExecutionError(f"The step {path!r} failed: {error}") from error
    return outcome if isinstance(outcome, dict) else {}


def run_steps(
    steps: Sequence[Mapping[str, Any]], upstream_outputs: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run steps one after another; the process goes to the folder that the last of them names.

    Args:
        steps: The steps.
        upstream_outputs: What earlier steps returned.

    Returns:
        What all of them returned; a later value goes before an earlier one of its name.

    Raises:
        StepExecutionError: One failed; those after it are not run.
    """
    outputs = dict(upstream_outputs or {})
    for step in steps:
        get_logger("deployments").debug("Running step %s", next(iter(step), ""))
        found = run_step(step)
        outputs.update(found)
        if found.get("directory"):
            os.chdir(found["directory"])
    return outputs
