"""How the context of a run gets to threads and processes that know nothing of it.

What travels are facts (snapshots, tags, settings), never live objects: in the other process
`prefect.runtime`, tags and the run logger are right, and `FlowRunContext.get()` is None.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, contextmanager
from contextvars import Context, copy_context
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar
from uuid import UUID, uuid4

from prefect.context.runs import (
    TagsContext,
    TaskRunContext,
    _print_installers,
    carry,
    current_flow_run,
    current_task_run,
)
from prefect.context.settings import changed_settings
from prefect.context.travel import (
    LARGEST_PARAMETERS,
    packed_flow_run,
    packed_task_run,
    unpacked_flow_run,
    unpacked_task_run,
)
from prefect.schemas.objects import TaskRun, TaskRunPolicy
from prefect.schemas.snapshots import TaskRunSnapshot
from prefect.settings import temporary_settings

__all__ = ["hydrated_context", "read_parameters", "serialize_context", "small_parameters", "with_context"]

P = ParamSpec("P")
R = TypeVar("R")

_this_process: tuple[int, str] = (0, "")


def _process() -> str:
    """Return a name of this process that no other one has, on any host; a forked child is another one."""
    global _this_process
    if _this_process[0] != os.getpid():
        _this_process = (os.getpid(), uuid4().hex)
    return _this_process[1]


def serialize_context() -> dict[str, Any]:
    """Return what a thread, process or machine needs to know of the run here.

    It is small, at most 2 KB besides the parameters of the runs, which come along when they take no more than
    1 KB. It holds no credentials.

    Returns:
        Plain values that can be pickled, for `hydrated_context`.
    """
    serialized: dict[str, Any] = {"process": _process()}
    flow_run, task_run = current_flow_run(), current_task_run()
    if flow_run is not None:
        serialized["flow_run"] = packed_flow_run(flow_run)
        serialized["flow_run_parameters"] = small_parameters(flow_run.parameters)
    if task_run is not None:
        serialized["task_run"] = packed_task_run(task_run)
        serialized["task_run_parameters"] = small_parameters(task_run.parameters)
    current_tags = TagsContext.get().current_tags
    if current_tags:
        serialized["tags"] = sorted(current_tags)
    settings = changed_settings()
    if settings:
        serialized["settings"] = settings
    innermost = task_run or flow_run
    if innermost is not None and innermost.log_prints and _print_installers:
        serialized["print"] = _print_installers[0]  # travels as its name, and is loaded there
    return serialized


@contextmanager
def hydrated_context(serialized_context: dict[str, Any] | None = None) -> Generator[None, None, None]:
    """Make the run that was serialized elsewhere the run here, inside a `with` block.

    Args:
        serialized_context: What `serialize_context` returned; None or empty changes nothing.
    """
    if not serialized_context:
        yield
        return
    with ExitStack() as stack:
        settings = serialized_context.get("settings", {})
        if settings and settings != changed_settings():
            stack.enter_context(temporary_settings(settings))
        if serialized_context["process"] != _process():
            stack.callback(_flush)
        install_print = serialized_context.get("print")
        if install_print is not None:
            install_print()
        stack.callback(_carry_runs(serialized_context))
        task_run = current_task_run()
        if task_run is not None:
            stack.enter_context(_task_run_context(task_run))
        stack.enter_context(TagsContext(current_tags=set(serialized_context.get("tags", ()))))
        yield


def with_context(fn: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs in the context of here, wherever it is called.

    In this process that is a copy of the context, a fresh one for each call: all context variables are there,
    those of other libraries too. In another process (`multiprocessing` and `ProcessPoolExecutor` with any
    start method) it is the run: `prefect.runtime`, tags, settings and the run logger.

    Args:
        fn: A function or coroutine function.

    Returns:
        A function of the same signature. It can be pickled where `fn` can; lambdas and inner functions can
        too.
    """
    carried = _Carried(fn, copy_context())
    carrier: Callable[..., Any] = _run_async if iscoroutinefunction(fn) else _run
    wrapped = partial(carrier, carried)
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(fn, name):
            setattr(wrapped, name, getattr(fn, name))
    return wrapped


class _Carried:
    """A function with the context that it was wrapped in.

    Args:
        fn: The function.
        context: All context variables; None in a process that it was sent to.
        serialized: What was sent in its place.
    """

    __slots__ = ("context", "fn", "process", "serialized")

    def __init__(
        self, fn: Callable[..., Any], context: Context | None, serialized: dict[str, Any] | None = None
    ) -> None:
        self.fn = fn
        self.context = context
        self.serialized = serialized
        self.process = _process()

    def context_here(self) -> Context | None:
        """Return a copy of the context, in the process that the function was wrapped in; elsewhere None."""
        # A copy, since a context can be run in by one thread at a time only.
        return self.context.copy() if self.context is not None and self.process == _process() else None

    def facts(self) -> dict[str, Any] | None:
        """Return the context as facts."""
        if self.context is None:
            return self.serialized
        serialized = self.context.copy().run(serialize_context)
        serialized["process"] = self.process
        return serialized

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (_sendable(self.fn), self.facts())


