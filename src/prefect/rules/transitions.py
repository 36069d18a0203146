"""Whether a run may enter a state: the rules of flow runs and of task runs, asked one after the other.

The tables `FLOW_RUN_RULES` and `TASK_RUN_RULES` are the policy: the first rule that decides has the word, and
where none does the state is accepted. Each rule is named for what it protects.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from prefect.rules.decision import Decision, Rule, Transition
from prefect.rules.flow_run_rules import FLOW_RUN_RULES, FORCED_FLOW_RUN_RULES
from prefect.rules.task_run_rules import FORCED_TASK_RUN_RULES, TASK_RUN_RULES
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.states import State

__all__ = ["Decision", "decide_flow_run", "decide_task_run"]

R = TypeVar("R", FlowRun, TaskRun)


def decide_flow_run(
    current: State[Any] | None, proposed: State[Any], run: FlowRun, *, now: datetime, force: bool = False
) -> Decision:
    """Say whether a flow run may enter a state.

    Args:
        current: The run's state; None where it has none yet.
        proposed: The state that it is to enter.
        run: The run, with its counts and policy as they are before.
        now: The current time.
        force: Ask only the rules that hold for forced states too.

    Returns:
        What becomes of the proposed state. The run is not changed.
    """
    rules = FORCED_FLOW_RUN_RULES if force else FLOW_RUN_RULES
    return _decide(rules, Transition(current, proposed, run, now))


def decide_task_run(
    current: State[Any] | None,
    proposed: State[Any],
    run: TaskRun,
    *,
    flow_run_state: State[Any] | None = None,
    now: datetime,
    force: bool = False,
) -> Decision:
    """Say whether a task run may enter a state.

    Args:
        current: The run's state; None where it has none yet.
        proposed: The state that it is to enter.
        run: The run, with its counts and policy as they are before.
        flow_run_state: The state of the flow run that it belongs to, if it belongs to one.
        now: The current time.
        force: Ask only the rules that hold for forced states too.

    Returns:
        What becomes of the proposed state. The run is not changed.
    """
    rules = FORCED_TASK_RUN_RULES if force else TASK_RUN_RULES
    return _decide(rules, Transition(current, proposed, run, now, flow_run_state))


def _decide(rules: Iterable[Rule[R]], transition: Transition[R]) -> Decision:
    for rule in rules:
        decision = rule(transition)
        if decision is not None:
            return decision
    return transition.accept()
