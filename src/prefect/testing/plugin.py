"""The pytest plugin; pytest finds it by itself once Proconsul is installed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from prefect.testing.caplog import CaplogBridge

if TYPE_CHECKING:
    from prefect.context import FlowRunContext, TaskRunContext

__all__ = ["run_context"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Let `caplog` see what the loggers of runs log."""
    bridge = CaplogBridge()
    logger = logging.getLogger("prefect")
    logger.addHandler(bridge)
    try:
        return (yield)
    finally:
        logger.removeHandler(bridge)


@pytest.fixture(name="run_context")
def run_context() -> Callable[..., AbstractContextManager[FlowRunContext | TaskRunContext]]:
    """Give `prefect.testing.run_context`, which makes a run's context without a run."""
    from prefect.testing.runs import run_context  # noqa: PLC0415 - every pytest start would pay for it

    return run_context
