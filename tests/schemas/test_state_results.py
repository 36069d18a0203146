"""What a state's result is, and what is raised in place of one."""

from __future__ import annotations

import pytest

from prefect import flow, task
from prefect.exceptions import FailedRun, UnfinishedRun
from prefect.states import Completed, Failed, Pending


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
