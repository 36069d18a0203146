"""What type checkers know of `prefect.runtime` and `prefect.context`. Nothing here runs: mypy checks it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, assert_type

import prefect.runtime.task_run
from prefect.context import (
    FlowRunContext,
    SettingsContext,
    TaskRunContext,
    child_environment,
    get_run_context,
    get_settings_context,
    serialize_context,
    with_context,
)
from prefect.runtime import deployment, flow_run, task_run
from prefect.runtime.flow_run import id as flow_run_id
from prefect.testing import run_context


def work(a: int, b: str = "") -> bytes:
    return b""


async def async_work(a: int) -> bytes:
    return b""


assert_type(flow_run.id, str | None)
assert_type(flow_run_id, str | None)
assert_type(flow_run.tags, list[str])
assert_type(flow_run.parameters, dict[str, Any])
assert_type(flow_run.scheduled_start_time, datetime)
assert_type(flow_run.start_time, datetime | None)
assert_type(flow_run.run_count, int)
assert_type(flow_run.job_variables, dict[str, Any] | None)
assert_type(task_run.flow_run_id, str | None)
assert_type(prefect.runtime.task_run.name, str | None)
assert_type(task_run.retries, int)
assert_type(deployment.version, str | None)
assert_type(deployment.parameters, dict[str, Any])
_ = flow_run.beep  # type: ignore[attr-defined] # there is no such fact
flow_run.FIELDS["beep"] = lambda: 1

assert_type(get_run_context(), FlowRunContext | TaskRunContext)
assert_type(FlowRunContext.get(), FlowRunContext | None)
assert_type(get_settings_context(), SettingsContext)
assert_type(child_environment(), dict[str, str])
assert_type(serialize_context(), dict[str, Any])
assert_type(with_context(work)(1, b="x"), bytes)
async_wrapped: Callable[[int], Coroutine[Any, Any, bytes]] = with_context(async_work)
with_context(work)("x")  # type: ignore[arg-type] # the signature is kept

with run_context(flow_run={"name": "x"}) as context:
    assert_type(context, FlowRunContext | TaskRunContext)
