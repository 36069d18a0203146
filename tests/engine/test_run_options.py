"""Names, tags, prints and the other options of flows and tasks."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from typing import Any

import pytest

from prefect import flow, tags, task
from prefect.cache_policies import INPUTS
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner
from recorded import flow_run_of, settled, task_run_of, task_runs_of

NAMES = [
    ("item-{x}", "item-3"),
    ("{x:03}-{day:%Y}", "003-2024"),
    (lambda: "called", "called"),
    (lambda parameters: f"with-{parameters['x']}", "with-3"),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("template", "name"), NAMES)
@pytest.mark.parametrize("is_async", [False, True])
def test_names_of_runs(template: Any, name: str, is_async: bool) -> None:
    def work(x: int, day: date = date(2024, 2, 29)) -> Any:
        return flow_run.name, task_run.name

    async def awork(x: int, day: date = date(2024, 2, 29)) -> Any:
        return work(x, day)

    fn = awork if is_async else work
    state = settled(task(fn, task_run_name=template)(3, return_state=True))
    assert state.result()[1] == task_run_of(state).name == name
    state = settled(flow(fn, flow_run_name=template)(3, return_state=True))
    assert state.result()[0] == flow_run_of(state).name == name


@pytest.mark.parametrize("template", ["{missing}", lambda: 1 / 0, lambda: 5, "{x.nothing}"])
def test_a_name_that_cannot_be_made_costs_no_result(template: Any, caplog: pytest.LogCaptureFixture) -> None:
    state = task(lambda x: x, name="work", task_run_name=template)(3, return_state=True)
    assert state.result() == 3
    assert task_run_of(state).name.startswith("work-")
    state = flow(lambda x: x, name="work", flow_run_name=template)(3, return_state=True)
    assert state.result() == 3
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2 and all("_run_name failed" in text for text in warnings)


def test_a_name_callable_sees_the_run() -> None:
    seen = []

    def name() -> str:
        seen.append((task_run.task_name, flow_run.flow_name, task_run.parameters))
        return "n"

    inner = task(lambda x: None, name="inner", task_run_name=name)
    flow(lambda: inner(1), name="outer")()
    assert seen == [("inner", "outer", {"x": 1})]


def test_a_name_is_of_the_right_kind() -> None:
    with pytest.raises(TypeError, match="Expected string or callable for 'flow_run_name'; got int instead"):
        flow(lambda: 1, flow_run_name=5)  # type: ignore[call-overload]


def test_names_without_a_template() -> None:
    state = task(lambda: None, name="My Task")(return_state=True)
    assert task_run_of(state).name.startswith("My Task-")
    first, second = (flow_run_of(flow(lambda: 1)(return_state=True)).name for _ in range(2))
    assert first != second and "-" in first


@task(tags=["own"])
def tagged() -> list[str]:
    return task_run.tags


def test_tags_add_up() -> None:
    @flow(tags=["of-flow"])
    def work() -> Any:
        with tags("inner"):
            return flow_run.tags, tagged(), tagged.submit().result()

    with tags("outer", "more"):
        state = work(return_state=True)
    of_flow, called, submitted = state.result()
    assert set(of_flow) == {"of-flow", "outer", "more"} == set(flow_run_of(state).tags)
    assert set(called) == set(submitted) == {"own", "outer", "more", "inner"}
    assert [set(run.tags) for run in task_runs_of(state)] == [set(called)] * 2


def test_tags_nest_and_end() -> None:
    with tags("a") as outer:
        assert outer == {"a"}
        with tags("b") as inner:
            assert inner == {"a", "b"}
            assert set(tagged()) == {"own", "a", "b"}
        assert set(tagged()) == {"own", "a"}
    assert tagged() == ["own"]


def test_tags_reach_mapped_tasks_and_nested_flows() -> None:
    @flow(tags=["child"])
    def child() -> Any:
        return flow_run.tags, tagged()

    @task
    def each(x: int) -> list[str]:
        return task_run.tags

    @flow
    async def work() -> Any:
        with tags("here"):
            return each.map([1, 2]).result(), child(), await asyncio.gather(aeach(), aeach())

    @task
    async def aeach() -> list[str]:
        await asyncio.sleep(0)
        return task_run.tags

    mapped, (child_tags, child_task_tags), gathered = asyncio.run(work())
    assert mapped == gathered == [["here"], ["here"]]
    assert set(child_tags) == {"child", "here"}
    assert set(child_task_tags) == {"own", "here"}


def test_one_text_is_no_list_of_tags() -> None:
    with pytest.raises(
        TypeError, match="'tags' of task '<lambda>' must be an iterable of texts, not one text: 'ab'"
    ):
        task(lambda: 1, tags="ab")


def printed(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.name, record.getMessage())
        for record in caplog.records
        if record.getMessage().startswith("printed") and record.name.startswith("prefect")
    ]


def test_prints_are_logged_where_asked_for(caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    caplog.set_level(logging.INFO)

    @task
    def inherits() -> None:
        print("printed by inherits")

    @task(log_prints=False)
    def refuses() -> None:
        print("printed by refuses")

    @flow(log_prints=True)
    def outer() -> None:
        print("printed by", "outer")
        inherits()
        inherits.submit().wait()
        refuses()
        inner()
        shadows()
        print("printed by outer again")

    @flow
    def inner() -> None:
        inherits()

    @flow(log_prints=False)
    def shadows() -> None:
        print("printed by shadows")
        inherits()

    outer()
    assert printed(caplog) == [
        ("prefect.flow_runs", "printed by outer"),
        ("prefect.task_runs", "printed by inherits"),
        ("prefect.task_runs", "printed by inherits"),
        ("prefect.task_runs", "printed by inherits"),
        ("prefect.flow_runs", "printed by outer again"),
    ]
    out = capsys.readouterr().out
    assert out.splitlines() == ["printed by refuses", "printed by shadows", "printed by inherits"]
    print("printed outside")
    assert capsys.readouterr().out == "printed outside\n"


def test_a_task_may_ask_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    @task(log_prints=True)
    def asks() -> None:
        print("printed by asks")

    @flow(log_prints=False)
    def outer() -> None:
        asks()

    outer()
    asks()
    assert printed(caplog) == [("prefect.task_runs", "printed by asks")] * 2


TASK_OPTIONS: dict[str, Any] = {
    "name": "other",
    "description": "What it does.",
    "tags": ["x"],
    "version": "2",
    "task_run_name": "run-{x}",
    "retries": 3,
    "retry_delay_seconds": 7,
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": lambda *_: True,
    "timeout_seconds": 9,
    "log_prints": True,
    "persist_result": True,
    "cache_policy": INPUTS,
    "cache_expiration": timedelta(1),
    "refresh_cache": True,
    "result_storage_key": "key",
}
FLOW_OPTIONS: dict[str, Any] = {
    "name": "other",
    "description": "What it does.",
    "tags": ["x"],
    "version": "2",
    "flow_run_name": "run-{x}",
    "retries": 3,
    "retry_delay_seconds": 7,
    "timeout_seconds": 9,
    "log_prints": True,
    "persist_result": True,
    "task_runner": ThreadPoolTaskRunner(max_workers=7),
}


@pytest.mark.parametrize(
    ("subject", "option", "value"),
    [(task, *item) for item in TASK_OPTIONS.items()] + [(flow, *item) for item in FLOW_OPTIONS.items()],
)
def test_with_options_changes_one_and_keeps_the_rest(subject: Any, option: str, value: Any) -> None:
    def fn(x: int = 1) -> int:
        """The function's own text."""
        return x

    options = TASK_OPTIONS if subject is task else FLOW_OPTIONS
    plain = subject(fn)
    changed = plain.with_options(**{option: value})
    expected = set(value) if option == "tags" else value
    assert changed is not plain and changed.fn is fn
    if option != "retry_jitter_factor":
        assert getattr(changed, option) == expected
        assert getattr(plain, option) != expected
    full = subject(fn, **options)
    renamed = full.with_options(name="third")
    for kept in options.keys() - {"name", "retry_jitter_factor"}:
        assert getattr(renamed, kept) == getattr(full, kept)
    assert renamed.name == "third" and full.name == "other"


def test_with_options_of_unknown_names() -> None:
    with pytest.raises(TypeError, match=r"@flow got unknown option\(s\): nmae"):
        flow(lambda: 1).with_options(nmae="x")  # type: ignore[call-arg]


def test_options_are_recorded_with_the_runs() -> None:
    @task(version="3", retries=2, retry_delay_seconds=5, retry_jitter_factor=0.1)
    def inner() -> None: ...

    @flow(version="4", retries=1, retry_delay_seconds=6, name="versioned")
    def outer() -> None:
        inner()

    state = outer(return_state=True)
    run = flow_run_of(state)
    assert run.flow_version == "4"
    assert (run.empirical_policy.retries, run.empirical_policy.retry_delay) == (1, 6)
    (inner_run,) = task_runs_of(state)
    policy = inner_run.empirical_policy
    assert inner_run.task_version == "3"
    assert (policy.retries, policy.retry_delay, policy.retry_jitter_factor) == (2, 5, 0.1)


def test_descriptions_come_from_the_functions() -> None:
    def fn() -> None:
        """First line.

        Second.
        """

    assert task(fn).description == flow(fn).description == "First line.\n\nSecond."
    assert task(fn, description="given").description == "given"
