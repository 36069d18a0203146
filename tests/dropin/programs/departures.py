"""Where Proconsul gives more than the interface, or says more: what these programs print is ours.

Each says in its docstring what other code may count on there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefect import Task, flow, task
from prefect.cache_policies import INPUTS
from prefect.context import FlowRunContext
from prefect.runtime import flow_run, task_run
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings
from prefect.states import Failed


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def fail() -> int:
    raise ValueError("failed task")


def program_submit_outside_of_flows() -> None:
    """Threads of this process run it; elsewhere, a RuntimeError."""
    print(add.submit(1).result(), add.map([1, 2]).result())


def program_names_that_cannot_be_made() -> None:
    """A name is not worth a result: the run keeps a name of its own, with a warning; elsewhere, it fails."""

    @task(task_run_name="{missing}")
    def templated(x: int) -> int:
        return x

    def broken() -> str:
        raise RuntimeError("no name")

    @task(task_run_name=broken)
    def called(x: int) -> int:
        return x

    print(templated(1), called(2))


def program_runtime_when_a_run_starts() -> None:
    """Hooks on running see the run too; elsewhere, nothing is known there yet."""

    @flow(
        flow_run_name="here", on_running=[lambda flow, run, state: print(flow_run.name, flow_run.flow_name)]
    )
    def run() -> None: ...

    run()


def program_containers_that_fit_are_not_copied() -> None:
    """A list that is what its annotation says reaches the flow as it is; elsewhere, as a copy."""

    @flow
    def run(xs: list[int], anything: Any) -> None:
        xs.append(9)
        anything.append(9)

    xs, anything = [1], [1]
    run(xs, anything)
    print(xs, anything)


def program_awaiting_what_cannot_begin() -> None:
    """A call of a task whose upstream failed raises; elsewhere, it returns None."""

    @flow
    def run() -> None:
        failed = fail.submit()
        try:
            add(1, wait_for=[failed])
        except Exception as error:
            print(type(error).__name__, error)

    run()


def program_failed_states_with_any_data() -> None:
    """A failed state may carry any value, and raises its message; elsewhere, a TypeError about the value."""

    @flow
    def run() -> Any:
        return Failed(message="2 rows are bad", data=2)

    state = run(return_state=True)
    print(state.result(raise_on_failure=False))
    try:
        run()
    except Exception as error:
        print(type(error).__name__, error)


def program_callable_objects() -> None:
    """Objects that can be called become flows and tasks too; elsewhere, they need a `__name__`."""

    class Adder:
        def __init__(self, n: int) -> None:
            self.n = n

        def __call__(self, x: int) -> int:
            return self.n + x

    print(task(Adder(3)).name, task(Adder(3))(1), flow(Adder(4)).name, flow(Adder(4))(1))


def program_tags_of_flows() -> None:
    """A flow may have tags of its own; elsewhere, only `with tags(...)` gives them."""

    @flow(tags=["nightly"])
    def run() -> Any:
        return flow_run.tags

    print(run(), add.with_options(tags=[]).tags)


def program_mapped_results_are_lists() -> None:
    """A list of futures reaches a task as a plain list; elsewhere, as one that is an (empty) iterator too."""

    @task
    def load(rows: list[tuple[int]]) -> int:
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        connection.executemany("INSERT INTO numbers VALUES (?)", rows)
        count = connection.execute("SELECT count(*) FROM numbers").fetchone()[0]
        connection.close()
        return int(count)

    @task
    def row(n: int) -> tuple[int]:
        return (n,)

    @flow
    def run() -> int:
        return load(row.map([1, 2, 3]))  # type: ignore[arg-type]

    print(run())


def program_reprs_show_values() -> None:
    """The repr of a state shows its value; elsewhere, the record around it."""

    @flow
    def run() -> int:
        return 5

    print(repr(run(return_state=True)))


def program_options_say_what_is_wrong() -> None:
    """Options are checked where they are given; elsewhere, some surface when a run begins, or never."""
    for make in (
        lambda: flow(retries=-1)(lambda: 1),
        lambda: flow(task_runner=5)(lambda: 1),
        lambda: task("x"),
        lambda: task(name=5)(lambda: 1),
        lambda: task(task_run_name=5)(lambda: 1),
        lambda: task(cache_policy=5)(lambda: 1),
        lambda: flow(nonsense=1)(lambda: 1),
        lambda: task(retry_delay_seconds=[1.0] * 60, retries=60)(lambda: 1),
    ):
        try:
            print("made", make().name)
        except Exception as error:
            print(type(error).__name__, error)


def program_parameters_say_what_is_wrong() -> None:
    """Errors name the flow, the parameter, the value and the signature."""

    @flow
    def run(day: int, names: list[str]) -> None: ...

    for call in (
        lambda: run("monday", ["a"]),
        lambda: run(1, "abc"),
        lambda: run(),
        lambda: add.submit(1, 2, 3),
    ):  # type: ignore[call-arg, arg-type]
        try:
            call()
        except Exception as error:
            print(type(error).__name__, error)


def program_more_of_the_runtime() -> None:
    """What users asked for: attempts, states and times of runs."""

    @task(retries=2)
    def work() -> Any:
        return task_run.retries, task_run.flow_run_id == flow_run.id, task_run.start_time is not None

    @flow(retries=1)
    def run() -> Any:
        context = FlowRunContext.get()
        assert context is not None
        return flow_run.start_time is not None, flow_run.work_pool_name, work()

    print(run())


def program_generators_get_values() -> None:
    """What is sent to a generator reaches it; elsewhere, it ends there."""

    @task
    def echo() -> Iterator[Any]:
        received = yield "ready"
        while received is not None:
            received = yield f"got {received}"

    @flow
    def run() -> Any:
        generator = echo()
        return next(generator), generator.send(1), generator.send(2)  # type: ignore[attr-defined]

    print(run())


def program_lists_and_tuples_have_keys_of_their_own() -> None:
    """Cache keys tell `(1, 2)` from `[1, 2]`; elsewhere, both give the same."""
    calls: list[Any] = []

    @task(cache_policy=INPUTS)
    def work(x: Any) -> str:
        calls.append(x)
        return type(x).__name__

    @flow
    def run() -> Any:
        return work((1, 2)), work([1, 2]), work([1, 2])

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: Path("results").resolve()}):
        print(run(), len(calls))


def program_cached_results_are_read_again() -> None:
    """Each cached run gets a result of its own, which nobody else can change; elsewhere, they share one."""

    @task(cache_policy=INPUTS)
    def make() -> list[int]:
        return [1]

    @flow
    def run() -> Any:
        make().append(2)
        make().append(3)
        return make()

    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: Path("results").resolve()}):
        print(run())


def program_options_of_subclasses() -> None:
    """`with_options` keeps the class; elsewhere, it gives a plain task or flow."""

    class Loud(Task):  # type: ignore[type-arg]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return f"{super().__call__(*args, **kwargs)}!"

    print(Loud(lambda x: x, name="loud").with_options(retries=1)(1))


def program_timeout_errors_of_the_users() -> None:
    """`TimedOut` is a run that its own timeout ended; elsewhere, one whose code raised a `TimeoutError` too."""

    @task
    def work() -> None:
        raise TimeoutError("the other side is slow")

    state = work(return_state=True)
    print(state.type, state.name, state.message)
