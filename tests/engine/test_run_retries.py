"""Retries of task and flow runs: what is tried again, when, and what is seen of it everywhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prefect import flow, task
from prefect.runtime import flow_run, task_run
from prefect.tasks import exponential_backoff
from recorded import flow_run_of, history_of, settled, states_of, task_run_of, task_runs_of

DELAYS = [None, 0.01]


def flaky(subject: Any, fail_until: int = 3) -> Any:
    """Make functions of both kinds that fail until their run count is reached, and tell what they saw."""
    runtime = task_run if subject is task else flow_run
    seen: list[int] = []

    def work() -> list[int]:
        seen.append(runtime.run_count)
        if runtime.run_count < fail_until:
            raise ValueError(f"attempt {runtime.run_count}")
        return seen

    async def awork() -> list[int]:
        await asyncio.sleep(0)
        return work()

    return work, awork


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("kind", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize("subject", [task, flow])
def test_run_count_is_one_two_three(subject: Any, kind: int, delay: float | None) -> None:
    work = subject(flaky(subject)[kind], retries=2, retry_delay_seconds=delay)
    state = settled(work(return_state=True))
    assert state.result() == [1, 2, 3]
    run = task_run_of(state) if subject is task else flow_run_of(state)
    assert run.run_count == 3
    waits = ["AwaitingRetry"] if delay or subject is flow else []
    assert history_of(state) == ["Pending", "Running", *[*waits, "Retrying"] * 2, "Completed"]


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("call", ["submit", "map"])
def test_run_count_of_submitted_tasks(call: str, delay: float | None) -> None:
    work = task(flaky(task)[0], retries=2, retry_delay_seconds=delay)
    awork = task(flaky(task)[1], retries=2, retry_delay_seconds=delay)
    for one in (work, awork):
        assert one.submit().result() == [1, 2, 3]


@pytest.mark.parametrize("subject", [task, flow])
def test_retries_end(subject: Any) -> None:
    work = subject(flaky(subject, 9)[0], retries=2)
    state = work(return_state=True)
    assert state.is_failed() and "ValueError: attempt 3" in (state.message or "")
    with pytest.raises(ValueError, match="attempt 3"):
        subject(flaky(subject, 9)[0], retries=2)()


def test_run_count_everywhere_else() -> None:
    names, hooks = [], []

    def name() -> str:
        names.append(task_run.run_count)
        return "named"

    def hook(_: Any, run: Any, state: Any) -> None:
        hooks.append((state.name, run.run_count, task_run.run_count))

    work = task(
        flaky(task)[0],
        retries=2,
        task_run_name=name,
        on_running=[hook],
        on_completion=[hook],
        on_failure=[hook],
    )
    assert work() == [1, 2, 3]
    assert len(names) == 1  # a run keeps its name
    assert hooks == [("Running", 1, 1), ("Retrying", 2, 2), ("Retrying", 3, 3), ("Completed", 3, 3)]


def test_flow_hooks_see_the_run_count() -> None:
    hooks = []

    def hook(_: Any, run: Any, state: Any) -> None:
        hooks.append((state.name, run.run_count, flow_run.run_count))

    flow(flaky(flow)[0], retries=2, on_running=[hook], on_completion=[hook], on_failure=[hook])()
    assert hooks == [("Running", 1, 1), ("Retrying", 2, 2), ("Retrying", 3, 3), ("Completed", 3, 3)]


@pytest.mark.parametrize(
    ("delay", "recorded"),
    [
        (0.01, 0.01),
        ([0.01, 0.02], [0.01, 0.02]),
        (exponential_backoff(0.01), [0.01, 0.02, 0.04]),
        (lambda retries: [0.01] * retries, [0.01, 0.01, 0.01]),
        (lambda retries: 0.01, 0.01),
        (0, 0),
    ],
)
def test_delays_of_every_form(delay: Any, recorded: Any) -> None:
    work = task(flaky(task, 2)[0], retries=3, retry_delay_seconds=delay)
    state = work(return_state=True)
    assert state.is_completed()
    run = task_run_of(state)
    assert run.empirical_policy.retry_delay == recorded
    assert run.empirical_policy.retries == 3


def test_each_retry_waits_for_its_own_delay() -> None:
    work = task(flaky(task, 4)[0], retries=3, retry_delay_seconds=[0.01, 0.03])
    state = work(return_state=True)
    states = states_of(state)
    waits = [one for one in states if one.name == "AwaitingRetry"]
    delays = [(one.state_details.scheduled_time - one.timestamp).total_seconds() for one in waits]
    assert delays == pytest.approx([0.01, 0.03, 0.03], abs=0.005)
    for wait in waits:
        following = states[states.index(wait) + 1]
        assert following.timestamp >= wait.state_details.scheduled_time


def test_jitter_lengthens_by_its_factor_at_most() -> None:
    work = task(lambda: None, retries=1, retry_delay_seconds=10, retry_jitter_factor=0.5)
    delays = {work.retry_delay(1) for _ in range(200)}
    assert len(delays) > 100
    assert max(delays) <= 15 and min(delays) < 10


def test_too_many_delays_and_bad_retries_are_refused() -> None:
    with pytest.raises(
        ValueError, match="'retries' of task '<lambda>' must be a whole number, 0 or more, not -1"
    ):
        task(lambda: None, retries=-1)
    with pytest.raises(ValueError, match="'retries' of flow"):
        flow(lambda: None, retries="many")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="Can not configure more than 50 retry delays"):
        task(lambda: None, retries=60, retry_delay_seconds=[1.0] * 51)()
    with pytest.raises(ValueError, match="must be finite"):
        task(lambda: None, retries=1, retry_delay_seconds=[float("nan")])()


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("is_async", [False, True])
def test_the_retry_condition_decides(answer: bool, is_async: bool) -> None:
    asked = []

    def condition(subject: Any, run: Any, state: Any) -> bool:
        asked.append((subject.name, run.run_count, state.name, str(state.result(raise_on_failure=False))))
        return answer

    async def acondition(subject: Any, run: Any, state: Any) -> bool:
        error = await state.aresult(raise_on_failure=False)
        asked.append((subject.name, run.run_count, state.name, str(error)))
        return answer

    chosen = acondition if is_async else condition
    for fn in flaky(task, 9):
        asked.clear()
        state = settled(task(fn, name="t", retries=1, retry_condition_fn=chosen)(return_state=True))
        assert state.is_failed()
        assert asked == [("t", 1, "Failed", "attempt 1")]  # the last failure is final whatever it says
        assert task_run_of(state).run_count == (2 if answer else 1)


def test_a_condition_that_raises_ends_the_retries(caplog: pytest.LogCaptureFixture) -> None:
    def condition(*_: Any) -> bool:
        raise RuntimeError("condition")

    state = task(flaky(task, 9)[0], retries=3, retry_condition_fn=condition)(return_state=True)
    assert state.is_failed() and task_run_of(state).run_count == 1
    with pytest.raises(TypeError, match="Expected `retry_condition_fn` to be callable, got int instead"):
        task(lambda: None, retry_condition_fn=3)  # type: ignore[call-overload]


def test_a_failed_state_that_a_task_returns_is_retried() -> None:
    from prefect.states import Failed

    @task(retries=2)
    def returns() -> Any:
        return Failed(message="not yet") if task_run.run_count < 3 else task_run.run_count

    assert returns() == 3


def test_a_flow_retry_runs_its_tasks_again() -> None:
    @task
    def work() -> int | None:
        return flow_run.run_count

    @flow(retries=1)
    def around() -> Any:
        seen = work.submit().result()
        if flow_run.run_count == 1:
            raise ValueError("again")
        return seen

    state = around(return_state=True)
    assert state.result() == 2
    assert [run.flow_run_run_count for run in task_runs_of(state)] == [1, 2]


def test_a_child_flow_has_its_full_budget_in_each_of_its_parents_attempts() -> None:
    seen: list[tuple[str | None, int]] = []

    @flow(retries=2)
    def child() -> None:
        seen.append((flow_run.id, flow_run.run_count))
        raise ValueError("child")

    @flow(retries=1)
    def parent() -> None:
        child()

    state = parent(return_state=True)
    assert state.is_failed()
    assert [count for _, count in seen] == [1, 2, 3, 4, 5, 6]
    assert len({run_id for run_id, _ in seen}) == 1
    child_run = flow_run_of(str(seen[0][0]))
    assert child_run.run_count == 6 and child_run.state_name == "Failed"
    assert len(task_runs_of(state)) == 1  # one stands for the child


def test_a_child_that_succeeds_in_its_parents_second_attempt() -> None:
    attempts = []

    @flow
    def child(x: int) -> int:
        attempts.append(x)
        if len(attempts) == 1:
            raise ValueError("first")
        return x

    @flow(retries=1)
    def parent() -> Any:
        return child(1) + child(2), flow_run.run_count

    state = parent(return_state=True)
    assert state.result() == (3, 2)
    assert attempts == [1, 1, 2]
    runs = task_runs_of(state)
    assert [run.state_name for run in runs] == ["Completed", "Completed"]


def test_default_retries_come_from_the_settings() -> None:
    from prefect.settings import (
        PREFECT_FLOWS_DEFAULT_RETRIES,
        PREFECT_TASKS_DEFAULT_RETRIES,
        temporary_settings,
    )

    with temporary_settings({PREFECT_TASKS_DEFAULT_RETRIES: 2, PREFECT_FLOWS_DEFAULT_RETRIES: 1}):
        assert task(flaky(task)[0])() == [1, 2, 3]
        assert flow(flaky(flow, 2)[0])() == [1, 2]


def test_a_finished_runs_times() -> None:
    state = task(flaky(task, 2)[0], retries=1, retry_delay_seconds=0.02)(return_state=True)
    run = task_run_of(state)
    assert run.start_time is not None and run.end_time is not None and run.expected_start_time is not None
    assert run.expected_start_time <= run.start_time <= run.end_time
    assert (run.end_time - run.start_time).total_seconds() >= 0.02
    assert run.total_run_time < (run.end_time - run.start_time).total_seconds()
