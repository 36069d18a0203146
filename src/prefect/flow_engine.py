"""Run a flow as a function call, under the path that existing code imports it from.

`python -m prefect.flow_engine` carries out the flow run that `PREFECT__FLOW_RUN_ID` names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from prefect.engine.entry import call_flow
from prefect.flows import Flow

__all__ = ["run_flow", "run_flow_async", "run_flow_sync"]


def run_flow(
    flow: Flow[Any, Any],
    *,
    parameters: dict[str, Any] | None = None,
    wait_for: Iterable[Any] | None = None,
    return_type: Literal["state", "result"] = "result",
) -> Any:
    """Run a flow with parameters given by name.

    Args:
        flow: The flow.
        parameters: Its parameters by name.
        wait_for: Runs that must have completed before.
        return_type: Whether to return the final state or the result.

    Returns:
        The state or result; a coroutine of it for async flows; a generator for generator functions.

    Raises:
        prefect.exceptions.ParameterBindError: The parameters do not fit the function.
        Exception: What the flow raised, where the result is asked for.
    """
    bound = flow.signature.complete(parameters or {})
    return call_flow(flow, bound, wait_for, return_type == "state")


run_flow_sync = run_flow


async def run_flow_async(flow: Flow[Any, Any], **options: Any) -> Any:
    """Run an async flow; arguments as for `run_flow`."""
    return await run_flow(flow, **options)


if __name__ == "__main__":
    import sys

    from prefect.runner.execution import execute_process_run

    sys.exit(execute_process_run())
