"""Whatever runs beside it, code reads the facts of the run that it is part of."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from prefect import flow, tags, task
from prefect.context import FlowRunContext, TagsContext, TaskRunContext, with_context
from prefect.runtime import flow_run, task_run
from prefect.testing import prefect_test_harness

ROOTS = 45
"""Of each kind. A root has two flows nested in it, one in the other; each of the three has three tasks."""

reads: list[int] = []
wrong: list[tuple[str, Any, Any]] = []


@pytest.fixture(autouse=True)
def harness():
    reads.clear()
    wrong.clear()
    with prefect_test_harness():
        yield


def compare(module: ModuleType, **expected: Any) -> None:
    """Hold what is read here against what is right; `list.append` is safe in threads."""
    reads.append(len(expected))
    for name, value in expected.items():
        found = getattr(module, name)
        if found != value:
            wrong.append((f"{module.__name__}.{name}", value, found))


def root_of(key: str) -> str:
    return key.partition(".")[0]


def compare_task(key: str, flow_key: str) -> None:
    parameters = {"key": key, "flow_key": flow_key}
    compare(
        task_run, name=key, parameters=parameters, run_count=1, tags=[root_of(key)], flow_run_id=flow_run.id
    )
    compare(flow_run, name=flow_key)
    context = TaskRunContext.get()
    if context is None or context.parameters != parameters:
        wrong.append(("TaskRunContext", parameters, context))


@task(task_run_name="{key}")
def sync_task(key: str, flow_key: str) -> None:
    compare_task(key, flow_key)


@task(task_run_name="{key}")
async def async_task(key: str, flow_key: str) -> None:
    for _ in range(3):
        compare_task(key, flow_key)
        await asyncio.sleep(0)


def compare_flow(here: str | None, parameters: dict[str, Any]) -> None:
    key, parent, root = parameters["key"], parameters["parent"], parameters["root"]
    compare(
        flow_run,
        id=here,
        name=key,
        parameters=parameters,
        parent_flow_run_id=parent,
        root_flow_run_id=root or here,
        tags=[root_of(key)],
        run_count=1,
    )
    compare(task_run, id=None, name=None, parameters={})
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or str(context.flow_run.id) != here:
        wrong.append(("FlowRunContext", here, context))
    if TagsContext.get().current_tags != {root_of(key)}:
        wrong.append(("tags", root_of(key), TagsContext.get()))


@flow(flow_run_name="{key}")
def sync_flow(key: str, depth: int, parent: str | None = None, root: str | None = None) -> None:
    here, parameters = flow_run.id, {"key": key, "depth": depth, "parent": parent, "root": root}

    def check() -> None:
        compare_flow(here, parameters)

    check()
    futures = [sync_task.submit(f"{key}.s{n}", key) for n in range(2)]
    if depth:
        sync_flow(f"{key}.in", depth - 1, here, root or here)
    check()
    sync_task(f"{key}.d", key)
    for target in (with_context(check), lambda context=contextvars.copy_context(): context.run(check)):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    for future in futures:
        future.result()
    check()


@flow(flow_run_name="{key}")
async def async_flow(key: str, depth: int, parent: str | None = None, root: str | None = None) -> None:
    here, parameters = flow_run.id, {"key": key, "depth": depth, "parent": parent, "root": root}
    compare_flow(here, parameters)
    nested = [async_flow(f"{key}.in", depth - 1, here, root or here)] if depth else []
    await asyncio.gather(*(async_task(f"{key}.a{n}", key) for n in range(2)), *nested)
    compare_flow(here, parameters)
    sync_task(f"{key}.d", key)
    await asyncio.create_task(asyncio.to_thread(compare_flow, here, parameters))
    compare_flow(here, parameters)


def test_a_thousand_runs_at_once_read_no_wrong_value():
    ready = threading.Barrier(ROOTS + 1)

    def in_a_thread(n: int) -> None:
        ready.wait()
        with tags(f"t{n}"):
            sync_flow(f"t{n}", 2)

    async def in_a_loop() -> None:
        async def one(n: int) -> None:
            with tags(f"a{n}"):
                await async_flow(f"a{n}", 2)

        await asyncio.to_thread(ready.wait)
        await asyncio.gather(*(one(n) for n in range(ROOTS)))

    with ThreadPoolExecutor(ROOTS + 1) as pool:
        loop = pool.submit(contextvars.copy_context().run, asyncio.run, in_a_loop())
        copies = [contextvars.copy_context() for _ in range(ROOTS)]
        roots = [pool.submit(context.run, in_a_thread, n) for n, context in enumerate(copies)]
        for future in [*roots, loop]:
            future.result()
    assert wrong == []
    assert sum(reads) > 10_000


@flow(flow_run_name="only")
def starts_a_bare_thread() -> list[str | None]:
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(flow_run.name))
    thread.start()
    thread.join()
    return found


def test_a_bare_thread_belongs_to_the_only_flow_run():
    assert starts_a_bare_thread() == ["only"]


def test_a_bare_thread_belongs_to_none_of_several():
    found: list[list[str | None]] = []
    both = threading.Barrier(2)

    @flow
    def one_of_two() -> None:
        both.wait()
        found.append(starts_a_bare_thread.fn())
        both.wait()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(contextvars.copy_context().run, one_of_two) for _ in range(2)]:
            future.result()
    assert found == [[None], [None]]
