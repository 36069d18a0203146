"""The run contexts: what is running here.

There is one ContextVar a kind of run. `FlowRunContext` and `TaskRunContext` hold the live objects of a run in
the process that runs it. Their *snapshots*, plain facts, are what `prefect.runtime` reads and what travels
with work: in a process that only got a snapshot, `FlowRunContext.get()` is None while
`prefect.runtime.flow_run` is right.

asyncio tasks inherit contexts by themselves. A thread does not: start it with
`contextvars.copy_context().run`, or wrap its function in `with_context`, which also works for processes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any

from prefect.context.model import _TAGS as _TAGS
from prefect.context.model import ContextModel, TagsContext, inherited, tags
from prefect.exceptions import MissingContextError
from prefect.schemas.asynchrony import set_run_check
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.snapshots import DeploymentSnapshot, FlowRunSnapshot, TaskRunSnapshot

if TYPE_CHECKING:
    from prefect.flows import Flow
    from prefect.tasks import Task

__all__ = [
    "EngineContext",
    "FlowRunContext",
    "RunContext",
    "TagsContext",
    "TaskRunContext",
    "carried_flow_run",
    "current_flow_run",
    "current_task_run",
    "get_run_context",
    "tags",
]

NO_RUN = """There is no active flow or task run here.

A run's context follows calls and asyncio tasks, not threads that you start yourself. In such a thread, either
  - start it in a copy of the context:  thread = Thread(target=contextvars.copy_context().run, args=(work,))
  - or wrap the function:               executor.submit(prefect.context.with_context(work), ...)
To call a task's function by itself in a test, see prefect.testing.run_context."""


class RunContext(ContextModel):
    """Base of the contexts of runs."""

    __slots__ = ()


_FLOW_RUN: ContextVar[FlowRunContext | None] = ContextVar("flow_run", default=None)
_TASK_RUN: ContextVar[TaskRunContext | None] = ContextVar("task_run", default=None)
_TRANSACTION: ContextVar[Any] = ContextVar("transaction", default=None)
"""The innermost transaction that was made; a task run makes its own when it is needed."""
_CARRIED_FLOW_RUN: ContextVar[FlowRunSnapshot | None] = ContextVar("carried_flow_run", default=None)
_CARRIED_TASK_RUN: ContextVar[TaskRunSnapshot | None] = ContextVar("carried_task_run", default=None)


class FlowRunContext(RunContext):
    """The context of a flow run, in the process that runs it."""

    __slots__ = (
        "_snapshot",
        "client",
        "deployment",
        "flow",
        "flow_run",
        "log_prints",
        "parameters",
        "parent",
        "persist_result",
        "result_store",
        "start_time",
        "state",
        "task_runner",
    )
    __var__ = _FLOW_RUN
    _fields = (
        "flow",
        "flow_run",
        "parameters",
        "task_runner",
        "client",
        "result_store",
        "persist_result",
        "log_prints",
        "start_time",
        "parent",
        "state",
    )

    flow: Flow[Any, Any] | None
    flow_run: FlowRun | None
    parameters: dict[str, Any] | None
    task_runner: Any
    client: Any
    result_store: Any
    persist_result: bool | None
    log_prints: bool | None
    start_time: datetime | None
    parent: FlowRunSnapshot | None
    """The snapshot of the flow run that this one is nested in."""
    state: Any
    """The engine's own notes on the run: counters of its tasks, where results came from."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._snapshot: FlowRunSnapshot | None = None
        self.deployment: DeploymentSnapshot | None = None

    @property
    def snapshot(self) -> FlowRunSnapshot | None:
        """The run's plain facts; None for a context without a run."""
        if self._snapshot is None and self.flow_run is not None:
            self._snapshot = snapshot_flow_run(self.flow_run, self)
        return self._snapshot

    def refresh(self) -> None:
        """Forget the snapshot, since the run has changed."""
        self._snapshot = None


EngineContext = FlowRunContext


