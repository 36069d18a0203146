"""The loggers of runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from prefect.context import (
    NO_RUN,
    FlowRunContext,
    RunContext,
    TaskRunContext,
    current_flow_run,
    current_task_run,
)
from prefect.exceptions import MissingContextError
from prefect.logging.configuration import ensure_logging_setup
from prefect.schemas.objects import FlowRun, TaskRun
from prefect.schemas.snapshots import FlowRunSnapshot, TaskRunSnapshot

if TYPE_CHECKING:
    from prefect.flows import Flow
    from prefect.tasks import Task

    LoggingAdapter: TypeAlias = logging.LoggerAdapter[logging.Logger]
else:
    LoggingAdapter = logging.LoggerAdapter

__all__ = [
    "LoggingAdapter",
    "PrefectLogAdapter",
    "disable_logger",
    "disable_run_logger",
    "flow_run_logger",
    "get_logger",
    "get_run_logger",
    "task_run_logger",
]

UNKNOWN = "<unknown>"

_flow_runs = logging.getLogger("prefect.flow_runs")
_task_runs = logging.getLogger("prefect.task_runs")


class PrefectLogAdapter(LoggingAdapter):
    """A logger that adds facts to its records: those of a run.

    Facts that a call gives itself, as `extra`, go before.

    Args:
        logger: The logger.
        extra: The facts, or a function that gathers them when something is logged for the first time.
    """

    def __init__(
        self,
        logger: logging.Logger,
        extra: Mapping[str, object] | Callable[[], Mapping[str, object]] | None = None,
    ) -> None:
        super().__init__(logger, None)
        self._extra = extra

    @property
    def extra(self) -> Mapping[str, object]:
        """The facts."""
        extra = self._extra
        if callable(extra):
            extra = self._extra = extra()
        return extra if extra is not None else {}

    @extra.setter
    def extra(self, value: Mapping[str, object] | None) -> None:
        self._extra = value

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the facts to a record that is about to be made."""
        own = kwargs.get("extra")
        kwargs["extra"] = {**self.extra, **own} if own else self.extra
        return msg, kwargs

    def getChild(self, suffix: str, extra: Mapping[str, object] | None = None) -> PrefectLogAdapter:
        """Return a logger below this one, with the same facts and more.

        Args:
            suffix: Its name below this logger's.
            extra: More facts.
        """
        return PrefectLogAdapter(self.logger.getChild(suffix), {**self.extra, **(extra or {})})


def get_logger(name: str | None = None) -> logging.Logger:
    """Return a logger below `prefect`.

    Args:
        name: Its name, with or without the leading `prefect.`; None for `prefect` itself.
    """
    if name is None:
        return logging.getLogger("prefect")
    return logging.getLogger(name if name.startswith("prefect.") else f"prefect.{name}")


def get_run_logger(context: RunContext | None = None, **kwargs: Any) -> logging.Logger | LoggingAdapter:
    """Return the logger of the task run here, where there is one, else of the flow run.

    It works wherever the context of a run is: in flows, tasks and hooks, in asyncio tasks, in threads and
    processes that got a copy of the context, and in a bare thread of a process that runs just one flow.

    Args:
        context: The context of another run.
        **kwargs: Facts to add to each record.

    Raises:
        prefect.exceptions.MissingContextError: No run is active here; the text says what to do.
        TypeError: `context` is no context of a run.
    """
    if _flow_runs.disabled and _task_runs.disabled:
        return _silent()
    if context is not None:
        flow_run, task_run = _runs_of(context)
    else:
        flow_run, task_run = current_flow_run(), current_task_run()
    ensure_logging_setup()
    if task_run is not None:
        return PrefectLogAdapter(_task_runs, lambda: {**_task_run_facts(task_run, flow_run), **kwargs})
    if flow_run is not None:
        return PrefectLogAdapter(_flow_runs, lambda: {**_flow_run_facts(flow_run), **kwargs})
    raise MissingContextError(NO_RUN)


