"""What was written down about runs, read back from the store."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from itertools import takewhile
from typing import Any
from uuid import UUID

import setting
from prefect.client.current import get_caller
from prefect.operations.flow_runs import read_flow_run, read_flow_run_states
from prefect.operations.task_runs import read_task_run, read_task_run_states, read_task_runs
from prefect.recorder import get_recorder
from prefect.recorder.server_sink import ServerSink
from prefect.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunResult
from prefect.schemas.queries import TaskRunQuery
from prefect.schemas.states import State

_written = [""]
"""The newest event, as it was sent, that a server is known to have written."""

__all__ = ["flow_run_of", "history_of", "settled", "states_of", "task_run_of", "task_runs_of", "upstream_of"]


def flow_run_of(run: State[Any] | UUID | str) -> FlowRun:
    """Return a flow run, given its state or id."""
    return _read(read_flow_run, _flow_run_id(run))


def task_run_of(run: State[Any] | UUID | str) -> TaskRun:
    """Return a task run, given its state or id."""
    return _read(read_task_run, _task_run_id(run))


def task_runs_of(flow_run: State[Any] | UUID | str) -> list[TaskRun]:
    """Return the task runs of a flow run, in the order in which they began."""
    query = TaskRunQuery(
        flow_runs=FlowRunFilter(id=FlowRunFilterId(any_=[_flow_run_id(flow_run)])),
    )
    runs: list[TaskRun] = _read(read_task_runs, query)
    return sorted(runs, key=lambda run: run.id)


def history_of(run: State[Any] | FlowRun | TaskRun) -> list[str]:
    """Return the names of the states that a run was in, oldest first."""
    return [state.name for state in states_of(run)]


def states_of(run: State[Any] | FlowRun | TaskRun) -> list[State[Any]]:
    """Return the states that a run was in, oldest first."""
    if isinstance(run, TaskRun) or (isinstance(run, State) and run.state_details.task_run_id is not None):
        states: list[State[Any]] = _read(
            read_task_run_states, run.id if isinstance(run, TaskRun) else _task_run_id(run)
        )
    else:
        states = _read(read_flow_run_states, run.id if isinstance(run, FlowRun) else _flow_run_id(run))
    return states


def upstream_of(run: TaskRun) -> dict[str, set[UUID]]:
    """Return the ids of the task runs that each argument of a task run came from, where there are any."""
    return {
        name: {source.id for source in sources if isinstance(source, TaskRunResult)}
        for name, sources in run.task_inputs.items()
        if sources
    }


def settled(value: Any) -> Any:
    """Return a value; of a coroutine, what it gives: tests of both kinds of functions read the same."""
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def _read(operation: Any, *arguments: Any) -> Any:
    get_recorder().flush()
    if setting.has_server:
        _wait_for_events()
    return get_caller().call(operation, *arguments)


def _wait_for_events() -> None:
    """Wait until the server has written the events that this process has sent: it reads them before that."""
    sink = get_recorder().sink
    assert isinstance(sink, ServerSink)
    last: dict[str, str] = {}
    sent = sink.sent_events
    new = list(takewhile(lambda text: text != _written[0], reversed(sent)))
    for event in map(json.loads, reversed(new)):
        kind, _, run_id = event["resource"]["prefect.resource.id"].rpartition(".")
        if kind == "prefect.task-run":
            last[run_id] = event["id"]
    for run_id, event_id in last.items():
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            states = get_caller().call(read_task_run_states, UUID(run_id))
            if event_id in {str(state.id) for state in states}:
                break
            time.sleep(0.01)
    _written[0] = sent[-1] if sent else ""


def _flow_run_id(run: State[Any] | UUID | str) -> UUID:
    found = run.state_details.flow_run_id if isinstance(run, State) else UUID(str(run))
    assert found is not None
    return found


def _task_run_id(run: State[Any] | UUID | str) -> UUID:
    found = run.state_details.task_run_id if isinstance(run, State) else UUID(str(run))
    assert found is not None
    return found
