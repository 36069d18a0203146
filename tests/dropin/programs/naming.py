"""Names of runs, runtime, tags and contexts."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, tags, task
from prefect.context import FlowRunContext, TagsContext, TaskRunContext, get_run_context
from prefect.exceptions import MissingContextError
from prefect.runtime import deployment, flow_run, task_run

DAY = datetime.datetime(2024, 2, 29, 12, 30)


def program_flow_run_names() -> None:
    @flow(flow_run_name="load-{table}-{day:%Y-%m-%d}")
    def templated(table: str, day: datetime.datetime) -> str:
        return flow_run.name or ""

    @flow(flow_run_name=lambda: f"made-{flow_run.parameters['x']}")
    def called(x: int = 5) -> str:
        return flow_run.name or ""

    @flow(flow_run_name="plain")
    def plain() -> str:
        return flow_run.name or ""

    print(templated("users", DAY), called(), called(7), plain(), flow_run.name)
    print(plain.with_options(flow_run_name="other")())


def program_task_run_names() -> None:
    class Shop:
        city = "Rome"
        sizes = [1, 2]

    @task(task_run_name="{x:%Y}-{cfg[name]}-{items[0]}-{shop.city}-{shop.sizes[1]}-{n:03d}-{t!r}")
    def templated(
        x: datetime.datetime, cfg: dict[str, str], items: list[int], shop: Shop, n: int, t: str
    ) -> str:
        return task_run.name or ""

    @task(task_run_name=lambda: f"made-{task_run.task_name}-{task_run.parameters['x']}")
    def called(x: int) -> str:
        return task_run.name or ""

    def from_parameters(parameters: dict[str, Any]) -> str:
        return f"p-{sorted(parameters)}"

    @task(task_run_name=from_parameters)
    def given(a: int, b: int = 2) -> str:
        return task_run.name or ""

    @flow
    def run() -> Any:
        return (
            templated(DAY, {"name": "acme"}, [8, 9], Shop(), 7, "q"),
            called(1),
            called.submit(2).result(),
            given(1),
            called.with_options(task_run_name="{x}!")(3),
        )

    print(run())


def program_names_of_mapped_runs() -> None:
    @task(task_run_name="clean-{name}")
    def clean(name: str, suffix: str = "") -> str:
        return task_run.name or ""

    @flow
    def run() -> Any:
        return clean.map(["a", "b"]).result()

    print(run())


def program_default_task_run_names() -> None:
    @task
    def work() -> str:
        return task_run.name or ""

    @flow
    def run() -> Any:
        name = work()
        return name.startswith("work-"), len(name) > 5, task_run.name

    print(run())


def program_runtime_of_flow_run() -> None:
    @flow(name="nightly job", version="3", flow_run_name="tonight")
    def run(x: int, y: str = "z") -> None:
        print(flow_run.name, flow_run.flow_name, flow_run.flow_version, flow_run.parameters)
        print(flow_run.run_count, sorted(flow_run.tags), type(flow_run.id).__name__, len(flow_run.id or ""))
        print(flow_run.parent_flow_run_id, flow_run.parent_deployment_id, flow_run.job_variables)
        print(flow_run.root_flow_run_id == flow_run.id, flow_run.scheduled_start_time is not None)
        print(runtime.flow_run.name, runtime.flow_run.parameters["x"])

    with tags("b", "a"):
        run(1)


def program_runtime_outside_of_runs() -> None:
    print(flow_run.id, flow_run.name, flow_run.flow_name, flow_run.tags, flow_run.parameters)
    print(flow_run.run_count, flow_run.parent_flow_run_id, flow_run.flow_version, flow_run.root_flow_run_id)
    print(
        task_run.id, task_run.name, task_run.task_name, task_run.tags, task_run.parameters, task_run.run_count
    )
    print(deployment.id, deployment.name, deployment.version, deployment.parameters, deployment.flow_run_id)
    print(isinstance(flow_run.scheduled_start_time, datetime.datetime))


def program_runtime_unknown_names() -> None:
    for module in (flow_run, task_run, deployment):
        try:
            module.nonsense  # noqa: B018
        except AttributeError as error:
            print(type(error).__name__, error)
    print("name" in dir(flow_run), "task_name" in dir(task_run), "version" in dir(deployment))


def program_runtime_of_nested_runs() -> None:
    @flow(flow_run_name="inner")
    def inner() -> Any:
        return flow_run.name, flow_run.parent_flow_run_id, flow_run.root_flow_run_id

    @task(name="a task", tags=["t"], task_run_name="the task")
    def look(x: int) -> Any:
        return task_run.name, task_run.task_name, task_run.tags, task_run.parameters, flow_run.name

    @flow(flow_run_name="outer")
    def outer() -> None:
        name, parent, root = inner()
        print(name, parent == flow_run.id, root == flow_run.id, flow_run.name)
        print(look(1), look.submit(2).result(), task_run.name)

    outer()
    print(look(3))


def program_output_named_after_the_run() -> None:
    @task
    def report(rows: list[int]) -> str:
        path = Path(f"{flow_run.name}.txt")
        path.write_text(f"{sum(rows)}\n")
        return str(path)

    @flow(flow_run_name="report-{month}")
    def run(month: str) -> str:
        return report([1, 2, 3])

    path = run("may")
    print(path, Path(path).read_text())


def program_get_run_context() -> None:
    @task
    def inside() -> Any:
        context = get_run_context()
        flow_context = FlowRunContext.get()
        task_context = TaskRunContext.get()
        assert flow_context is not None and task_context is not None
        return (
            type(context).__name__,
            context.task.name,
            context.task_run.name.startswith("inside"),
            flow_context.flow.name,
            flow_context.flow_run.name,
            task_context.parameters,
            task_context.task_run.flow_run_id == flow_context.flow_run.id,
        )

    @flow(flow_run_name="here")
    def run(x: int = 1) -> None:
        context = get_run_context()
        print(
            isinstance(context, FlowRunContext), context.flow.name, context.flow_run.name, context.parameters
        )
        print(context.flow_run.name, str(context.flow_run.id) == flow_run.id, context.start_time is not None)
        print(inside())
        print(TaskRunContext.get())

    run()
    print(FlowRunContext.get(), TaskRunContext.get())
    try:
        get_run_context()
    except MissingContextError as error:
        print(type(error).__name__, isinstance(error, RuntimeError))


def program_tags() -> None:
    import prefect.context

    @task(tags={"own"})
    def which() -> Any:
        return sorted(task_run.tags)

    @flow
    def inner() -> Any:
        return sorted(flow_run.tags), which()

    @flow
    def run() -> Any:
        with tags("inside"):
            nested = inner()
        return sorted(flow_run.tags), which(), nested

    with tags("a", "b") as current:
        print(sorted(current), sorted(TagsContext.get().current_tags))
        print(run())
        with prefect.context.tags("c"):
            print(run())
    print(run())


def program_tags_as_decorated_arguments() -> None:
    @task
    def which() -> list[str]:
        return sorted(task_run.tags)

    @flow
    def run() -> Any:
        with tags("x"):
            one = which.submit()
        two = which.submit()
        return one.result(), two.result(), which.with_options(tags=["y"])()

    print(run())


def program_contexts_of_concurrent_runs() -> None:
    @task
    async def look(i: int) -> Any:
        await asyncio.sleep(0.001 * (5 - i))
        return task_run.parameters["i"], flow_run.parameters["n"]

    @flow
    async def run(n: int) -> Any:
        return await asyncio.gather(*[look(i) for i in range(4)])

    async def both() -> Any:
        return await asyncio.gather(run(1), run(2))

    print(asyncio.run(both()))


def program_run_count() -> None:
    @task(retries=2)
    def work() -> int:
        context = TaskRunContext.get()
        assert context is not None
        if task_run.run_count < 3:
            raise ValueError("again")
        return context.task_run.run_count

    @flow(retries=1)
    def run() -> Any:
        context = FlowRunContext.get()
        assert context is not None and context.flow_run is not None
        if flow_run.run_count == 1:
            raise ValueError("again")
        return work(), context.flow_run.run_count

    print(run())


def program_flow_run_object() -> None:
    @flow(name="object flow", flow_run_name="object run")
    def run(x: int) -> None:
        context = FlowRunContext.get()
        assert context is not None and context.flow_run is not None
        record = context.flow_run
        print(type(record).__name__, record.name, record.tags, record.parameters, record.run_count)
        print(record.state.name if record.state else None, record.state_type, record.deployment_id)
        print(record.model_dump(mode="json")["name"], record.auto_scheduled, record.parent_task_run_id)

    with tags("t"):
        run(1)


def program_mocked_runtime() -> None:
    import os

    os.environ["PREFECT__RUNTIME__FLOW_RUN__NAME"] = "mocked"
    os.environ["PREFECT__RUNTIME__TASK_RUN__RUN_COUNT"] = "7"
    os.environ["PREFECT__RUNTIME__DEPLOYMENT__ANYTHING"] = "new"
    try:
        print(flow_run.name, task_run.run_count + 1, deployment.anything)
    finally:
        for name in [name for name in os.environ if name.startswith("PREFECT__RUNTIME")]:
            del os.environ[name]


def program_logger_needs_a_run() -> None:
    try:
        get_run_logger()
    except MissingContextError as error:
        print(type(error).__name__)

    @task
    def work() -> str:
        return get_run_logger().logger.name if hasattr(get_run_logger(), "logger") else get_run_logger().name

    @flow
    def run() -> Any:
        logger = get_run_logger()
        return (logger.logger.name if hasattr(logger, "logger") else logger.name), work()

    print(run(), work())
