"""Hooks: be told how a run ended, without code for it inside the flow.

Run it: `python examples/hooks.py`
"""

from __future__ import annotations

from typing import Any

from prefect import flow, task
from prefect.runtime import flow_run


def report(what: Any, run: Any, state: Any) -> None:
    """Tell how a flow run or a task run ended; a hook gets the flow or task, its run, and the final state."""
    print(f"{what.name} of {flow_run.name}: {state.name} after attempt {run.run_count}")


@task(on_failure=[report], retries=1)
def divide(whole: float, parts: float) -> float:
    return whole / parts


@flow(on_completion=[report], on_failure=[report])
def share(whole: float, parts: float) -> float:
    return divide(whole, parts)


@share.on_failure
def console(flow: Any, run: Any, state: Any) -> None:
    """Add one more hook with the decorator form."""
    print(f"nobody gets anything: {state.message}")


if __name__ == "__main__":
    print("shared:", share(12, 4))
    failed = share(12, 0, return_state=True)
    print("the second run ended", failed.name, "and this script goes on")
