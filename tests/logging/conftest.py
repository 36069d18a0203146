"""Loggers as they were before each test, a store of its own, and runs to log in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from prefect.client.local import get_local_client
from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.configuration import PROCESS_LOGGING_CONFIG
from prefect.operations import read_logs
from prefect.recorder import get_recorder
from prefect.schemas.objects import FlowRun, Log, TaskRun
from prefect.schemas.queries import LogQuery
from prefect.settings import PREFECT_HOME, temporary_settings

NAMES = (None, "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra", "a_library")


@pytest.fixture(autouse=True)
def fresh_loggers() -> Iterator[None]:
    """Undo what a test, or what it calls, does to the loggers."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(list(one.handlers), one.level, one.propagate, one.disabled) for one in loggers]
    for one in loggers[1:]:
        one.handlers.clear()
    PROCESS_LOGGING_CONFIG.clear()
    yield
    PROCESS_LOGGING_CONFIG.clear()
    for one, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        one.handlers[:], one.propagate, one.disabled = handlers, propagate, disabled
        one.setLevel(level)


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    with temporary_settings({PREFECT_HOME: tmp_path}):
        yield tmp_path
        get_recorder().close()


@pytest.fixture
def stored() -> Callable[[], list[Log]]:
    """Return everything that was stored, in order."""

    def read() -> list[Log]:
        assert get_recorder().flush()
        return get_local_client().call(read_logs, LogQuery())

    return read


Enter = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def in_flow() -> Enter:
    """Be in a flow run: `with in_flow("calm-fox", log_prints=True) as context`."""

    @contextmanager
    def enter(name: str = "calm-fox", *, log_prints: bool | None = None) -> Iterator[FlowRunContext]:
        flow = SimpleNamespace(name="my-flow", version=None)
        run = FlowRun(flow_id=uuid4(), name=name)
        with FlowRunContext(flow=flow, flow_run=run, parameters={}, log_prints=log_prints) as context:
            yield context

    return enter


@pytest.fixture
def in_task(in_flow: Enter) -> Enter:
    """Be in a task run of a flow run."""

    @contextmanager
    def enter(name: str = "load-0", *, log_prints: bool | None = None) -> Iterator[TaskRunContext]:
        with ExitStack() as stack:
            outer = FlowRunContext.get() or stack.enter_context(in_flow())
            run = TaskRun(task_key="load", dynamic_key="0", name=name, flow_run_id=outer.flow_run.id)
            task = SimpleNamespace(name="load")
            yield stack.enter_context(
                TaskRunContext(task=task, task_run=run, parameters={}, log_prints=log_prints)
            )

    return enter
