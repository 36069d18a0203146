"""States made of exceptions that are hard to show."""

from __future__ import annotations

import pytest

from prefect import flow, task
from recorded import flow_run_of


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("retries", [0, 1])
def test_an_exception_whose_text_cannot_be_shown(retries: int) -> None:
    @task(retries=retries)
    def fail() -> None:
        raise Mute

    @flow(retries=retries)
    def main() -> None:
        inner = fail(return_state=True)
        text = "Task run encountered an exception Mute: (its text cannot be shown: RuntimeError)"
        assert (inner.name, inner.message) == ("Failed", text)
        raise Mute

    state = main(return_state=True)
    assert isinstance(state.result(raise_on_failure=False), Mute)
    assert flow_run_of(state).state_name == "Failed"
    with pytest.raises(Mute):
        main()
