"""Environment variables that say which run a process belongs to, and those that mock what a run says.

They are facts of the process and no settings: they are read when asked for, since tests change them at any
time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "CAPTURED_OUTPUT",
    "FLOW_ENTRYPOINT",
    "FLOW_RUN_CLAIM",
    "FLOW_RUN_ID",
    "FLOW_RUN_SNAPSHOT",
    "TASK_RUN_SNAPSHOT",
    "become_process_of",
    "environment_with",
    "fits_a_started_process",
    "mock_finder",
    "mock_variable",
    "replace_environment",
    "run_variable",
]

FLOW_RUN_ID = "PREFECT__FLOW_RUN_ID"
"""The flow run that the process was started for."""
FLOW_RUN_CLAIM = "PREFECT__FLOW_RUN_CLAIM"
"""The id of the state by which the run was taken for the process: in another one it is not to begin."""
FLOW_ENTRYPOINT = "PREFECT__FLOW_ENTRYPOINT"
"""Where the flow is, in place of what the deployment says."""
CAPTURED_OUTPUT = "PREFECT__CAPTURED_OUTPUT"
"""The pipes whose text becomes logs of that flow run."""
FLOW_RUN_SNAPSHOT = "PREFECT__FLOW_RUN_SNAPSHOT"
"""The facts of that flow run, as JSON, so that nobody needs to look them up."""
TASK_RUN_SNAPSHOT = "PREFECT__TASK_RUN_SNAPSHOT"
"""The facts of the task run that started the process, as JSON."""


def run_variable(name: str) -> str | None:
    """Return one of the variables above; None when it is unset or empty."""
    return os.environ.get(name) or None


def become_process_of(flow_run_id: str) -> None:
    """Have this process, and those that it starts, belong to a flow run."""
    os.environ[FLOW_RUN_ID] = flow_run_id


def environment_with(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the environment of a child process that carries out a flow run.

    Args:
        changes: Variables to add to those of this process; None: to leave out. The run that this process
            belongs to is left out.
    """
    own = {
        FLOW_RUN_ID,
        FLOW_RUN_SNAPSHOT,
        TASK_RUN_SNAPSHOT,
        FLOW_RUN_CLAIM,
        FLOW_ENTRYPOINT,
        CAPTURED_OUTPUT,
    }
    merged = {**{name: value for name, value in os.environ.items() if name not in own}, **changes}
    return {name: value for name, value in merged.items() if value is not None}


_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "LC_", "LANG")
"""Of which variables the interpreter, or the system below it, makes something when a process starts."""


def fits_a_started_process(changes: Mapping[str, str | None]) -> bool:
    """Return whether a process that has started already with this one's environment can take these changes.

    Args:
        changes: Variables that are added to those of this process; None: left out.
    """
    folders = (os.environ.get("PYTHONPATH") or "").split(os.pathsep)
    if any(folder and not os.path.isabs(folder) for folder in folders):
        return False  # they depend on where a process starts
    return all(
        os.environ.get(name) == value for name, value in changes.items() if name.startswith(_READ_AT_START)
    )


def replace_environment(variables: Mapping[str, str]) -> None:
    """Give this process another environment, before it has read any settings.

    Args:
        variables: All of its variables.
    """
    os.environ.clear()
    os.environ.update(variables)


def mock_variable(section: str, attribute: str) -> str:
    """Return the name of the variable that replaces an attribute of `prefect.runtime`.

    Args:
        section: `flow_run`, `task_run` or `deployment`.
        attribute: The attribute.
    """
    return f"PREFECT__RUNTIME__{section.upper()}__{attribute.upper()}"


def mock_finder(section: str) -> Callable[[str], str | None]:
    """Return a function that finds the mocked value of an attribute, or None.

    Args:
        section: `flow_run`, `task_run` or `deployment`.
    """
    # Every read of a runtime attribute asks, nearly always in vain. `os.environ.get` takes longer than all
    # the rest of such a read, since it encodes the name each time; a look into the mapping below it does not.
    encoded: dict[str, Any] = {}
    environ = os.environ
    data = environ._data  # type: ignore[attr-defined] # not in its stub

    def find(attribute: str) -> str | None:
        try:
            key = encoded[attribute]
        except KeyError:
            key = encoded[attribute] = environ.encodekey(mock_variable(section, attribute))
        if key in data or os.environ is not environ:  # a test may put a mapping of its own in its place
            return os.environ.get(mock_variable(section, attribute))
        return None

    return find
