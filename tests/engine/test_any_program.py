"""Programs of flows and tasks in any arrangement give what plain functions give, and are written down."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import setting
from prefect import flow, task
from prefect.context import FlowRunContext, TaskRunContext
from prefect.runtime import flow_run, task_run
from prefect.schemas.states import TERMINAL_STATES
from prefect.task_runners import ThreadPoolTaskRunner
from recorded import flow_run_of, settled, task_run_of

pytestmark = pytest.mark.timeout(240)  # programs of hundreds of runs, which a busy server writes slowly


class Node(NamedTuple):
    """A flow or task of a program."""

    kind: str
    is_async: bool
    how: str
    fails: bool
    retries: int
    children: tuple[Any, ...]


NODES = st.deferred(
    lambda: st.builds(
        Node,
        kind=st.sampled_from(["flow", "task"]),
        is_async=st.booleans(),
        how=st.sampled_from(["call", "submit", "state", "argument"]),
        fails=st.sampled_from([False, False, False, True]),
        retries=st.integers(0, 1),
        children=st.lists(NODES, max_size=3).map(tuple),
    )
)


class Failed(Exception):
    pass


def expected(node: Node) -> Any:
    """Return what a node gives; None where it fails."""
    if node.fails:
        return None
    return [expected(child) for child in node.children]


class Program:
    """Runs nodes and notes the runs that they make."""

    def __init__(self) -> None:
        self.flow_runs: dict[Any, Node] = {}
        self.task_runs: dict[Any, Node] = {}

    def made(self, node: Node) -> Any:
        """Make the flow or task of a node."""

        def note() -> None:
            if node.kind == "flow":
                assert task_run.id is None
                self.flow_runs[flow_run.id] = node
            else:
                self.task_runs[task_run.id] = node

        def check(own: Any) -> None:
            assert own == (flow_run.id, task_run.id)
            if node.fails:
                raise Failed(node.kind)

        def work(_: Any = None) -> Any:
            note()
            own = flow_run.id, task_run.id
            results = [self.outcome(child) for child in node.children]
            check(own)
            return results

        async def awork(_: Any = None) -> Any:
            note()
            own = flow_run.id, task_run.id
            results = await asyncio.gather(*[self.aoutcome(child) for child in node.children])
            check(own)
            return list(results)

        fn = awork if node.is_async else work
        if node.kind == "task":
            return task(fn, name="node", retries=node.retries)
        runner = ThreadPoolTaskRunner(max_workers=1)
        return flow(fn, name="node", retries=node.retries, task_runner=runner, validate_parameters=False)

    def outcome(self, node: Node) -> Any:
        """Run a node from synchronous code; None where it fails."""
        made = self.made(node)
        try:
            if node.how == "submit" and node.kind == "task":
                return made.submit().result()
            given = [task(lambda: 1, name="given").submit()] if node.how == "argument" else []
            result = made(*given, return_state=node.how == "state")
            result = asyncio.run(result) if node.is_async else result
            return settled(result.result()) if node.how == "state" else result
        except Failed:
            return None

    async def aoutcome(self, node: Node) -> Any:
        """Run a node from async code; None where it fails."""
        made = self.made(node)
        try:
            if node.how == "submit" and node.kind == "task":
                return made.submit().result()
            given = [task(lambda: 1, name="given").submit()] if node.how == "argument" else []
            if not node.is_async:  # what it runs may need an event loop of its own
                return await asyncio.to_thread(self.outcome, node)
            result = await made(*given, return_state=node.how == "state")
            return await result.result() if node.how == "state" else result
        except Failed:
            return None


@settings(
    max_examples=setting.sized(40, peer=12), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(NODES)
def test_any_program(root: Node) -> None:
    program = Program()
    assert program.outcome(root) == expected(root)
    assert FlowRunContext.get() is None and TaskRunContext.get() is None
    for run_id, node in program.flow_runs.items():
        run = flow_run_of(run_id)
        assert run.state_name == ("Failed" if node.fails else "Completed") and run.end_time is not None
    for run_id, node in program.task_runs.items():
        task_run = task_run_of(run_id)
        assert task_run.state_type in TERMINAL_STATES and task_run.end_time is not None
        assert task_run.state_name == ("Failed" if node.fails else "Completed")
        assert task_run.run_count == (node.retries + 1 if node.fails else 1)
