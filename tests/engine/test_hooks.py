"""Hooks: when they are called, what they see, and that they can do no harm."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from prefect import flow, get_run_logger, task
from prefect.context import get_run_context
from prefect.runtime import flow_run, task_run
from prefect.states import Cancelled, Crashed
from recorded import flow_run_of, settled, task_run_of

ENDINGS = {
    "on_completion": (lambda: 1, "Completed"),
    "on_failure": (lambda: 1 / 0, "Failed"),
}
FLOW_ENDINGS = {
    **ENDINGS,
    "on_cancellation": (lambda: Cancelled(message="c"), "Cancelled"),
    "on_crashed": (lambda: Crashed(message="c"), "Crashed"),
}


def all_hooks(subject: Any, hook: Any) -> dict[str, Any]:
    names = ["on_running", *(FLOW_ENDINGS if subject is flow else ENDINGS)]
    return {name: [lambda s, r, st, name=name: hook(name, s, r, st)] for name in names}


CASES = [(task, name) for name in ENDINGS] + [(flow, name) for name in FLOW_ENDINGS]


@pytest.mark.parametrize(("subject", "ending"), CASES)
@pytest.mark.parametrize("is_async", [False, True])
def test_each_state_calls_its_hooks_with_what_is_stored(subject: Any, ending: str, is_async: bool) -> None:
    called: list[Any] = []

    def hook(name: str, subject: Any, run: Any, state: Any) -> None:
        called.append((name, subject, run.id, state.name, state.message))

    body, state_name = FLOW_ENDINGS[ending]

    async def abody() -> Any:
        return body()

    made = subject(abody if is_async else body, name="made", **all_hooks(subject, hook))
    state = settled(made(return_state=True))
    run = task_run_of(state) if subject is task else flow_run_of(state)
    assert [(name, seen) for name, _, _, seen, _ in called] == [
        ("on_running", "Running"),
        (ending, state_name),
    ]
    assert all(given is made and run_id == run.id for _, given, run_id, _, _ in called)
    assert run.state is not None
    assert called[-1][-1] == (run.state.message or None) == state.message  # on the wire, none is empty


@pytest.mark.parametrize("subject", [task, flow])
def test_hooks_are_called_in_order_options_first(subject: Any) -> None:
    called: list[str] = []

    def noting(name: str) -> Any:
        return lambda *_: called.append(name)

    @subject(on_completion=[noting("first"), noting("second")], on_running=[noting("running")])
    def work() -> None:
        called.append("body")

    assert work.on_completion(noting("third"))

    @work.on_completion
    def fourth(*_: Any) -> None:
        called.append("fourth")

    @work.on_running
    def running_too(*_: Any) -> None:
        called.append("running too")

    work()
    assert called == ["running", "running too", "body", "first", "second", "third", "fourth"]
    assert fourth.__name__ == "fourth"  # the decorator gives the function back


def test_every_method_form_registers() -> None:
    called: list[str] = []

    @flow
    def ends(how: Any) -> Any:
        return how()

    for name in FLOW_ENDINGS:
        getattr(ends, name)(lambda *_, name=name: called.append(name))
    for body, _ in FLOW_ENDINGS.values():
        ends(lambda body=body: body(), return_state=True)
    assert called == list(FLOW_ENDINGS)


@pytest.mark.parametrize("subject", [task, flow])
@pytest.mark.parametrize("async_hook", [False, True])
@pytest.mark.parametrize("async_body", [False, True])
def test_hooks_of_either_kind_run_in_runs_of_either_kind(
    subject: Any, async_hook: bool, async_body: bool
) -> None:
    called: list[Any] = []

    def hook(*_: Any) -> None:
        called.append((task_run if subject is task else flow_run).name)

    async def ahook(*_: Any) -> None:
        await asyncio.sleep(0)
        hook()

    def body() -> None: ...

    async def abody() -> None: ...

    option = {"task_run_name" if subject is task else "flow_run_name": "named"}
    hooks = [ahook if async_hook else hook]
    made = subject(abody if async_body else body, on_running=hooks, on_completion=hooks, **option)
    settled(made())
    assert called == ["named", "named"]


@pytest.mark.parametrize("subject", [task, flow])
def test_a_hook_that_raises_is_logged_and_harmless(subject: Any, caplog: pytest.LogCaptureFixture) -> None:
    called = []

    def bad(*_: Any) -> None:
        raise RuntimeError("hook")

    async def abad(*_: Any) -> None:
        raise RuntimeError("async hook")

    work = subject(
        lambda: 5, name="work", on_running=[bad], on_completion=[bad, abad, lambda *_: called.append(1)]
    )
    state = work(return_state=True)
    assert state.is_completed() and state.result() == 5 and called == [1]
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert sum("An error was encountered while running hook 'bad'" in text for text in messages) == 2
    assert sum("An error was encountered while running hook 'abad'" in text for text in messages) == 1


def test_runtime_and_loggers_in_hooks() -> None:
    seen: list[Any] = []

    def task_hook(_: Any, run: Any, state: Any) -> None:
        get_run_logger().info("from a hook")
        seen.append(
            (task_run.id == str(run.id), task_run.parameters, flow_run.name, get_run_context().task_run.name)
        )

    def flow_hook(_: Any, run: Any, state: Any) -> None:
        get_run_logger().info("from a hook")
        seen.append((flow_run.id == str(run.id), flow_run.parameters, flow_run.name, task_run.id))

    @task(on_running=[task_hook], on_completion=[task_hook], task_run_name="t")
    def inner(x: int) -> None: ...

    @flow(on_running=[flow_hook], on_completion=[flow_hook], flow_run_name="f")
    def outer(y: int) -> None:
        inner(y)
        inner.submit(y + 1)

    outer(1)
    assert seen[0] == seen[-1] == (True, {"y": 1}, "f", None)
    of_tasks = seen[1:-1]
    assert len(of_tasks) == 4
    assert all(right and name == "f" and run == "t" for right, _, name, run in of_tasks)


def test_hooks_of_cached_and_not_ready_runs() -> None:
    called: list[str] = []

    @task
    def boom() -> None:
        raise ValueError

    @task(on_running=[lambda *_: called.append("running")], on_completion=[lambda *_: called.append("done")])
    def after(x: Any) -> None: ...

    assert after.submit(boom.submit(), return_state=True).name == "NotReady"
    assert called == []


@pytest.mark.parametrize("subject", [task, flow])
@pytest.mark.parametrize("option", ["on_completion", "on_failure", "on_running"])
def test_hooks_must_be_a_list_of_functions(subject: Any, option: str) -> None:
    kind = subject.__name__
    with pytest.raises(
        TypeError, match=rf"Expected iterable for '{option}'; got function instead.*\n\n@{kind}"
    ):
        subject(lambda: 1, **{option: test_hooks_must_be_a_list_of_functions})
    with pytest.raises(TypeError, match=f"Expected callables in '{option}'; got str instead"):
        subject(lambda: 1, **{option: ["no"]})


def test_with_options_keeps_hooks_unless_they_are_changed() -> None:
    called: list[str] = []

    @task(on_completion=[lambda *_: called.append("option")])
    def work() -> None: ...

    work.on_completion(lambda *_: called.append("method"))
    work.with_options(name="other")()
    work.with_options(on_completion=[lambda *_: called.append("new")])()
    assert called == ["option", "method", "new"]
