"""What is said of runs: of retries, and of those that nobody awaited."""

from __future__ import annotations

import gc
import logging

import pytest

from prefect import flow, task


def broken() -> None:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ({}, "ValueError('no')"),
        ({"retries": 1}, "ValueError('no') - Retries are exhausted"),
        (
            {"retries": 1, "retry_condition_fn": lambda *_: False},
            "ValueError('no') - It is not retried: `retry_condition_fn` says no",
        ),
    ],
)
def test_a_failure_says_why_it_is_the_last(options, ending, caplog):
    task(**options)(broken)(return_state=True)

    [last] = [record for record in caplog.records if record.exc_info]
    assert last.getMessage() == f"Task run failed with exception: {ending}"


@pytest.mark.parametrize("decorator", [flow, task])
def test_a_delay_is_told_in_milliseconds_at_most(decorator, caplog):
    with caplog.at_level(logging.INFO):
        decorator(retries=1, retry_delay_seconds=0.00123456)(broken)(return_state=True)

    assert "Retry 1/1 will start 0.001 second(s) from now" in caplog.text


@pytest.mark.parametrize("decorator", [flow, task])
def test_who_forgets_to_await_is_told_what(decorator):
    @decorator
    async def load() -> None: ...

    with pytest.warns(RuntimeWarning, match="coroutine 'load' was never awaited"):
        load()
        gc.collect()
