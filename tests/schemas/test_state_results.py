"""What a state's result is, and what is raised in place of one."""

from __future__ import annotations

import pytest

from prefect import flow, task
from prefect.exceptions import FailedRun, UnfinishedRun
from prefect.states import Cached, Completed, Failed, Pending, State, StateType, TimedOut


@task
def broken() -> int:
    raise ValueError("no rows")


@task
def double(number: int) -> int:
    return 2 * number


def test_a_flow_that_returns_a_run_that_never_began_fails_and_says_why():
    @flow
    def report():
        return double.submit(broken.submit())

    state = report(return_state=True)

    assert state.is_failed()
    assert state.message == "1/1 states are not final."
    with pytest.raises(FailedRun, match=r"not final\. Upstream task run"):
        report()


@pytest.mark.parametrize("inner", [Pending(message="waits"), Completed()])
def test_a_failed_state_over_one_that_is_no_failure_raises_its_own_message(inner):
    with pytest.raises(FailedRun, match=r"^not good"):
        Failed(message="not good", data=inner).result()


def test_who_asks_a_run_that_never_began_for_its_result_is_told_why():
    @flow
    def report():
        run = double.submit(broken.submit())
        run.wait()
        with pytest.raises(UnfinishedRun, match="not available: Upstream task run"):
            run.result()

    report()


def test_a_state_without_a_message_has_no_result_yet():
    with pytest.raises(UnfinishedRun, match=r"is in PENDING state, its result is not available\.$"):
        Pending().result()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Completed(), "Completed()"),
        (Failed(message="why"), "Failed('why')"),
        (Cached(), "Cached(type=COMPLETED)"),
        (TimedOut(message="late"), "TimedOut('late', type=FAILED)"),
    ],
)
def test_a_state_tells_its_type_where_its_name_does_not(state, text):
    assert str(state) == text


def test_a_type_may_be_given_as_text():
    assert State(type="FAILED").is_failed()
    with pytest.raises(ValueError, match="'BROKEN' is not a valid StateType"):
        State(type="BROKEN")


def test_the_text_of_a_type_says_that_it_is_one():
    assert str(StateType.FAILED) == f"{StateType.FAILED}" == "StateType.FAILED"
    assert StateType.FAILED == "FAILED" and StateType.FAILED in {"FAILED"}
    assert StateType("FAILED") is StateType.FAILED


@pytest.mark.parametrize("wrap", [list, tuple])
def test_a_flow_that_fails_because_of_its_tasks_still_gives_their_states(wrap):
    @flow
    def report():
        return wrap([double(1, return_state=True), broken(return_state=True)])

    state = report(return_state=True)

    assert state.message == "1/2 states failed."
    assert [inner.name for inner in state.result(raise_on_failure=False)] == ["Completed", "Failed"]
    with pytest.raises(ValueError, match="no rows"):
        state.result()


@pytest.mark.parametrize("field", ["name", "message"])
def test_the_name_and_message_of_a_state_are_text(field):
    with pytest.raises(TypeError, match=f"The {field} of a state must be text, not 5"):
        Completed(**{field: 5})
