"""The pytest plugin; pytest finds it by itself once Proconsul is installed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from prefect.context import FlowRunContext, TaskRunContext

__all__ = ["run_context"]


@pytest.fixture(name="run_context")
def run_context() -> Callable[..., AbstractContextManager[FlowRunContext | TaskRunContext]]:
    """Give `prefect.testing.run_context`, which makes a run's context without a run."""
    from prefect.testing.runs import run_context  # noqa: PLC0415 - every pytest start would pay for it

    return run_context