def _run(carried: _Carried, /, *args: Any, **kwargs: Any) -> Any:
    context = carried.context_here()
    if context is not None:
        return context.run(carried.fn, *args, **kwargs)
    with hydrated_context(carried.facts()):
        return carried.fn(*args, **kwargs)


async def _run_async(carried: _Carried, /, *args: Any, **kwargs: Any) -> Any:
    context = carried.context_here()
    if context is not None:
        import asyncio  # noqa: PLC0415 - import budget; where a coroutine runs it is there

        call: Coroutine[Any, Any, Any] = carried.fn(*args, **kwargs)
        return await asyncio.get_running_loop().create_task(call, context=context)
    with hydrated_context(carried.facts()):
        return await carried.fn(*args, **kwargs)


def _arrived(fn: Callable[..., Any] | _ByValue, serialized: dict[str, Any] | None) -> _Carried:
    return _Carried(fn.function() if isinstance(fn, _ByValue) else fn, None, serialized)


class _ByValue:
    """A function that cannot be imported, as bytes."""

    def __init__(self, code: bytes) -> None:
        self.code = code

    def function(self) -> Callable[..., Any]:
        """Return the function."""
        made: Callable[..., Any] = pickle.loads(self.code)
        return made


def _sendable(fn: Callable[..., Any]) -> Callable[..., Any] | _ByValue:
    name = getattr(fn, "__qualname__", "")
    if "<lambda>" not in name and "<locals>" not in name:
        return fn
    import cloudpickle  # noqa: PLC0415 - only functions without an importable name need it

    return _ByValue(cloudpickle.dumps(fn))


def _carry_runs(serialized: dict[str, Any]) -> Callable[[], None]:
    flow_run, task_run = serialized.get("flow_run"), serialized.get("task_run")
    return carry(
        flow_run and unpacked_flow_run(flow_run, read_parameters(serialized.get("flow_run_parameters"))),
        task_run and unpacked_task_run(task_run, read_parameters(serialized.get("task_run_parameters"))),
    )


def _task_run_context(snapshot: TaskRunSnapshot) -> TaskRunContext:
    run = TaskRun(
        id=_as_uuid(snapshot.id),
        name=snapshot.name or "",
        task_key=snapshot.task_name or "",
        dynamic_key=snapshot.id,
        flow_run_id=_as_uuid(snapshot.flow_run_id) if snapshot.flow_run_id else None,
        tags=list(snapshot.tags),
        run_count=snapshot.run_count,
        start_time=snapshot.start_time,
        empirical_policy=TaskRunPolicy(retries=snapshot.retries),
    )
    context = TaskRunContext(
        task_run=run,
        parameters=snapshot.parameters or {},
        start_time=snapshot.start_time,
        log_prints=snapshot.log_prints,
    )
    context._snapshot = snapshot
    return context


def _as_uuid(text: str) -> Any:
    try:
        return UUID(text)
    except ValueError:
        return text  # a test's own name for its run, see `prefect.testing.run_context`


class _Small:
    """A file that takes the bytes of parameters that may travel, and no more.

    So a large dataframe is not copied to see that it is large.
    """

    def __init__(self) -> None:
        self.content = b""

    def write(self, part: Any) -> int:
        """Take some bytes."""
        size = memoryview(part).nbytes
        if len(self.content) + size > LARGEST_PARAMETERS:
            raise OverflowError("too large to travel")
        self.content += bytes(part)
        return size


class _Open(pickle.Pickler):
    """Refuses secrets: parameters that hold one stay where they are."""

    def reducer_override(self, value: Any) -> Any:
        for kind in type(value).__mro__:  # users derive their own from pydantic's
            if kind.__module__.partition(".")[0] == "pydantic" and "Secret" in kind.__name__:
                raise ValueError("a secret")
        return NotImplemented


def small_parameters(parameters: dict[str, Any] | None) -> bytes | None:
    """Pickle parameters that may come along with a run.

    Args:
        parameters: The run's parameters.

    Returns:
        None for those that are too large, hold a secret, or cannot be pickled.
    """
    if parameters is None:
        return None
    file = _Small()
    try:
        _Open(file).dump(parameters)
    except Exception:  # noqa: BLE001 - values of users' classes raise anything; they are looked up instead
        return None
    return file.content


def read_parameters(parameters: bytes | None) -> dict[str, Any] | None:
    """Return the parameters that `small_parameters` pickled."""
    if parameters is None:
        return None
    loaded: dict[str, Any] = pickle.loads(parameters)
    return loaded


def _flush() -> None:
    """Write down what was recorded here: a pool may end this process at any time."""
    from prefect.recorder import get_recorder  # noqa: PLC0415 - import budget

    get_recorder().flush()
