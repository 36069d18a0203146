"""Gets the code of a flow, and the flow from it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prefect.deployments.storage import RunnerStorage
from prefect.engine.definition import Definition
from prefect.exceptions import MissingFlowError
from prefect.utilities.entrypoints import load_from_entrypoint

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["fetched", "load_flow"]


def load_flow(entrypoint: str) -> Flow[Any, Any]:
    """Return the flow that an entrypoint leads to; see `prefect.utilities.entrypoints.load_from_entrypoint`.

    Args:
        entrypoint: The entrypoint.

    Raises:
        prefect.exceptions.MissingFlowError: It leads to no flow.
        prefect.exceptions.ScriptError: The script raised when it was loaded.
        FileNotFoundError: There is no such file.
    """
    found = load_from_entrypoint(entrypoint, Definition, "flow")
    if found._kind != "flow":
        raise MissingFlowError(f"{entrypoint!r} is a task, and no flow.")
    return cast("Flow[Any, Any]", found)


def fetched(storage: RunnerStorage) -> Path:
    """Get the code of a storage, or what is new in it.

    Args:
        storage: The storage.

    Returns:
        The folder where the code is.
    """
    fetching: Any = storage.pull_code()
    if inspect.isawaitable(fetching):
        from prefect.engine.loops import run_awaitable  # noqa: PLC0415 - 40 ms of every start

        run_awaitable(fetching)
    return Path(storage.destination)