class TaskRunContext(RunContext):
    """The context of a task run."""

    __slots__ = (
        "_snapshot",
        "around",
        "client",
        "log_prints",
        "parameters",
        "persist_result",
        "result_store",
        "start_time",
        "task",
        "task_run",
        "transaction",
    )
    __var__ = _TASK_RUN
    _fields = (
        "task",
        "task_run",
        "parameters",
        "client",
        "result_store",
        "persist_result",
        "log_prints",
        "start_time",
    )

    task: Task[Any, Any] | None
    task_run: TaskRun | None
    parameters: dict[str, Any] | None
    client: Any
    result_store: Any
    persist_result: bool | None
    log_prints: bool | None
    start_time: datetime | None
    around: TaskRunContext | None
    """The task run whose function has called this one."""
    transaction: Any
    """The run's own transaction; None until something needs one."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._snapshot: TaskRunSnapshot | None = None
        self.around = self.transaction = None

    @classmethod
    def of(
        cls, task: Task[Any, Any], task_run: TaskRun, parameters: dict[str, Any], log_prints: bool | None
    ) -> TaskRunContext:
        """Make the context of a task run that begins, in a third of the time that the general way takes."""
        context = cls.__new__(cls)
        context._snapshot = None
        context.task = task
        context.task_run = task_run
        context.parameters = parameters
        context.log_prints = log_prints
        context.start_time = None
        context.client = context.result_store = context.persist_result = context.transaction = None
        context.around = _TASK_RUN.get()
        return context

    @property
    def snapshot(self) -> TaskRunSnapshot | None:
        """The run's plain facts; None for a context without a run."""
        if self._snapshot is None and self.task_run is not None:
            self._snapshot = snapshot_task_run(self.task_run, self)
        return self._snapshot

    def refresh(self) -> None:
        """Forget the snapshot, since the run has changed."""
        self._snapshot = None


def get_run_context() -> FlowRunContext | TaskRunContext:
    """Return the context of the task run, where there is one, else of the flow run.

    Raises:
        prefect.exceptions.MissingContextError: Neither a task nor a flow runs here.
    """
    found = _TASK_RUN.get() or _FLOW_RUN.get()
    if found is None:
        raise MissingContextError(NO_RUN)
    return found


def _is_async_run() -> bool | None:
    task, flow = _TASK_RUN.get(), _FLOW_RUN.get()
    running = task.task if task is not None else flow.flow if flow is not None else None
    return running.isasync if running is not None else None


set_run_check(_is_async_run)

_live_roots: dict[int, FlowRunContext] = {}
"""Flow runs without a parent that run in this process now, by their contexts: a server may give a run its id
after it has begun."""


def current_flow_run() -> FlowRunSnapshot | None:
    """Return the facts of the flow run here, or None.

    A thread that got no context (a library's, say) belongs to the process's flow run, if there is just one:
    with two, nobody could tell whose it is. The main thread is never such a thread: it always has the context
    of what it calls.
    """
    context = _FLOW_RUN.get()
    if context is not None:
        return context.snapshot
    carried = _CARRIED_FLOW_RUN.get()
    if carried is not None:
        return carried
    if (
        len(_live_roots) == 1
        and _TASK_RUN.get() is None
        and threading.get_ident() != threading.main_thread().ident
    ):
        try:
            (only,) = _live_roots.values()
        except (ValueError, RuntimeError):  # another thread began or ended a run just now: no longer just one
            return None
        return only.snapshot
    return inherited().flow_run


def carried_flow_run() -> FlowRunSnapshot | None:
    """Return the facts of the flow run that the work of this process belongs to elsewhere, or None.

    A run that begins here without a `FlowRunContext` is part of that one. It is never part of a run that
    merely happens to be the only one in the process, as `current_flow_run` has it for bare threads: a program
    may well start flows in threads of its own.

    It was carried here (`with_context`), or the process was started by it (`child_environment`).
    """
    return _CARRIED_FLOW_RUN.get() or inherited().flow_run


def carries_prints() -> bool:
    """Whether the work here belongs to a run elsewhere whose prints are log lines."""
    run = _CARRIED_TASK_RUN.get() or _CARRIED_FLOW_RUN.get()
    return run is not None and bool(run.log_prints)


_print_installers: list[Callable[[], None]] = []


def set_print_installer(install: Callable[[], None]) -> None:
    """Say what makes `print` log in a process that did not begin a run itself."""
    _print_installers[:] = [install]


