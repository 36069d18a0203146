"""What a flow's or task's return value makes of its final state, and of what its caller gets."""

from __future__ import annotations

from typing import Any

import pytest

from prefect import flow, task
from prefect.exceptions import Abort, CancelledRun, CrashedRun, FailedRun, PausedRun
from prefect.schemas.states import State, StateType
from prefect.states import Cancelled, Completed, Crashed, Failed, Paused, Pending, Running
from recorded import flow_run_of, task_run_of


@task
def one() -> int:
    return 1


@task
def boom() -> None:
    raise ValueError("nope")


@flow
def inner_failing() -> None:
    raise KeyError("inner")


def returning(make: Any) -> Any:
    @flow
    def returns() -> Any:
        return make()

    return returns


SUMMED_UP = [
    (lambda: one.submit(), "COMPLETED", "All states completed."),
    (lambda: [one.submit(), one.submit()], "COMPLETED", "All states completed."),
    (lambda: one.submit(return_state=True), "COMPLETED", "All states completed."),
    (lambda: (one.submit(), boom.submit()), "FAILED", "1/2 states failed."),
    (lambda: {one.submit(), boom.submit()}, "FAILED", "1/2 states failed."),
    (lambda: boom.submit(), "FAILED", "1/1 states failed."),
    (lambda: boom(return_state=True), "FAILED", "1/1 states failed."),
    (lambda: inner_failing(return_state=True), "FAILED", "1/1 states failed."),
    (lambda: [Completed(), Failed(message="x")], "FAILED", "1/2 states failed."),
    (lambda: [Completed(), Crashed(message="x")], "FAILED", "1/2 states failed."),
    (lambda: [Completed(), Cancelled()], "CANCELLED", "1/2 states cancelled."),
    (lambda: [Failed(), Cancelled()], "CANCELLED", "1/2 states cancelled."),
    (lambda: [Completed(), Running()], "FAILED", "1/2 states are not final."),
]
PLAIN = [
    lambda: 3,
    lambda: None,
    lambda: [],
    lambda: ("foo", one.submit()),
    lambda: {"a": one.submit()},
    lambda: {"a": boom.submit()},
    lambda: [[boom.submit()]],
    lambda: {"a": Failed(message="x")},
    lambda: ValueError("returned, not raised"),
]


@pytest.mark.parametrize(("make", "kind", "message"), SUMMED_UP)
def test_states_of_other_runs_are_summed_up(make: Any, kind: str, message: str) -> None:
    state = returning(make)(return_state=True)
    assert (state.type.value, state.message) == (kind, message)
    stored = flow_run_of(state).state
    assert stored is not None and (stored.type.value, stored.message) == (kind, message)


@pytest.mark.parametrize("make", PLAIN)
def test_all_else_is_a_result(make: Any) -> None:
    state = returning(make)(return_state=True)
    assert state.is_completed() and state.message is None


def test_the_caller_gets_states_in_place_of_futures() -> None:
    assert isinstance(returning(lambda: one.submit())(), State)
    values = returning(lambda: ["foo", one.submit(), {"k": one.submit()}])()
    assert values[0] == "foo"
    assert values[1].result() == values[2]["k"].result() == 1
    mapped = returning(lambda: boom.with_options(name="b").submit(return_state=True))
    with pytest.raises(ValueError, match="nope"):
        mapped()


def test_a_mapped_result_is_a_plain_list_of_states() -> None:
    @task
    def same(x: int) -> int:
        return x

    states = returning(lambda: same.map([1, 2]))()
    assert type(states) is list
    assert [state.result() for state in states] == [1, 2]


def test_of_several_states_with_a_failure_the_caller_gets_them_all() -> None:
    values = returning(lambda: [one.submit(), boom.submit()])()
    assert [value.name for value in values] == ["Completed", "Failed"]


def test_a_single_failed_run_raises_its_exception() -> None:
    for make in (lambda: boom.submit(), lambda: boom(return_state=True)):
        with pytest.raises(ValueError, match="nope"):
            returning(make)()
    with pytest.raises(KeyError, match="inner"):
        returning(lambda: inner_failing(return_state=True))()


@pytest.mark.parametrize(
    ("made", "kind", "error"),
    [
        (lambda: Failed(message="bad"), StateType.FAILED, FailedRun),
        (lambda: Failed(data=KeyError("own")), StateType.FAILED, KeyError),
        (lambda: Crashed(message="bad"), StateType.CRASHED, CrashedRun),
        (lambda: Cancelled(message="bad"), StateType.CANCELLED, CancelledRun),
        (lambda: Paused(), StateType.PAUSED, PausedRun),
    ],
)
def test_a_state_of_the_flows_own_is_its_state(made: Any, kind: StateType, error: type[Exception]) -> None:
    state = returning(made)(return_state=True)
    assert state.type is kind
    assert state.message == made().message
    assert flow_run_of(state).state_type is kind
    with pytest.raises(error):
        returning(made)()
    with pytest.raises(error):
        state.result()


def test_a_completed_state_of_the_flows_own_gives_its_data() -> None:
    made = returning(lambda: Completed(message="hi", data=4))
    assert made() == 4
    state = made(return_state=True)
    assert state.message == "hi" and state.result() == 4
    assert returning(lambda: Completed(name="Skipped"))(return_state=True).name == "Skipped"


def test_a_flow_cannot_go_back_to_pending() -> None:
    with pytest.raises(Abort, match="cannot transition to a PENDING state"):
        returning(lambda: Pending())()


def test_a_tasks_own_state_is_its_state_and_what_its_caller_gets() -> None:
    @task
    def returns(state: Any) -> Any:
        return state() if callable(state) else state

    failed = returns(lambda: Failed(message="tbad"))
    assert isinstance(failed, State) and failed.message == "tbad"
    state = returns(lambda: Failed(message="tbad"), return_state=True)
    assert (state.name, state.message) == ("Failed", "tbad")
    assert task_run_of(state).state_name == "Failed"
    with pytest.raises(FailedRun, match="tbad"):
        returns.submit(lambda: Failed(message="tbad")).result()
    several = returns(lambda: [Completed(data=1), Failed(message="x")], return_state=True)
    assert several.message == "1/2 states failed."
    assert returns(lambda: Completed(data=4), return_state=True).result() == 4
    assert returns(lambda: Cancelled(), return_state=True).is_cancelled()


def test_result_without_raising_gives_the_exception() -> None:
    state = boom(return_state=True)
    error = state.result(raise_on_failure=False)
    assert isinstance(error, ValueError)
    assert returning(lambda: boom.submit())(return_state=True).result(raise_on_failure=False) is not None


def test_a_failed_flow_that_was_caught_does_not_fail_its_parent() -> None:
    @flow
    def parent() -> int:
        inner_failing(return_state=True)
        return 5

    assert parent() == 5


def test_an_exception_that_a_task_returned_twice_is_the_same_object() -> None:
    future_state = boom.submit(return_state=True)
    assert future_state.result(raise_on_failure=False) is future_state.result(raise_on_failure=False)
