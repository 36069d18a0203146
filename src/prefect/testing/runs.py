"""`run_context`: the context of a run that never was, for tests of functions that need one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from uuid import UUID

import msgspec

import prefect.runtime
from prefect.context import FlowRunContext, TaskRunContext, carry
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.snapshots import DeploymentSnapshot
from prefect.settings import temporary_settings
from prefect.types import now, uuid7

__all__ = ["run_context"]

T = TypeVar("T", bound=msgspec.Struct)

Facts = Mapping[str, Any]


@contextmanager
def run_context(
    flow_run: Facts | FlowRun | None = None,
    task_run: Facts | TaskRun | None = None,
    deployment: Facts | None = None,
    parameters: dict[str, Any] | None = None,
) -> Generator[FlowRunContext | TaskRunContext, None, None]:
    """Be inside of a run: `prefect.runtime`, `get_run_logger()` and the contexts work.

    Nothing runs and nothing is recorded: no store is made and no file written, and log records go to the
    console and to pytest's `caplog`. Without arguments there is a task run in a flow run; with only a
    `flow_run`, or only a `task_run`, just that.

    Args:
        flow_run: The flow run, or facts about it by the names of `prefect.runtime.flow_run`.
        task_run: The task run, or facts about it by the names of `prefect.runtime.task_run`.
        deployment: Facts by the names of `prefect.runtime.deployment`, for a flow run that belongs to one.
        parameters: The parameters of the run, unless facts about it give them.

    Yields:
        The context of the task run, where there is one, else of the flow run.

    Raises:
        TypeError: There is no fact of that name.
    """
    wants_task = task_run is not None or (flow_run is None and deployment is None)
    wants_flow = flow_run is not None or deployment is not None or task_run is None
    with ExitStack() as stack:
        stack.enter_context(temporary_settings({"PREFECT_LOGGING_TO_API_ENABLED": False}))
        stack.callback(carry(None, None))  # nothing of a run around this
        current: FlowRunContext | TaskRunContext | None = None
        if wants_flow:
            current = stack.enter_context(_flow_context(flow_run or {}, deployment, parameters))
        if wants_task:
            flow_run_id = (
                current.flow_run.id if isinstance(current, FlowRunContext) and current.flow_run else None
            )
            current = stack.enter_context(_task_context(task_run or {}, flow_run_id, parameters))
        assert current is not None
        yield current


def _flow_context(
    given: Facts | FlowRun, deployment: Facts | None, parameters: dict[str, Any] | None
) -> FlowRunContext:
    facts: Facts = {} if isinstance(given, FlowRun) else given
    at = now()
    run = (
        given
        if isinstance(given, FlowRun)
        else _made(
            FlowRun,
            {
                "flow_id": uuid7(),
                "name": "test-flow-run",
                "run_count": 1,
                "state_name": "Running",
                "start_time": at,
                "expected_start_time": at,
            },
            facts,
        )
    )
    context = FlowRunContext(
        flow_run=run,
        parameters=facts.get("parameters", run.parameters or parameters or {}),
        start_time=run.start_time or at,
    )
    snapshot = context.snapshot
    assert snapshot is not None
    context._snapshot = _with_facts(
        "flow_run",
        snapshot,
        {
            "flow_name": "test-flow",
            **facts,
            **_deployment(deployment, snapshot.deployment, snapshot.parameters),
        },
        run,
    )
    return context


def _deployment(
    given: Facts | None, known: DeploymentSnapshot | None, parameters: dict[str, Any] | None
) -> dict[str, Any]:
    if given is None:
        return {}
    made = known or DeploymentSnapshot(id=str(uuid7()), name="test-deployment", parameters=parameters or {})
    return {"deployment": _with_facts("deployment", made, given)}


def _task_context(
    given: Facts | TaskRun, flow_run_id: UUID | None, parameters: dict[str, Any] | None
) -> TaskRunContext:
    facts: Facts = {} if isinstance(given, TaskRun) else given
    at = now()
    run = (
        given
        if isinstance(given, TaskRun)
        else _made(
            TaskRun,
            {
                "task_key": "test-task",
                "dynamic_key": "0",
                "name": "test-task-run",
                "run_count": 1,
                "state_name": "Running",
                "start_time": at,
                "flow_run_id": flow_run_id,
            },
            facts,
        )
    )
    context = TaskRunContext(
        task_run=run, parameters=facts.get("parameters", parameters or {}), start_time=run.start_time or at
    )
    snapshot = context.snapshot
    assert snapshot is not None
    context._snapshot = _with_facts("task_run", snapshot, {"task_name": "test-task", **facts}, run)
    return context


def _made(kind: type[T], defaults: Facts, facts: Facts) -> T:
    """Make a run of the facts that runs have; the other facts are in its snapshot alone."""
    known = {name: value for name, value in facts.items() if name in kind.__struct_fields__}
    return kind(**{**defaults, **{name: _as_uuid(name, value) for name, value in known.items()}})


def _as_uuid(name: str, value: Any) -> Any:
    if (name != "id" and not name.endswith("_id")) or not isinstance(value, str):
        return value
    try:
        return UUID(value)
    except ValueError:
        return value  # a test may well call its run "run-1"


def _with_facts(section: str, snapshot: T, facts: Facts, run: msgspec.Struct | None = None) -> T:
    run_fields = () if run is None else run.__struct_fields__
    known = {*snapshot.__struct_fields__, *run_fields}
    unknown = [name for name in facts if name not in known]
    if unknown:
        names = ", ".join(dir(getattr(prefect.runtime, section)))
        raise TypeError(f"{section} has no {', '.join(map(repr, unknown))}. It has {names}.")
    held = {name: value for name, value in facts.items() if name in snapshot.__struct_fields__}
    texts = {name: str(value) for name, value in held.items() if isinstance(value, UUID)}
    return msgspec.structs.replace(snapshot, **{**held, **texts})
