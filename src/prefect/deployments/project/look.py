"""`python -m prefect.deployments.project.look` tells about one flow, and runs none.

It loads the flow's script in a process of its own: what the script does, prints and breaks is nobody else's,
and two scripts of one name do not meet. The request comes in on standard input, the answer goes to standard
output.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from prefect.deployments.project.facts import FlowFacts, Looked, Request
from prefect.deployments.sources import load_flow
from prefect.deployments.steps.core import StepExecutionError, find_step, run_steps
from prefect.engine import entry
from prefect.exceptions import ScriptError
from prefect.parameters.json_schema import parameter_schema
from prefect.schemas.base import encode_json, whole

__all__ = ["look", "main"]

_STEPS = "prefect.deployments.steps."
_WITHOUT_TRACE = ("set_working_directory", "git_clone")
"""The steps that can be taken without changing anything but a folder of ours."""


class _RunAtImportError(RuntimeError):
    """A script runs a flow or a task when it is loaded."""


def look(request: Request) -> Looked:
    """Load a flow, and tell about it.

    Args:
        request: Where it is.
    """
    with ExitStack() as stack:
        notes: list[str] = []
        try:
            if request.steps:
                stack.callback(os.chdir, "/")
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="prefect-check-"))
                notes = _go_to_code(request.steps, Path(folder))
            elif request.path is not None:
                os.chdir(Path(request.path).expanduser())
            return Looked(facts=_facts(request.entrypoint), notes=notes)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's script raises
            return Looked(problem=_said(error), notes=notes, is_missing_module=_is_missing_module(error))
    raise AssertionError


def _go_to_code(steps: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Take the steps that leave no trace, as a worker does; of the others, make sure that they are there."""
    notes: list[str] = []
    outputs: dict[str, Any] = {}
    # Workers start in a folder of the run's own.
    os.chdir(folder)
    for step in steps:
        path = next(iter(step), "")
        function = find_step(path)
        if function.__module__.startswith(_STEPS) and function.__name__ in _WITHOUT_TRACE:
            outputs = run_steps([step], outputs)
        else:
            notes.append(f"The step {path} was not run.")
    return notes


def _facts(entrypoint: str) -> FlowFacts:
    flow = load_flow(entrypoint)
    return FlowFacts(
        name=flow.name,
        description=flow.description,
        version=flow.version,
        tags=sorted(flow.tags),
        parameter_schema=parameter_schema(flow.fn, flow.name),
    )


def _said(error: BaseException) -> str:
    cause = error.user_exc if isinstance(error, ScriptError) else error
    if isinstance(cause, _RunAtImportError):
        return str(cause)
    if isinstance(cause, SystemExit):
        return f"The script ends the process when it is loaded (exit code {cause.code})."
    if isinstance(error, ScriptError):
        return f"The script cannot be loaded: {type(cause).__name__}: {cause}"
    if isinstance(error, StepExecutionError):
        return f"The code cannot be got: {error}"
    return str(error)


def _is_missing_module(error: BaseException) -> bool:
    return isinstance(error, ScriptError) and isinstance(error.user_exc, ModuleNotFoundError)


def _refuse(called: Any, *_arguments: Any) -> NoReturn:
    raise _RunAtImportError(
        f"The script runs {called._kind} {called.name!r} when it is loaded. "
        "Put that below `if __name__ == '__main__':`."
    )


def main() -> None:
    """Answer one request."""
    # What the script prints must not get into the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    # Nothing is run here, also not what a script calls when it is loaded.
    vars(entry).update(flow_run_steps=_refuse, task_run_steps=_refuse)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=whole(Request))
    looked = look(request)
    with os.fdopen(answer, "wb") as stream:
        stream.write(encode_json(looked))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Threads of the script's own do not keep the answer waiting.
    os._exit(0)
