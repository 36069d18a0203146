"""Runs in forked children: a function that forks leaves its run to the parent.

What the child does in the function is work of the run, and recorded as such. But the run ends once, in the
parent: in the child, whatever leaves the function (a value, an exception, `sys.exit()`) goes on to the
caller, and the run itself is left as it was at the fork.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from prefect.engine.ending import Ending
from prefect.engine.steps import ForkedChild, Steps
from prefect.rules.final_states import state_of_value
from prefect.schemas.states import StateDetails

__all__ = ["unwind"]


def unwind(steps: Steps[Any], value: Any) -> Ending:
    """Have a run put back what it changed in this process, without taking another step of it.

    Args:
        steps: The run.
        value: What its function returned in the child.

    Returns:
        The end that the caller here is to see.
    """
    with suppress(ForkedChild, StopIteration):
        steps.throw(ForkedChild())
        while True:
            steps.send(None)  # steps of tidying up are the parent's to take
    return Ending(state_of_value(value, StateDetails()), value)