def current_task_run() -> TaskRunSnapshot | None:
    """Return the facts of the task run here, or None."""
    context = _TASK_RUN.get()
    if context is not None:
        return context.snapshot
    if _FLOW_RUN.get() is not None:
        return None  # a flow that runs in a task is no part of it
    carried = _CARRIED_TASK_RUN.get()
    if carried is not None or _CARRIED_FLOW_RUN.get() is not None:
        return carried
    around = inherited()
    return around.task_run if current_flow_run() is around.flow_run else None


def add_live_root(context: FlowRunContext) -> None:
    """Note that a flow run without a parent runs in this process; a nested one is not noted."""
    if context.flow_run is not None:
        _live_roots[id(context)] = context


def remove_live_root(context: FlowRunContext) -> None:
    """Note that the flow run has ended."""
    _live_roots.pop(id(context), None)


def snapshot_flow_run(run: FlowRun, context: FlowRunContext) -> FlowRunSnapshot:
    """Make the snapshot of a flow run from its live context.

    Args:
        run: The run.
        context: Its context: the flow, the live parameters and the parent's snapshot are taken from there.
    """
    parent, flow = context.parent, context.flow
    run_id = _text(run.id) or ""
    parents_deployment = deployment = parent.deployment if parent is not None else None
    if run.deployment_id is not None and (deployment is None or deployment.id != str(run.deployment_id)):
        deployment = context.deployment or DeploymentSnapshot(
            id=str(run.deployment_id), version=run.deployment_version, parameters=run.parameters
        )
    return FlowRunSnapshot(
        id=run_id,
        name=run.name or None,
        tags=list(run.tags or ()),
        scheduled_start_time=run.next_scheduled_start_time or run.expected_start_time,
        flow_name=flow.name if flow is not None else None,
        flow_version=run.flow_version or (flow.version if flow is not None else None),
        parameters=context.parameters if context.parameters is not None else run.parameters,
        parent_flow_run_id=parent.id if parent is not None else None,
        parent_deployment_id=parents_deployment.id if parents_deployment is not None else None,
        root_flow_run_id=(parent.root_flow_run_id or parent.id) if parent is not None else run_id,
        run_count=run.run_count or 0,
        job_variables=run.job_variables,
        start_time=run.start_time,
        state_name=run.state_name,
        max_retries=(run.empirical_policy.retries or 0) if run.empirical_policy is not None else 0,
        work_pool_name=run.work_pool_name,
        work_queue_name=run.work_queue_name,
        deployment=deployment,
        log_prints=context.log_prints,
        persist_result=context.persist_result,
    )


def snapshot_task_run(run: TaskRun, context: TaskRunContext) -> TaskRunSnapshot:
    """Make the snapshot of a task run from its live context."""
    task = context.task
    return TaskRunSnapshot(
        id=_text(run.id) or "",
        name=run.name or None,
        tags=list(run.tags or ()),
        task_name=task.name if task is not None else None,
        run_count=run.run_count or 0,
        parameters=context.parameters,
        flow_run_id=_text(run.flow_run_id),
        start_time=run.start_time,
        retries=(run.empirical_policy.retries or 0) if run.empirical_policy is not None else 0,
        log_prints=context.log_prints,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def carry(flow_run: FlowRunSnapshot | None, task_run: TaskRunSnapshot | None) -> Callable[[], None]:
    """Make snapshots that came from elsewhere current here.

    Args:
        flow_run: The flow run that the work belongs to.
        task_run: The task run, where there is one.

    Returns:
        A function that undoes it.
    """
    before = (_CARRIED_FLOW_RUN.get(), _CARRIED_TASK_RUN.get(), _FLOW_RUN.get(), _TASK_RUN.get())
    _CARRIED_FLOW_RUN.set(flow_run)
    _CARRIED_TASK_RUN.set(task_run)
    # A forked child has inherited the live contexts of its parent; its run is the carried one.
    _FLOW_RUN.set(None)
    _TASK_RUN.set(None)

    def undo() -> None:
        _CARRIED_FLOW_RUN.set(before[0])
        _CARRIED_TASK_RUN.set(before[1])
        _FLOW_RUN.set(before[2])
        _TASK_RUN.set(before[3])

    return undo
