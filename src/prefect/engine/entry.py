"""The ways into the engine: call a flow or a task of any kind."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any

from prefect.context.runs import _FLOW_RUN
from prefect.engine.beginning import new_task_run
from prefect.engine.drivers import drive, drive_generator
from prefect.engine.ending import Ending
from prefect.engine.flow_run import flow_run_steps
from prefect.engine.journal import Journal
from prefect.engine.notes import notes_of, open_journal
from prefect.engine.steps import Steps, map_calls
from prefect.engine.task_run import task_run_steps

if TYPE_CHECKING:
    from prefect.engine.definition import Definition
    from prefect.flows import Flow
    from prefect.schemas.objects import FlowRun, TaskRunRecord
    from prefect.schemas.snapshots import FlowRunSnapshot
    from prefect.schemas.states import State
    from prefect.tasks import Task

__all__ = ["call_flow", "call_task", "carry_out_flow_run", "current_journal", "run_submitted"]


def current_journal() -> Journal:
    """Return where runs made here are written down: where the current flow run is, or what settings say."""
    flow = _FLOW_RUN.get()
    return open_journal() if flow is None else notes_of(flow).journal


def call_flow(
    flow: Flow[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None, return_state: bool
) -> Any:
    """Call a flow.

    Args:
        flow: The flow.
        parameters: Its arguments by name.
        wait_for: Runs to wait for.
        return_state: Return the final state, not the result.

    Returns:
        The result or state; for async flows a coroutine of it, for generators a generator of what the
        function yields.
    """
    return _carry_out(flow, lambda: flow_run_steps(flow, parameters, wait_for), return_state)


def carry_out_flow_run(flow: Flow[Any, Any], run: FlowRun, facts: FlowRunSnapshot) -> State[Any]:
    """Carry out a flow run that is there to its end in this thread, whatever kind its function is of.

    Args:
        flow: The flow. What a generator yields is collected in a list, its result.
        run: The run.
        facts: What is known of it: its deployment, and the run that it is nested in.

    Returns:
        Its last state.

    Raises:
        prefect.exceptions.Abort: It is not to be carried out here, or not any more.
    """
    from prefect.engine.existing_run import existing_run_steps  # noqa: PLC0415 - only for deployed flows

    return _run_here(flow, existing_run_steps(flow, run, facts)).state


def call_task(
    task: Task[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None, return_state: bool
) -> Any:
    """Call a task, here and now; arguments and result as for `call_flow`."""
    if not task.isasync and not task.isgenerator:
        # The hot path: what follows, without the wrapping.
        journal = current_journal()
        record = new_task_run(task, parameters, wait_for)
        ending = drive(task_run_steps(task, parameters, record, journal, wait_for))
        return ending.state if return_state else ending.unwrap()

    def steps() -> Steps[Ending]:
        record = new_task_run(task, parameters, wait_for)
        return task_run_steps(task, parameters, record, current_journal(), wait_for)

    return _carry_out(task, steps, return_state)


def run_submitted(
    task: Task[Any, Any],
    parameters: dict[str, Any],
    record: TaskRunRecord,
    journal: Journal,
    wait_for: Iterable[Any] | None,
) -> Ending:
    """Run a submitted task to its end in this thread, whatever kind its function is of.

    Args:
        task: The task. What a generator yields is collected in a list, its result.
        parameters: Its arguments by name.
        record: The run, made when it was submitted.
        journal: Where it is written down.
        wait_for: Runs to wait for.
    """
    return _run_here(task, task_run_steps(task, parameters, record, journal, wait_for))


def _run_here(definition: Definition, steps: Steps[Ending]) -> Ending:
    """Take the steps of a run to their end in this thread; what a generator yields is collected."""
    if not definition.isasync and not definition.isgenerator:
        return drive(steps)
    if definition.isgenerator and not definition.isasync:
        return drive(_collecting(steps))
    from prefect.engine import async_drivers, loops  # noqa: PLC0415 - asyncio is 40 ms of every start

    if definition.isgenerator:
        steps = async_drivers.collecting(steps)
    return loops.run_coroutine(lambda: async_drivers.adrive(steps))


def _collecting(steps: Steps[Ending]) -> Steps[Ending]:
    """Have calls of a generator function return a list of what it yields: the result of a submitted run."""
    return map_calls(steps, lambda fn: lambda *args, **kwargs: list(fn(*args, **kwargs)))


def _carry_out(definition: Definition, steps: Callable[[], Steps[Ending]], return_state: bool) -> Any:
    def finish(ending: Ending) -> Any:
        return ending.state if return_state else ending.unwrap()

    if not definition.isasync:
        if definition.isgenerator:
            return _generator(steps, finish)
        return finish(drive(steps()))
    from prefect.engine import async_drivers  # noqa: PLC0415 - asyncio is 40 ms of every start

    if definition.isgenerator:
        return async_drivers.adrive_generator(steps(), finish)

    async def run() -> Any:
        return finish(await async_drivers.adrive(steps()))

    # Whoever forgets to await it is told which it was: "coroutine 'load' was never awaited".
    run.__name__ = run.__qualname__ = definition.name
    coroutine: Coroutine[Any, Any, Any] = run()
    return coroutine


def _generator(
    steps: Callable[[], Steps[Ending]], finish: Callable[[Ending], Any]
) -> Generator[Any, Any, Any]:
    return (yield from drive_generator(steps(), finish))
