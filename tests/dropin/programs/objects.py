"""Flows, tasks, states and runs as Python objects."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import uuid
from collections.abc import Callable
from typing import Any

import cloudpickle
import pydantic

from prefect import Flow, State, Task, flow, task
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.context import FlowRunContext, TaskRunContext
from prefect.futures import PrefectFuture, PrefectFutureList
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, Pending


@task(name="named", retries=2)
def increase(x: int) -> int:
    """Add one."""
    return x + 1


@flow(name="a flow")
def top(x: int = 1) -> int:
    """Run it."""
    return increase(x)


def program_introspection() -> None:
    @flow
    async def later() -> None: ...

    for made in (increase, top, later):
        print(made.__name__, made.__doc__, made.__module__ == __name__, callable(made), made.isasync)
        print(
            str(inspect.signature(made)),
            inspect.iscoroutinefunction(made.fn),
            inspect.unwrap(made) is made.fn,
        )
        print(asyncio.iscoroutinefunction(made), inspect.iscoroutinefunction(made))


def program_subscripted_types() -> None:
    print(Flow[[int], str] is not None, Task[..., Any] is not None, PrefectFuture[int] is not None)
    print(State[int] is not None, PrefectFutureList[int] is not None)


def program_made_by_constructors() -> None:
    made = Flow(fn=lambda x: x * 2, name="made", description="by hand")
    step = Task(fn=lambda x: x + 1, name="step", tags=["t"])
    print(made.name, made(2), made.description, step.name, step(1), step.tags)
    print(flow(increase.fn, name="again")(1), task(top.fn, name="other").name)


def program_subclasses() -> None:
    class Loud(Task):  # type: ignore[type-arg]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return f"{super().__call__(*args, **kwargs)}!"

    class Quiet(Flow):  # type: ignore[type-arg]
        pass

    loud = Loud(lambda x: x, name="loud")
    print(loud(1), Quiet(lambda: 1, name="quiet")(), isinstance(loud, Task))


def program_copies_and_pickles() -> None:
    for made in (increase, top):
        sent = cloudpickle.loads(cloudpickle.dumps(made))
        print(sent.name, sent(1), copy.copy(made).name, copy.deepcopy(made)(2), sent.retries)
    state = top(return_state=True)
    print(
        cloudpickle.loads(cloudpickle.dumps(state)).name,
        copy.deepcopy(state).result(),
        copy.copy(state) == state,
    )


def program_tasks_as_arguments() -> None:
    @flow
    def apply(step: Task, number: int, fn: Callable[[int], int]) -> int:  # type: ignore[type-arg]
        return step(number) + fn(number)

    @task
    def call(fn: Callable[[int], int], x: int) -> int:
        return fn(x)

    print(apply(increase, 1, lambda x: x * 10), call(increase, 5), call(abs, -1))


def program_states_as_arguments() -> None:
    @flow
    def judge(state: State, run: Any = None) -> str:  # type: ignore[type-arg]
        return type(state).__name__

    @flow
    def wrap() -> str:
        return judge(Completed(data=1))

    try:
        print(wrap())
    except Exception as error:
        print(type(error).__name__)


def program_states_dumped_and_loaded() -> None:
    state = Failed(message="why", data=None)
    loaded = State.model_validate(json.loads(state.model_dump_json()))
    print(loaded.name, loaded.message, loaded.type, loaded.id == state.id)
    print(
        sorted(state.model_dump(include={"name", "message"}).items()),
        "id" in state.model_dump(exclude={"id"}),
    )
    print(State.model_validate_json(state.model_dump_json()).timestamp == state.timestamp)


def program_runs_dumped() -> None:
    @task
    def look() -> Any:
        context = TaskRunContext.get()
        assert context is not None
        dumped = context.task_run.model_dump(mode="json")
        return (
            dumped["name"].split("-")[0],
            dumped["state"]["name"],
            dumped["tags"],
            isinstance(dumped["id"], str),
        )

    @flow
    def run(x: int) -> Any:
        context = FlowRunContext.get()
        assert context is not None and context.flow_run is not None
        dumped = context.flow_run.model_dump()
        return dumped["parameters"], dumped["state_name"], isinstance(dumped["id"], uuid.UUID), look()

    print(run(3))


def program_runs_made_by_hand() -> None:
    run = FlowRun(flow_id=uuid.UUID(int=1), name="made", tags=["a"], parameters={"x": 1})
    print(run.name, run.tags, run.parameters, run.state, run.run_count, run.deployment_id, run.flow_id.int)
    step = TaskRun(task_key="key", dynamic_key="0", flow_run_id=run.id)
    print(step.task_key, step.flow_run_id == run.id, step.tags, step.task_inputs, step.cache_key)
    run.state = Pending()
    print(
        run.state.name,
        run.model_copy(update={"name": "copy"}).name,
        FlowRun.model_validate(run.model_dump()).name,
    )


def program_contexts_made_by_hand() -> None:
    @task
    def work(x: int) -> int:
        return x + 1

    run = FlowRun(flow_id=uuid.uuid4(), name="by hand", parameters={"p": 1})
    with FlowRunContext.model_construct(flow_run=run, parameters={"p": 1}):
        context = FlowRunContext.get()
        print(context is not None and context.flow_run is run, work.fn(1), flow_run.name, flow_run.parameters)
    print(FlowRunContext.get())


def program_models_with_runs_in_them() -> None:
    class Event(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        name: str
        state: State  # type: ignore[type-arg]

    event = Event(name="e", state=Completed(message="m"))
    print(event.state.message)


def program_equality_of_tasks() -> None:
    other = increase.with_options()
    print(increase == increase, increase == other, len({increase, top}), increase.task_key == other.task_key)


def program_attributes_set_by_users() -> None:
    @task
    def work() -> str:
        return work.note  # type: ignore[attr-defined, no-any-return]

    work.note = "mine"  # type: ignore[attr-defined]
    work.name = "renamed"
    top.description = "changed"
    print(work(), work.name, top.description)


def program_states_sorted_and_grouped() -> None:
    @flow
    def run() -> Any:
        return [increase(1, return_state=True), increase("x", return_state=True)]  # type: ignore[call-overload]

    states = run(return_state=True).result(raise_on_failure=False)
    by_name = {state.name: state for state in states}
    print(sorted(by_name), {state.type for state in states} == {s.type for s in by_name.values()})
    print(all(isinstance(state, State) for state in states), len(set(map(id, states))))
    print(states[0].timestamp <= states[1].timestamp, states[0] == states[1], states[0] in states)
