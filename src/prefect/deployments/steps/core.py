"""Runs the steps of a deployment."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from prefect.exceptions import PrefectException
from prefect.logging.loggers import get_logger
from prefect.rules.placeholders import LEFT_OUT, fill

__all__ = ["StepExecutionError", "find_step", "run_step", "run_steps", "value_in"]

_OF_STEP = frozenset({"id", "requires"})
"""What is said of a step itself, and not to its function."""


class StepExecutionError(PrefectException):
    """A step of a deployment failed."""


def run_step(step: Mapping[str, Any], upstream_outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run one step.

    Args:
        step: The import path of its function, with the arguments. Beside these, `id` names the step, and
            `requires` names the packages that it needs, which are installed if they are not there.
        upstream_outputs: What earlier steps returned; the arguments may refer to it.

    Returns:
        What the function returns.

    Raises:
        StepExecutionError: There is no such function, or it raised, or what its arguments refer to is not
            there.
    """
    path, arguments = _split(step)
    requirements = arguments.get("requires")
    given = {name: value for name, value in arguments.items() if name not in _OF_STEP}
    try:
        if requirements:
            from prefect.deployments.steps.requirements import install_missing  # noqa: PLC0415 - seldom used

            install_missing([requirements] if isinstance(requirements, str) else requirements)
        function = find_step(path)
        outcome = function(**_filled(given, upstream_outputs or {}))
        if inspect.isawaitable(outcome):
            from prefect.engine.loops import run_awaitable  # noqa: PLC0415 - 40 ms of every start

            outcome = run_awaitable(outcome)
    except StepExecutionError:
        raise
    except Exception as error:
        raise StepExecutionError(f"The step {path!r} failed: {error}") from error
    return outcome if isinstance(outcome, dict) else {}


def run_steps(
    steps: Sequence[Mapping[str, Any]],
    upstream_outputs: dict[str, Any] | None = None,
    print_function: Callable[[str], Any] | None = None,
    deployment: Any = None,
    flow_run: Any = None,
    logger: Any = None,
) -> dict[str, Any]:
    """Run steps one after another; the process goes to the folder that the last of them names.

    Args:
        steps: The steps.
        upstream_outputs: What earlier steps returned.
        print_function: Is told of each step, before it is run.
        deployment: Accepted for the interface's sake.
        flow_run: Accepted for the interface's sake.
        logger: What logs each step; None: that of deployments.

    Returns:
        What all of them returned; a later value goes before an earlier one of its name. What a step with an
        id returned is also there under its id.

    Raises:
        StepExecutionError: One failed, or is none; those after it are not run.
    """
    outputs = dict(upstream_outputs or {})
    for step in steps:
        name, arguments = _split(step)
        (logger or get_logger("deployments")).debug("Running step %s", name)
        if print_function is not None:
            print_function(f"Running step {name}")
        found = run_step(step, outputs)
        outputs.update(found)
        if arguments.get("id"):
            outputs[str(arguments["id"])] = found
        if found.get("directory"):
            os.chdir(found["directory"])
    return outputs


def find_step(path: str) -> Callable[..., Any]:
    """Return the function of a step.

    Args:
        path: Its import path, such as `prefect.deployments.steps.git_clone`.

    Raises:
        StepExecutionError: There is none.
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise StepExecutionError(f"There is no step {path!r} here: {error}") from error
    if not callable(found):
        raise StepExecutionError(f"There is no step {path!r} here: that is no function.")
    return found  # type: ignore[no-any-return]


def _split(step: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(step, Mapping) or len(step) != 1:
        raise StepExecutionError(f"A step has one function with its arguments, unlike {step!r}.")
    ((path, given),) = step.items()
    if not isinstance(given, Mapping | None):
        raise StepExecutionError(f"The arguments of step {path!r} need their names, unlike {given!r}.")
    return path, given or {}


def _filled(arguments: dict[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Put in what arguments refer to; a placeholder that means nothing here stays: others may use it."""

    def value_of(name: str) -> Any:
        if name.startswith(("prefect.", "$")):
            from prefect.blocks.references import is_reference, value_referred_to  # noqa: PLC0415 - seldom used
            from prefect.client.current import get_caller  # noqa: PLC0415 - the same

            found = value_referred_to(get_caller(), name) if is_reference(name) else f"{{{{ {name} }}}}"
            if found is LEFT_OUT:
                raise StepExecutionError(f"The environment has no variable {name[1:]!r}.")
            return found
        return value_in(outputs, name, f"{{{{ {name} }}}}")

    filled: dict[str, Any] = fill(arguments, value_of)
    return filled


def value_in(outputs: Mapping[str, Any], name: str, default: Any) -> Any:
    """Return what is there under a name, which may lead into mappings: `build.image`.

    Args:
        outputs: What steps returned.
        name: The name.
        default: What to return where there is none.
    """
    if name in outputs:
        return outputs[name]
    found: Any = outputs
    for key in name.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return default
        found = found[key]
    return found