def flow_run_logger(
    flow_run: FlowRun | None = None,
    flow: Flow[Any, Any] | None = None,
    flow_run_id: UUID | None = None,
    **kwargs: Any,
) -> PrefectLogAdapter:
    """Return the logger of a flow run.

    Args:
        flow_run: The run.
        flow: Its flow.
        flow_run_id: The run's id, where nothing more is known.
        **kwargs: Facts to add to each record.
    """
    ensure_logging_setup()

    def facts() -> Mapping[str, object]:
        run_id = flow_run.id if flow_run is not None else flow_run_id
        return {
            "flow_run_name": flow_run.name if flow_run is not None else UNKNOWN,
            "flow_run_id": str(run_id) if run_id is not None else UNKNOWN,
            "flow_name": flow.name if flow is not None else UNKNOWN,
            "deployment_name": None,
            **kwargs,
        }

    return PrefectLogAdapter(_flow_runs, facts)


def task_run_logger(
    task_run: TaskRun,
    task: Task[Any, Any] | None = None,
    flow_run: FlowRun | FlowRunSnapshot | None = None,
    flow: Flow[Any, Any] | None = None,
    **kwargs: Any,
) -> PrefectLogAdapter:
    """Return the logger of a task run.

    Args:
        task_run: The run.
        task: Its task.
        flow_run: The flow run that it belongs to; the one here, where it is that one, by default.
        flow: That run's flow.
        **kwargs: Facts to add to each record.
    """
    ensure_logging_setup()
    here = current_flow_run() if flow_run is None else flow_run

    def facts() -> Mapping[str, object]:
        run_id = task_run.flow_run_id
        known = here if here is not None and (flow_run is not None or here.id == str(run_id)) else None
        flow_name = flow.name if flow is not None else getattr(known, "flow_name", None)
        return {
            "task_run_id": str(task_run.id),
            "flow_run_id": str(run_id) if run_id is not None else None,
            "task_run_name": task_run.name,
            "task_name": task.name if task is not None else UNKNOWN,
            "flow_run_name": known.name if known is not None else UNKNOWN,
            "flow_name": flow_name or UNKNOWN,
            **kwargs,
        }

    return PrefectLogAdapter(_task_runs, facts)


@contextmanager
def disable_logger(name: str) -> Generator[None]:
    """Silence a logger inside `with`.

    Args:
        name: The logger's name.
    """
    logger = logging.getLogger(name)
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def disable_run_logger() -> Generator[None]:
    """Silence the loggers of runs inside `with`; `get_run_logger` works there without a run, in tests say."""
    with disable_logger(_flow_runs.name), disable_logger(_task_runs.name):
        yield


def _silent() -> logging.Logger:
    logger = logging.getLogger("null")
    logger.disabled = True
    return logger


def _runs_of(context: RunContext) -> tuple[FlowRunSnapshot | None, TaskRunSnapshot | None]:
    if isinstance(context, FlowRunContext):
        return context.snapshot, None
    if isinstance(context, TaskRunContext):
        task_run, flow_run = context.snapshot, current_flow_run()
        if task_run is not None and flow_run is not None and flow_run.id != task_run.flow_run_id:
            flow_run = None
        return flow_run, task_run
    raise TypeError(f"get_run_logger takes the context of a flow or task run, not {type(context).__name__}.")


def _flow_run_facts(run: FlowRunSnapshot) -> dict[str, object]:
    return {
        "flow_run_name": run.name or UNKNOWN,
        "flow_run_id": run.id,
        "flow_name": run.flow_name or UNKNOWN,
        "deployment_name": run.deployment.name if run.deployment is not None else None,
    }


def _task_run_facts(run: TaskRunSnapshot, flow_run: FlowRunSnapshot | None) -> dict[str, object]:
    return {
        "task_run_id": run.id,
        "flow_run_id": run.flow_run_id,
        "task_run_name": run.name or UNKNOWN,
        "task_name": run.task_name or UNKNOWN,
        "flow_run_name": (flow_run.name if flow_run is not None else None) or UNKNOWN,
        "flow_name": (flow_run.flow_name if flow_run is not None else None) or UNKNOWN,
    }
